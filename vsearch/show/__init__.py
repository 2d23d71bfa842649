"""What people and programs read: results on stdout, progress on stderr."""
