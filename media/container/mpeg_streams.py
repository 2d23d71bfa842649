"""MPEG transport and program streams packet by packet, without regard to what is in them.

FFmpeg passes over what is scrambled or garbled without a word; here it is counted.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from media.container.findings import Finding
from media.container.fixed_size_blocks import BlockFormat, Blocks, check_blocks, runs

_SYNC_BYTE = 0x47
_HEAD = 1 << 20  # bytes in which the first packets must come
_RUN = 32  # packets of other streams that may part two of one run
# Packets of broadcasts; of Blu-ray and camcorders, with their time in front; with check bytes.
_FORMS = (BlockFormat(188, b"\x47"), BlockFormat(192, b"\x47", at=4), BlockFormat(204, b"\x47"))
_SECTORS = BlockFormat(2048, b"\0\0\1")  # that packs and packets fill on discs and in most files
_PACK = 0xBA  # the last byte of a pack's start code
_SAMPLE = 64  # scrambled sectors that are looked into
_CLEAR_CODES = 1 / 16  # start codes in a sector of clear video: one or two; of noise: 1 in 8000


def packet_form(head: bytes) -> BlockFormat | None:
    """How the packets lie in a file that begins with `head`; None if that holds none."""
    for form in _FORMS:
        start = form.first_in(head[:_HEAD])
        if start is not None:
            return replace(form, start=start)
    return None


def scrambled_packets(
    parts: Blocks, form: BlockFormat, *, pid: int | None = None
) -> NDArray[np.bool_]:
    """(N,) which packets are scrambled (ISO/IEC 13818-1, 2.4.3.3).

    Of all packets but null ones, or of those of the stream `pid`.
    """
    head = parts[:, form.at : form.at + 4]
    number = (head[:, 1].astype(np.uint16) & 0x1F) << 8 | head[:, 2]
    chosen = number < 0x1FFF if pid is None else number == pid
    return np.asarray(chosen & form.marked(parts) & (head[:, 3] >= 0x80))


def program_clock(path: Path, place: int) -> int | None:
    """The time of the program, in 1/90000 s, that the transport packet at byte `place` tells.

    None where it tells none (ISO/IEC 13818-1, 2.4.3.5: program_clock_reference_base).
    """
    with path.open("rb") as file:
        file.seek(place)
        head = file.read(11)
    if len(head) < 11 or head[0] != _SYNC_BYTE or not head[3] & 0x20:  # no adaptation field
        return None
    return int.from_bytes(head[6:11], "big") >> 7 if head[4] >= 7 and head[5] & 0x10 else None


def check_transport_stream(file: BinaryIO, pid: int) -> Iterator[Finding]:
    """What is no packet, and which packets of the stream `pid` are scrambled."""
    form = packet_form(file.read(_HEAD))
    if form is None:
        return iter(())
    return check_blocks(
        file, form, look=lambda parts: runs(scrambled_packets(parts, form, pid=pid), apart=_RUN)
    )


def check_program_stream(file: BinaryIO) -> Iterator[Finding]:
    """Which sectors of a program stream hold scrambled video, and what is no sector.

    Nothing is found where packets do not fill sectors, nor where what is marked as scrambled is
    clear: some programs descramble a disc and leave the marks.
    """
    if _SECTORS.first_in(file.read(16 * _SECTORS.size)) != 0:
        return iter(())
    samples: list[bytes] = []

    def look(sectors: Blocks) -> Iterator[tuple[int, int]]:
        scrambled = _scrambled_sectors(sectors)
        samples.extend(row.tobytes() for row in sectors[scrambled][: _SAMPLE - len(samples)])
        codes = sum(row.count(b"\0\0\1", 128) for row in samples)
        return runs(scrambled & (codes < _CLEAR_CODES * len(samples)), apart=_RUN)

    return check_blocks(file, _SECTORS, look=look)


def _scrambled_sectors(sectors: Blocks) -> NDArray[np.bool_]:
    """(N,) whose first packet is of video and marked by its PES_scrambling_control (2.4.3.7)."""
    start = 14 + (sectors[:, 13] & 7).astype(np.intp)  # behind the pack's header and its stuffing
    number = np.arange(len(sectors))
    kind, marks = sectors[number, start + 3], sectors[number, start + 6]
    is_pack = sectors[:, 3] == _PACK
    return np.asarray(
        is_pack & (kind & 0xF0 == 0xE0) & (marks & 0xC0 == 0x80) & (marks & 0x30 != 0)
    )
