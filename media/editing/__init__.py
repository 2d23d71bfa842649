"""What editing programs have to know of a video, as exact fractions."""
