"""Findings of an integrity check: useless bytes of a file, in step with its packets."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

_FIRST_READ, _BLOCK = 1 << 12, 1 << 20  # bytes read at once, at first and at most
_MOST = 1 << 22  # findings that are read: more units than any video has
_PADDING = (b"\0", b"\xff")  # bytes that fill up files and empty memory cards


@dataclass(frozen=True, slots=True)
class Finding:
    """Number of useless bytes at the byte `offset` of a file, and why they are useless.

    `missing` bytes belong to no unit of the container: they are garbled or were overwritten.
    `scrambled` bytes of the video stream need a key. If both are 0, the file is sound up to there.
    `cut` is whether the file ends there in the middle of a unit.
    """

    offset: int
    missing: int = 0
    scrambled: int = 0
    cut: bool = False


class Findings:
    """Findings of an integrity check, read in step with the packets that FFmpeg reads.

    `unexplained(start, end)` counts the bytes of [start, end), between two packets, that belong to
    no unit of the file.
    """

    def __init__(
        self,
        check: Iterable[Finding] = (),
        *,
        unexplained: Callable[[int, int], int] = lambda _start, _end: 0,
    ) -> None:
        self.unexplained = unexplained
        self._check = islice(check, _MOST)
        self._next = self._advance()

    def up_to(self, offset: float) -> Finding:
        """The sum of all findings since the last call and up to the byte `offset`."""
        latest, missing, scrambled, cut = 0, 0, 0, False
        while self._next is not None and self._next.offset <= offset:
            latest, cut = self._next.offset, self._next.cut
            missing += self._next.missing
            scrambled += self._next.scrambled
            self._next = self._advance()
        return Finding(latest, missing, scrambled, cut)

    def _advance(self) -> Finding | None:
        try:
            return next(self._check, None)
        except OSError:
            return None  # FFmpeg meets the same error and reports it


def useful_end(file: BinaryIO, offset: int) -> int:
    """End of the file in bytes without padding; at least `offset`."""
    end = file.seek(0, 2)
    file.seek(max(offset, end - 1))
    padding = file.read(1)
    if padding not in _PADDING:
        return end
    useful = offset
    file.seek(offset)
    while block := file.read(_BLOCK):
        kept = len(block.rstrip(padding))
        useful = file.tell() - len(block) + kept if kept else useful
    return useful


def find_next(file: BinaryIO, mark: bytes, offset: int) -> int | None:
    """Offset of the next `mark` at the byte `offset` or behind it; None if there is none."""
    overlap, size = len(mark) - 1, _FIRST_READ
    while True:
        file.seek(offset)
        block = file.read(size + overlap)
        found = block.find(mark)
        if found >= 0:
            return offset + found
        if len(block) < size + overlap:
            return None
        offset += size
        size = min(2 * size, _BLOCK)


def missing_until(file: BinaryIO, offset: int, following: int | None) -> Finding:
    """Finding of useless bytes from `offset` to the `following` unit, or to the end for None.

    Padding at the end of the file is not missing.
    """
    end = useful_end(file, offset) if following is None else following
    return Finding(offset, missing=end - offset)
