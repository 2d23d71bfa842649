"""Moments: stretches of the curve of a question over a video."""
