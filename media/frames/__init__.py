"""Frames of a video stream: which packets to decode, decoding them, upright RGB pixels."""
