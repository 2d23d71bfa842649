"""Moments of videos as new files, and what editing programs have to know of a video."""
