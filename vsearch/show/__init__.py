"""Printers: results on stdout for people and as JSON, progress on stderr."""
