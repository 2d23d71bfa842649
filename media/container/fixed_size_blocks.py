"""Containers made of blocks of one size: check that each block begins with its sync bytes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from media.container.findings import Finding, missing_until

Blocks: TypeAlias = NDArray[np.uint8]  # (count, size) bytes

_BYTES_AT_ONCE = 1 << 20  # read together, at most ...
_FIRST_BLOCKS = 16  # ... and blocks at first and behind each hole, as there may be very many holes
_IN_STEP = 4  # sync bytes at the right distance that are no coincidence


@dataclass(frozen=True, slots=True)
class BlockFormat:
    """Blocks of `size` bytes, the first at the byte `start`, with `sync` bytes at `sync_offset`."""

    size: int
    sync: bytes
    sync_offset: int = 0
    start: int = 0

    def blocks(self, data: bytes) -> Blocks:
        """(count, size) uint8: the whole blocks in `data`, which begins with a block."""
        whole = len(data) // self.size
        return np.frombuffer(data, np.uint8, whole * self.size).reshape(whole, self.size)

    def has_sync(self, blocks: Blocks) -> NDArray[np.bool_]:
        """(count,) bool: which blocks have the sync bytes."""
        found = blocks[:, self.sync_offset : self.sync_offset + len(self.sync)]
        return np.asarray((found == np.frombuffer(self.sync, np.uint8)).all(axis=1))

    def first_in(self, data: bytes) -> int | None:
        """Offset in `data` from which blocks follow each other in step; None if there is none."""
        values = np.frombuffer(data, np.uint8)
        reach = len(data) - self.size * (_IN_STEP - 1) - self.sync_offset - len(self.sync) + 1
        if reach <= 0:
            return None
        agree = np.ones(reach, np.bool_)
        for step in range(_IN_STEP):
            for index, byte in enumerate(self.sync):
                begin = step * self.size + self.sync_offset + index
                agree &= values[begin : begin + reach] == byte
        found = np.flatnonzero(agree)
        return int(found[0]) if len(found) else None


def check_blocks(
    file: BinaryIO,
    form: BlockFormat,
    *,
    end: int | None = None,
    scrambled_runs: Callable[[Blocks], Iterator[tuple[int, int]]] | None = None,
) -> Iterator[Finding]:
    """Find the bytes that belong to no block, up to the byte `end`, by default that of the file.

    `scrambled_runs` yields of (count, size) consecutive blocks the first index and the number of
    scrambled ones in each run.
    """
    offset, end = form.start, file.seek(0, 2) if end is None else end
    length = _FIRST_BLOCKS * form.size
    while offset + form.size <= end:
        file.seek(offset)
        blocks = form.blocks(file.read(min(length, end - offset)))
        length = min(2 * length, max(_BYTES_AT_ONCE, form.size))
        bad = np.flatnonzero(~form.has_sync(blocks))
        blocks = blocks[: bad[0]] if len(bad) else blocks
        for first, count in scrambled_runs(blocks) if scrambled_runs else ():
            yield Finding(offset + first * form.size, scrambled=count * form.size)
        offset += len(blocks) * form.size
        if len(bad):
            following = _next_in_step(file, form, offset)
            yield missing_until(file, offset, following)
            offset = end if following is None else following
            length = _FIRST_BLOCKS * form.size
        else:
            yield Finding(offset)
            if len(blocks) == 0:
                return


def runs(chosen: NDArray[np.bool_], *, apart: int) -> Iterator[tuple[int, int]]:
    """Yield the first index and the number of blocks of each run of `chosen` (count,) blocks.

    Blocks of a run are at most `apart` from each other.
    """
    index = np.flatnonzero(chosen)
    if len(index):
        for run in np.split(index, np.flatnonzero(np.diff(index) > apart) + 1):
            yield int(run[0]), len(run)


def _next_in_step(file: BinaryIO, form: BlockFormat, offset: int) -> int | None:
    overlap = form.size * _IN_STEP
    length = _FIRST_BLOCKS * form.size
    while True:
        file.seek(offset)
        data = file.read(length + overlap)
        found = form.first_in(data)
        if found is not None:
            return offset + found
        if len(data) < length + overlap:
            return None
        offset += length
        length = min(2 * length, max(_BYTES_AT_ONCE, form.size))
