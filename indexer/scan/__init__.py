"""Files to index: the walk, fingerprints of content, and what is new, moved or missing."""
