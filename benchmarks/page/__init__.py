"""The page: its speed in a browser, what its server takes, and pictures of it for the README."""

from benchmarks.page.measured import measure

__all__ = ["measure"]
