"""A place for small values that save work, if there is one."""

from typing import Protocol


class Memo(Protocol):
    """Small values by key, kept from one process to the next as far as that is possible."""

    def get(self, key: bytes) -> bytes | None:
        """What was put under the key; None where nothing is known (any more)."""

    def put(self, key: bytes, value: bytes) -> None:
        """Keep a value, if it can be kept."""
