"""Inputs of the model: frames prepared for it, and texts as token ids."""
