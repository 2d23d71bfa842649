"""Subtitles as text with times: streams inside of a video, and files beside it. No pictures."""
