"""The HTTP API, the process that serves it (`python -m serving`), and the guard of every server."""
