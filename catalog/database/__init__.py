"""The SQLite file: its tables and column types, how it is opened, upgraded and written to."""
