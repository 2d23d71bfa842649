"""LRU cache of bytes, bounded by their total size."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock


class ByteCache:
    """Cache of at most `max_bytes`; the least recently used value is dropped first. Thread-safe.

    Two threads that miss the same key at once may both make its value.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def peek(self, key: Hashable) -> bytes | None:
        """The value of `key`, if it is kept."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def get(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """The value of `key`, else the value that `make` returns, which is kept."""
        kept = self.peek(key)
        if kept is not None:
            return kept
        made = make()
        if len(made) > self._max_bytes:
            return made
        with self._lock:
            self._size += len(made) - len(self._kept.pop(key, b""))
            self._kept[key] = made
            while self._size > self._max_bytes:
                _, dropped = self._kept.popitem(last=False)
                self._size -= len(dropped)
        return made
