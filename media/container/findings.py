"""What a walk through the bytes of a file finds, and where: told beside its packets."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

_FIRST_LOOK, _BLOCK = 1 << 12, 1 << 20  # bytes looked at together, at first and at most
_MOST = 1 << 22  # findings that are asked for: more parts than any film has
_PADDING = (b"\0", b"\xff")  # what programs fill files up with, and what memory cards are full of


@dataclass(frozen=True, slots=True)
class Finding:
    """At the byte `place` of a file: how many bytes of it are of no use, and why.

    `missing` bytes belong to no part of the container: they are garbled, or were overwritten.
    `scrambled` bytes of the video stream need a key. Both may be 0: so far, all is well. `cut` is
    whether the file ends there in the middle of a part.
    """

    place: int
    missing: int = 0
    scrambled: int = 0
    cut: bool = False


class Findings:
    """The findings of a walk, asked for in step with the packets that FFmpeg reads.

    `unexplained` tells how many of the bytes between two packets belong to no part of the file.
    """

    def __init__(
        self,
        walk: Iterable[Finding] = (),
        *,
        unexplained: Callable[[int, int], int] = lambda _start, _end: 0,
    ) -> None:
        self.unexplained = unexplained
        self._walk = islice(walk, _MOST)
        self._next = self._advance()

    def up_to(self, place: float) -> Finding:
        """All that was found since the last call and up to the byte `place`, added up."""
        latest, missing, scrambled, cut = 0, 0, 0, False
        while self._next is not None and self._next.place <= place:
            latest, cut = self._next.place, self._next.cut
            missing += self._next.missing
            scrambled += self._next.scrambled
            self._next = self._advance()
        return Finding(latest, missing, scrambled, cut)

    def _advance(self) -> Finding | None:
        try:
            return next(self._walk, None)
        except OSError:
            return None  # FFmpeg's reader meets it, too


def useful_end(file: BinaryIO, place: int) -> int:
    """Where the file ends from `place` on, but for one byte that says nothing, repeated."""
    end = file.seek(0, 2)
    file.seek(max(place, end - 1))
    filling = file.read(1)
    if filling not in _PADDING:
        return end
    useful = place
    file.seek(place)
    while block := file.read(_BLOCK):
        kept = len(block.rstrip(filling))
        useful = file.tell() - len(block) + kept if kept else useful
    return useful


def find_next(file: BinaryIO, mark: bytes, place: int) -> int | None:
    """Where `mark` is found next, at `place` or behind; None if never."""
    overlap, size = len(mark) - 1, _FIRST_LOOK
    while True:
        file.seek(place)
        block = file.read(size + overlap)
        found = block.find(mark)
        if found >= 0:
            return place + found
        if len(block) < size + overlap:
            return None
        place += size
        size = min(2 * size, _BLOCK)


def lost_until(file: BinaryIO, place: int, following: int | None) -> Finding:
    """That nothing is of use from `place` to the `following` part: None where there is no more.

    What merely fills the file up is not missing.
    """
    if following is not None:
        return Finding(place, missing=following - place)
    return Finding(place, missing=useful_end(file, place) - place)
