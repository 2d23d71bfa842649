"""Kinds of questions: how well each is answered on toy videos, and how fast."""
