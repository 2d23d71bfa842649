"""Answers to questions, and how good they are."""
