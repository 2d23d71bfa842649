"""A key-value cache for small values that are slow to compute."""

from typing import Protocol


class Cache(Protocol):
    """Small values by key, kept from one process to the next as far as possible."""

    def get(self, key: bytes) -> bytes | None:
        """The value of a key; None where there is none (any more)."""

    def put(self, key: bytes, value: bytes) -> None:
        """Keep a value, if it can be kept."""
