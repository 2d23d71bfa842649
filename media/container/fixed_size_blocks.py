"""Files made of parts of one size: whether each part begins as it should."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from media.container.findings import Finding, lost_until

Blocks: TypeAlias = NDArray[np.uint8]  # (N, size)

_BLOCK = 1 << 20  # bytes looked at together, at most ...
_FIRST_LOOK = 16  # ... and parts at first, and behind each hole: there may be very many
_IN_STEP = 4  # marks at the right distance that are no coincidence


@dataclass(frozen=True, slots=True)
class BlockFormat:
    """Blocks of `size` bytes, the first at `start`, that bear `mark` at the offset `at`."""

    size: int
    mark: bytes
    at: int = 0
    start: int = 0

    def parts(self, data: bytes) -> Blocks:
        """(N, size) the whole parts in `data`, which begins with one."""
        whole = len(data) // self.size
        return np.frombuffer(data, np.uint8, whole * self.size).reshape(whole, self.size)

    def marked(self, parts: Blocks) -> NDArray[np.bool_]:
        """(N,) which parts bear the mark."""
        marks = parts[:, self.at : self.at + len(self.mark)] == np.frombuffer(self.mark, np.uint8)
        return np.asarray(marks.all(axis=1))

    def first_in(self, data: bytes) -> int | None:
        """Where in `data` parts begin that follow each other in step; None if nowhere."""
        marks = np.frombuffer(data, np.uint8)
        reach = len(data) - self.size * (_IN_STEP - 1) - self.at - len(self.mark) + 1
        if reach <= 0:
            return None
        agree = np.ones(reach, np.bool_)
        for step in range(_IN_STEP):
            for index, byte in enumerate(self.mark):
                begin = step * self.size + self.at + index
                agree &= marks[begin : begin + reach] == byte
        found = np.flatnonzero(agree)
        return int(found[0]) if len(found) else None


def check_blocks(
    file: BinaryIO,
    grid: BlockFormat,
    *,
    end: int | None = None,
    look: Callable[[Blocks], Iterator[tuple[int, int]]] | None = None,
) -> Iterator[Finding]:
    """What is no part, up to the byte `end` or that of the file.

    `look` tells of parts in a row the first of each run that is scrambled, and how many are.
    """
    place, end = grid.start, file.seek(0, 2) if end is None else end
    block = _FIRST_LOOK * grid.size
    while place + grid.size <= end:
        file.seek(place)
        parts = grid.parts(file.read(min(block, end - place)))
        block = min(2 * block, max(_BLOCK, grid.size))
        bad = np.flatnonzero(~grid.marked(parts))
        parts = parts[: bad[0]] if len(bad) else parts
        for first, count in look(parts) if look else ():
            yield Finding(place + first * grid.size, scrambled=count * grid.size)
        place += len(parts) * grid.size
        if len(bad):
            following = _next_in_step(file, grid, place)
            yield lost_until(file, place, following)
            place = end if following is None else following
            block = _FIRST_LOOK * grid.size
        else:
            yield Finding(place)
            if len(parts) == 0:
                return


def runs(chosen: NDArray[np.bool_], *, apart: int) -> Iterator[tuple[int, int]]:
    """The first of each run of chosen parts, at most `apart` from each other, and their count."""
    index = np.flatnonzero(chosen)
    if len(index):
        for run in np.split(index, np.flatnonzero(np.diff(index) > apart) + 1):
            yield int(run[0]), len(run)


def _next_in_step(file: BinaryIO, grid: BlockFormat, place: int) -> int | None:
    overlap = grid.size * _IN_STEP
    block = _FIRST_LOOK * grid.size
    while True:
        file.seek(place)
        data = file.read(block + overlap)
        found = grid.first_in(data)
        if found is not None:
            return place + found
        if len(data) < block + overlap:
            return None
        place += block
        block = min(2 * block, max(_BLOCK, grid.size))
