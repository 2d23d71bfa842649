"""Tags: reading names from a file, and finding, storing and removing what they name."""
