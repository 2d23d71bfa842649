"""What became of moments that were handed on: files, and lists for other programs."""
