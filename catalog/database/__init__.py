"""The database: its tables and column types, and the engine that holds them."""
