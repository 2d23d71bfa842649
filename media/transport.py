"""MPEG transport and program streams packet by packet, without regard to what is in them.

FFmpeg passes over what is scrambled or garbled without a word; here it is counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from media.findings import Finding

_SYNC = 0x47
_FORMS = ((188, 0), (192, 4), (204, 0))  # bytes of a packet, and before its sync byte
_IN_STEP = 4  # sync bytes at the right distance that are no coincidence
_PACKETS = 8192  # looked at together
_SEARCHED = 1 << 20  # bytes looked through together for the next packet
_RUN = 32  # packets of other streams that may part two of one run
_SECTOR = 2048  # bytes: what packs of a program stream take on discs and in most files
_PACK = b"\0\0\1\xba"
_SAMPLE = 64  # scrambled sectors that are looked into
_CLEAR_CODES = 1 / 16  # start codes in a sector of clear video: one or two; of noise: 1 in 8000


@dataclass(frozen=True, slots=True)
class PacketForm:
    """How the packets of a transport stream lie in a file: the first begins at `start`."""

    size: int  # bytes
    sync: int  # bytes before the sync byte
    start: int = 0

    def packets(self, data: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(N, 188) the whole packets in `data`, which begins where the file does."""
        data = data[self.start :]
        rows = data[: len(data) // self.size * self.size].reshape(-1, self.size)
        return rows[:, self.sync : self.sync + 188]


def packet_form(head: bytes) -> PacketForm | None:
    """The form of the packets in a file that begins with `head`; None if that holds none."""
    data = np.frombuffer(head, np.uint8)
    for size, sync in _FORMS:
        start = _first_in_step(data[sync:], size)
        if start is not None and start < _SEARCHED:
            return PacketForm(size, sync, start)
    return None


def scrambled_packets(packets: NDArray[np.uint8], pid: int | None = None) -> NDArray[np.bool_]:
    """(N,) which of the packets (N, 188) are scrambled (ISO/IEC 13818-1, 2.4.3.3).

    Of all packets but null ones, or of those of the stream `pid`.
    """
    number = (packets[:, 1].astype(np.uint16) & 0x1F) << 8 | packets[:, 2]
    chosen = number < 0x1FFF if pid is None else number == pid
    scrambled: NDArray[np.bool_] = chosen & (packets[:, 0] == _SYNC) & (packets[:, 3] >= 0x80)
    return scrambled


def program_clock(path: Path, place: int) -> int | None:
    """The time of the program, in 1/90000 s, that the transport packet at byte `place` tells.

    None where it tells none (ISO/IEC 13818-1, 2.4.3.5: program_clock_reference_base).
    """
    with path.open("rb") as file:
        file.seek(place)
        head = file.read(11)
    if len(head) < 11 or head[0] != _SYNC or not head[3] & 0x20:  # no adaptation field
        return None
    return int.from_bytes(head[6:11], "big") >> 7 if head[4] >= 7 and head[5] & 0x10 else None


def walk_transport(file: BinaryIO, pid: int) -> Iterator[Finding]:
    """What is no packet, and which packets of the stream `pid` are scrambled."""
    form = packet_form(file.read(_SEARCHED))
    if form is None:
        return
    place = form.start
    while True:
        file.seek(place)
        data = np.frombuffer(file.read(form.size * _PACKETS), np.uint8)
        rows = data[: len(data) // form.size * form.size].reshape(-1, form.size)
        if len(rows) == 0:
            return
        bad = np.flatnonzero(rows[:, form.sync] != _SYNC)
        rows = rows[: bad[0]] if len(bad) else rows
        packets = rows[:, form.sync : form.sync + 188]
        for first, count in _runs(scrambled_packets(packets, pid)):
            yield Finding(place + first * form.size, scrambled=count * form.size)
        place += len(rows) * form.size
        missing = _until_in_step(file, form, place) if len(bad) else 0
        yield Finding(place, missing=missing)
        place += missing


def walk_program(file: BinaryIO) -> Iterator[Finding]:
    """Which sectors of a program stream hold scrambled video, and what is no pack.

    Nothing is found where packs do not fill sectors, and where what is marked as scrambled is not:
    some programs descramble a disc and leave the marks.
    """
    place, samples = 0, list[bytes]()
    while True:
        file.seek(place)
        data = np.frombuffer(file.read(_SECTOR * _PACKETS), np.uint8)
        rows = data[: len(data) // _SECTOR * _SECTOR].reshape(-1, _SECTOR)
        if len(rows) == 0 or (place == 0 and not _are_packs(rows[:16]).all()):
            return
        bad = np.flatnonzero(~_are_packs(rows))
        rows = rows[: bad[0]] if len(bad) else rows
        scrambled = _scrambled_sectors(rows)
        samples += [row.tobytes() for row in rows[scrambled][: _SAMPLE - len(samples)]]
        if sum(row.count(b"\0\0\1", 128) for row in samples) < _CLEAR_CODES * len(samples):
            for first, count in _runs(scrambled):
                yield Finding(place + first * _SECTOR, scrambled=count * _SECTOR)
        place += len(rows) * _SECTOR
        missing = _until_pack(file, place) if len(bad) else 0
        yield Finding(place, missing=missing)
        place += missing


def _until_pack(file: BinaryIO, place: int) -> int:
    """The bytes from `place` to the next pack that fills a sector, or to the end of the file."""
    start = place
    while True:
        file.seek(start)
        data = file.read(_SEARCHED + _SECTOR + len(_PACK))
        found = data.find(_PACK)
        while 0 <= found < _SEARCHED:
            if data.startswith(_PACK, found + _SECTOR):
                return start + found - place
            found = data.find(_PACK, found + 1)
        if len(data) < _SEARCHED + _SECTOR:
            return start + len(data) - place
        start += _SEARCHED


def _are_packs(sectors: NDArray[np.uint8]) -> NDArray[np.bool_]:
    packs: NDArray[np.bool_] = (sectors[:, :4] == tuple(_PACK)).all(axis=1)
    return packs


def _scrambled_sectors(sectors: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(N,) whose first packet is of video and marked by its PES_scrambling_control (2.4.3.7)."""
    start = 14 + (sectors[:, 13] & 7).astype(np.intp)  # behind the pack's header and its stuffing
    number = np.arange(len(sectors))
    kind, marks = sectors[number, start + 3], sectors[number, start + 6]
    scrambled: NDArray[np.bool_] = (
        _are_packs(sectors) & (kind & 0xF0 == 0xE0) & (marks & 0xC0 == 0x80) & (marks & 0x30 != 0)
    )
    return scrambled


def _runs(chosen: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """The first of each run of chosen packets, and how many of it are chosen."""
    index = np.flatnonzero(chosen)
    if len(index):
        for run in np.split(index, np.flatnonzero(np.diff(index) > _RUN) + 1):
            yield int(run[0]), len(run)


def _until_in_step(file: BinaryIO, form: PacketForm, place: int) -> int:
    """The bytes from `place` to the next packet, or to the end of the file."""
    overlap = form.size * _IN_STEP
    start = place
    while True:
        file.seek(start + form.sync)
        data = np.frombuffer(file.read(_SEARCHED + overlap), np.uint8)
        found = _first_in_step(data, form.size)
        if found is not None:
            return start + found - place
        if len(data) < _SEARCHED + overlap:
            return start + form.sync + len(data) - place
        start += _SEARCHED


def _first_in_step(data: NDArray[np.uint8], size: int) -> int | None:
    """The first byte from which on sync bytes follow each other at a distance of `size`."""
    reach = len(data) - size * (_IN_STEP - 1)
    if reach <= 0:
        return None
    is_sync = data == _SYNC
    steps = [is_sync[size * step : size * step + reach] for step in range(_IN_STEP)]
    found = np.flatnonzero(np.logical_and.reduce(steps))
    return int(found[0]) if len(found) else None
