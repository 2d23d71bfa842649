"""Sentences: the bank that a model's answers are compared with, and X-CLIP's prompts."""
