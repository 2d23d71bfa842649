"""Commands that ask: for moments, labels, and how good answers are."""
