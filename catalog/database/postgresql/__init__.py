"""The engine PostgreSQL: a database on a server, and a view of its words on this machine."""
