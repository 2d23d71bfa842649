"""Edit lists of an MP4 or QuickTime file, set to the exact time for which each track is played.

FFmpeg's muxer plays a track to the end of its packets: too long where these hold pictures or sound
behind the out point. The numbers are changed in place (ISO/IEC 14496-12: 8.2.2, 8.3.2, 8.6.6).
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from pathlib import Path

_LEAST_TRACK_UNITS = 10_000  # per second: FFmpeg doubles those of pictures until they are as many
_MOST_MOVIE_UNITS = 15_000_000  # per second: times of a minute still fit into 32 bits
_NOTHING = -1  # the media time of an edit that shows nothing


@dataclass(frozen=True, slots=True)
class Played:
    """The interval of a cut in which a track is played, in seconds from the beginning."""

    begin: Fraction
    end: Fraction


@dataclass(frozen=True, slots=True)
class _Box:
    """A box: its kind, and the bytes of its content."""

    kind: bytes
    begin: int
    end: int


def movie_units(pictures: Fraction, sound_rates: Sequence[int]) -> int:
    """Units per second of the movie's clock in which pictures and samples are whole numbers.

    `pictures` is their time base in seconds. Where that takes too many, samples are not whole.
    """
    units = pictures.denominator
    while units < _LEAST_TRACK_UNITS:
        units *= 2
    common = lcm(units, *sound_rates)
    return common if common <= _MOST_MOVIE_UNITS else units


def set_edit_lists(path: Path, played: Sequence[Played]) -> None:
    """Play the first tracks of the file as `played`, and further ones as the first.

    Raises OSError, and `ValueError` for a file that is not as FFmpeg writes it.
    """
    with path.open("r+b") as file:
        at, size = _movie_box(path)
        file.seek(at)
        movie = bytearray(file.read(size))
        _change(movie, played)
        file.seek(at)
        file.write(movie)


def _movie_box(path: Path) -> tuple[int, int]:
    """Where the content of the movie's box begins, and its bytes."""
    at, end = 0, path.stat().st_size
    with path.open("rb") as file:
        while at + 16 <= end:
            file.seek(at)
            size, kind, large = struct.unpack(">I4sQ", file.read(16))
            head, size = (16, large) if size == 1 else (8, size)
            if kind == b"moov":
                return at + head, size - head
            at += max(size, head)
    raise ValueError(f"{path} has no movie box")


def _change(movie: bytearray, played: Sequence[Played]) -> None:
    """Change the content of a movie's box."""
    boxes = [*_boxes(movie, 0, len(movie))]
    header = next(box.begin for box in boxes if box.kind == b"mvhd")
    wide = movie[header]  # the version: 1 has times of 64 bits
    (units,) = struct.unpack_from(">I", movie, header + (20 if wide else 12))
    longest = 0
    for number, track in enumerate(box for box in boxes if box.kind == b"trak"):
        its = played[number] if number < len(played) else played[0]
        begin, end = round(its.begin * units), round(its.end * units)
        for box in _boxes(movie, track.begin, track.end):
            if box.kind == b"tkhd":
                _put(movie, box.begin + (28 if movie[box.begin] else 20), end, movie[box.begin])
            elif box.kind == b"edts":
                (edits,) = _boxes(movie, box.begin, box.end)
                _set_edits(movie, edits.begin, empty=begin, shown=end - begin)
        longest = max(longest, end)
    _put(movie, header + (24 if wide else 16), longest, wide)


def _boxes(data: bytearray, start: int, end: int) -> Iterator[_Box]:
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        yield _Box(kind, start + 8, start + size)
        start += max(size, 8)


def _set_edits(data: bytearray, at: int, *, empty: int, shown: int) -> None:
    """Set the lengths in an edit list: at most one edit that shows nothing, then one that does."""
    wide = data[at]
    (count,) = struct.unpack_from(">I", data, at + 4)
    for number in range(count):
        entry = at + 8 + number * (20 if wide else 12)
        (media_time,) = struct.unpack_from(">q" if wide else ">i", data, entry + (8 if wide else 4))
        _put(data, entry, empty if media_time == _NOTHING else shown, wide)


def _put(data: bytearray, at: int, number: int, wide: int) -> None:
    struct.pack_into(">Q" if wide else ">I", data, at, number)
