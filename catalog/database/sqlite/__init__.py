"""The engine SQLite: a file in the catalog's folder, how it is opened, written to and locked."""
