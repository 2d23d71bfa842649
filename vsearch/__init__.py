"""vsearch."""
