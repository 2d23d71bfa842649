"""Checkpoints in the published form: finding, fetching, verifying, reading and writing them."""
