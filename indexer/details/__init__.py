"""Details of videos that are indexed, and subtitle files: read without decoding a frame."""
