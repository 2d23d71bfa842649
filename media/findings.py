"""What a walk through the bytes of a file finds, and where: told beside its packets."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """At the byte `place` of a file: how many bytes of it are of no use, and why.

    `missing` bytes belong to no part of the container: they are garbled, or were overwritten.
    `scrambled` bytes of the video stream need a key. Both may be 0: so far, all is well.
    """

    place: int
    missing: int = 0
    scrambled: int = 0


class Findings:
    """The findings of a walk, asked for in step with the packets that FFmpeg reads."""

    def __init__(self, walk: Iterator[Finding]) -> None:
        self._walk = walk
        self._next = self._advance()

    def before(self, place: float) -> Finding:
        """All that was found since the last call and before the byte `place`, added up."""
        missing = scrambled = 0
        while self._next is not None and self._next.place < place:
            missing += self._next.missing
            scrambled += self._next.scrambled
            self._next = self._advance()
        return Finding(int(min(place, 1 << 62)), missing, scrambled)

    def _advance(self) -> Finding | None:
        try:
            return next(self._walk, None)
        except OSError:
            return None  # FFmpeg's reader meets it, too
