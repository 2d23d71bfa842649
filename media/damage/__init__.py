"""Damage of a video: what packets and decoding show of it, merged into intervals and sentences."""
