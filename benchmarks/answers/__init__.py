"""Measurements of answers: long toy videos and pools of clips of which the truth is known."""
