"""Start timecodes of films: where a recorder's clock stood at the first picture."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from av.container import InputContainer

from media.container.boxes import Span, boxes_at

_TRACKS = (b"moov", b"trak")
_SAMPLES = (b"mdia", b"minf", b"stbl")
_OFFSETS = {b"stco": 4, b"co64": 8}  # boxes of the offsets of samples, with bytes of each
_DROP, _COUNTER = 0x1, 0x8  # flags of a timecode track
_WRITTEN = re.compile(r"(\d{1,2}):(\d\d):(\d\d)([:;.])(\d{1,3})")
_RATE_OF_DROPPED = 15  # frames in a second for each number that a minute drops


@dataclass(frozen=True, slots=True)
class StartTimecode:
    """A timecode as a number of frames since 00:00:00:00, of which `base` make a counted second.

    With `drop`, two of 30 numbers are left out in each minute that is no tenth (SMPTE ST 12-1).
    """

    frames: int
    base: int
    drop: bool

    def at(self, base: int) -> "StartTimecode":
        """The same for a film of `base` frames in a counted second."""
        drop = self.drop and base % 30 == 0
        return StartTimecode(self.frames * base // self.base, base, drop)

    def __str__(self) -> str:
        """As it is written: `01:00:00:00`, with `;` before the frames where numbers are dropped."""
        number, mark = self.frames, ":"
        if self.drop:
            dropped, mark = self.base // _RATE_OF_DROPPED, ";"
            tens, rest = divmod(number, 600 * self.base - 9 * dropped)
            minutes = max(rest - dropped, 0) // (60 * self.base - dropped)
            number += dropped * (9 * tens + minutes)
        seconds, frames = divmod(number, self.base)
        hours, minutes, seconds = seconds // 3600 % 24, seconds // 60 % 60, seconds % 60
        return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{frames:02}"


def start_timecode(path: Path, container: InputContainer, *, base: int) -> StartTimecode | None:
    """The start timecode of an open video with `base` frames in a counted second; None for none.

    Of MP4 and QuickTime the timecode track itself is read: FFmpeg tells nothing of one with drop
    frames at a rate that has none, which some cameras write.
    """
    found = _timecode_track(path) if container.format.name.startswith("mov") else None
    if found is None:
        told = (_told(stream.metadata) for stream in container.streams)
        written = next((one for one in (*told, _told(container.metadata)) if one), None)
        found = None if written is None else _parsed(written, base=base)
    return None if found is None else found.at(base)


def _told(metadata: Mapping[str, str]) -> str | None:
    return next((value for name, value in metadata.items() if name.lower() == "timecode"), None)


def _parsed(text: str, *, base: int) -> StartTimecode | None:
    """The timecode that is written so; after ; or . numbers are dropped."""
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, seconds, frames = (int(found[group]) for group in (1, 2, 3, 5))
    drop = found[4] != ":" and base % 30 == 0
    passed = 60 * hours + minutes
    number = (60 * passed + seconds) * base + frames
    if drop:
        number -= base // _RATE_OF_DROPPED * (passed - passed // 10)
    return StartTimecode(number, base, drop)


def _timecode_track(path: Path) -> StartTimecode | None:
    """The first sample of the first timecode track (QuickTime File Format, Timecode media)."""
    with path.open("rb") as file:
        end = path.stat().st_size
        found = (_sample_of(file, track) for track in boxes_at(file, (0, end), _TRACKS))
        return next((one for one in found if one is not None), None)


def _sample_of(file: BinaryIO, track: Span) -> StartTimecode | None:
    """The timecode of a track; None for a track of another kind."""
    for start, end in boxes_at(file, track, (*_SAMPLES, b"stsd")):
        file.seek(start + 8)  # behind version, flags and count of entries
        entry = file.read(min(end - start - 8, 34))
        if len(entry) < 33 or entry[4:8] != b"tmcd":
            return None
        flags, scale, duration = (int.from_bytes(entry[at : at + 4], "big") for at in (20, 24, 28))
        rate = Fraction(scale, duration) if duration else Fraction(entry[32])
        base = entry[32] or round(rate)
        offset = next(_offsets(file, track), None)
        if not base or offset is None or flags & _COUNTER:
            return None
        file.seek(offset)
        sample = file.read(4)
        drop = bool(flags & _DROP) and base % 30 == 0 and rate.denominator != 1
        return (
            StartTimecode(int.from_bytes(sample, "big"), base, drop) if len(sample) == 4 else None
        )
    return None


def _offsets(file: BinaryIO, track: Span) -> Iterator[int]:
    """Where the first sample of a track lies in the file."""
    for kind, size in _OFFSETS.items():
        for start, _ in boxes_at(file, track, (*_SAMPLES, kind)):
            file.seek(start + 8)  # behind version, flags and count
            yield int.from_bytes(file.read(size), "big")
