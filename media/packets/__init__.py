"""Packets of a video stream: corrected timestamps, dependencies, and one scan over all of them."""
