"""Checks of a whole catalog, and the repair of what they find; a question does without them."""

from catalog.verify.verification import verify_catalog

__all__ = ["verify_catalog"]
