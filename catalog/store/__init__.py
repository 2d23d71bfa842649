"""The rows: queries and changes, each inside a transaction that the caller has begun."""
