"""Evaluation: how good the answers of a search are, by sentences whose answers are known."""
