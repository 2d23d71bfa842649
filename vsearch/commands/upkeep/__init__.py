"""Commands that maintain a catalog."""
