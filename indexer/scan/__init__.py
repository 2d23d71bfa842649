"""The files to index: the walk, their content's fingerprint, what is new, moved, or missing."""
