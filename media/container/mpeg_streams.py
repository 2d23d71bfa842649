"""MPEG transport and program streams (ITU-T H.222.0, ISO/IEC 13818-1), packet by packet.

FFmpeg skips scrambled and garbled packets without an error; here they are counted.
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
_RUN = 32  # packets of other streams that may lie between two packets of one run
# Packets of broadcasts; of Blu-ray and camcorders, with a time in front; with check bytes.
_FORMATS = (
    BlockFormat(188, b"\x47"),
    BlockFormat(192, b"\x47", sync_offset=4),
    BlockFormat(204, b"\x47"),
)
_SECTORS = BlockFormat(2048, b"\0\0\1")  # one pack each, on discs and in most files
_PACK = 0xBA  # the last byte of a pack's start code
_SAMPLE = 64  # scrambled sectors whose content is examined
_CLEAR_CODES = 1 / 16  # start codes in a sector of clear video: one or two; of noise: 1 in 8000


def transport_format(head: bytes) -> BlockFormat | None:
    """Format of the transport packets in a file that begins with `head`; None for no packets."""
    for form in _FORMATS:
        start = form.first_in(head[:_HEAD])
        if start is not None:
            return replace(form, start=start)
    return None


def scrambled_packets(
    packets: Blocks, form: BlockFormat, *, pid: int | None = None
) -> NDArray[np.bool_]:
    """(count,) bool: which transport packets are scrambled (H.222.0, 2.4.3.3).

    Only packets of the stream `pid` count, by default all but null packets.
    """
    head = packets[:, form.sync_offset : form.sync_offset + 4]
    number = (head[:, 1].astype(np.uint16) & 0x1F) << 8 | head[:, 2]
    chosen = number < 0x1FFF if pid is None else number == pid
    return np.asarray(chosen & form.has_sync(packets) & (head[:, 3] >= 0x80))


def program_clock(path: Path, offset: int) -> int | None:
    """Program clock reference, in 1/90000 s, of the transport packet at the byte `offset`.

    None if the packet has none (H.222.0, 2.4.3.5: program_clock_reference_base).
    """
    with path.open("rb") as file:
        file.seek(offset)
        head = file.read(11)
    if len(head) < 11 or head[0] != _SYNC_BYTE or not head[3] & 0x20:  # no adaptation field
        return None
    return int.from_bytes(head[6:11], "big") >> 7 if head[4] >= 7 and head[5] & 0x10 else None


def check_transport_stream(file: BinaryIO, pid: int) -> Iterator[Finding]:
    """Find bytes in no transport packet, and the scrambled packets of the stream `pid`."""
    form = transport_format(file.read(_HEAD))
    if form is None:
        return iter(())

    def scrambled_runs(packets: Blocks) -> Iterator[tuple[int, int]]:
        return runs(scrambled_packets(packets, form, pid=pid), apart=_RUN)

    return check_blocks(file, form, scrambled_runs=scrambled_runs)


def check_program_stream(file: BinaryIO) -> Iterator[Finding]:
    """Find the sectors of a program stream with scrambled video, and bytes in no sector.

    Nothing is found if packs do not fill sectors, nor if sectors marked as scrambled are clear:
    some programs descramble a disc and leave the marks.
    """
    if _SECTORS.first_in(file.read(16 * _SECTORS.size)) != 0:
        return iter(())
    samples: list[bytes] = []

    def scrambled_runs(sectors: Blocks) -> Iterator[tuple[int, int]]:
        scrambled = _scrambled_sectors(sectors)
        samples.extend(row.tobytes() for row in sectors[scrambled][: _SAMPLE - len(samples)])
        codes = sum(row.count(b"\0\0\1", 128) for row in samples)
        return runs(scrambled & (codes < _CLEAR_CODES * len(samples)), apart=_RUN)

    return check_blocks(file, _SECTORS, scrambled_runs=scrambled_runs)


def _scrambled_sectors(sectors: Blocks) -> NDArray[np.bool_]:
    """(count,) bool: sectors whose first packet is scrambled video (PES_scrambling_control)."""
    start = 14 + (sectors[:, 13] & 7).astype(np.intp)  # behind the pack's header and its stuffing
    number = np.arange(len(sectors))
    kind, marks = sectors[number, start + 3], sectors[number, start + 6]
    is_pack = sectors[:, 3] == _PACK
    return np.asarray(
        is_pack & (kind & 0xF0 == 0xE0) & (marks & 0xC0 == 0x80) & (marks & 0x30 != 0)
    )
