"""Keeping an index up to date: events of the file system, their debouncing, and the loop."""
