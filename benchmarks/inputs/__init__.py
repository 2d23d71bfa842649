"""Inputs of measurements: videos, libraries and models."""
