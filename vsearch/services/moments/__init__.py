"""Moments that were found, to be handed on: to files, to editing programs."""
