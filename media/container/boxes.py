"""Boxes of MP4 and QuickTime files (ISO/IEC 14496-12, 4.2)."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

_MOST_BOXES = 10_000  # of one that are read

Span = tuple[int, int]  # start and end of bytes in the file


def boxes_at(file: BinaryIO, span: Span, path: Sequence[bytes]) -> Iterator[Span]:
    """Yield the content of each box at a path of kinds, such as `moov`, `trak`, within `span`."""
    if not path:
        yield span
        return
    for inner in _boxes(file, *span, kind=path[0]):
        yield from boxes_at(file, inner, path[1:])


def _boxes(file: BinaryIO, start: int, end: int, *, kind: bytes) -> Iterator[Span]:
    """Yield the content of each box of a `kind` in [start, end)."""
    for _ in range(_MOST_BOXES):
        file.seek(start)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        body = 16 if length == 1 else 8
        length = int.from_bytes(head[8:16], "big") if length == 1 else length or end - start
        if len(head) < 8 or length < body or start + length > end:
            return
        if head[4:8] == kind:
            yield start + body, start + length
        start += length
