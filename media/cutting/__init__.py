"""Moments of videos as files of their own: copied or encoded anew, one by one or as a reel."""
