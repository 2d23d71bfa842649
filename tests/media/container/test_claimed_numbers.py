"""Numbers claimed by a container: measured times are finite whatever they are."""

import math
import struct

import pytest

from media import MediaError, probe


@pytest.mark.parametrize("number", [0, 1, 2**31 - 1, 2**31, 2**32 - 1])
@pytest.mark.parametrize("box", ["mvhd", "mdhd", "stts"])
def test_no_claimed_clock_makes_times_infinite_or_not_a_number(make_video, numbered, box, number):
    path = make_video("film.mp4", numbered(40))
    content = bytearray(path.read_bytes())
    place = content.index(box.encode()) + 16  # units a second; of the table, the first length
    content[place : place + 4] = struct.pack(">I", number)
    path.write_bytes(content)
    try:
        film = probe(path)
    except MediaError:
        return  # said in a sentence
    assert math.isfinite(film.duration)
    assert film.duration >= 0
    assert math.isfinite(film.frame_rate)


@pytest.mark.parametrize("seconds", [math.inf, math.nan, -math.inf, 1e300, -5.0])
def test_no_duration_that_a_header_claims_is_believed(make_video, numbered, seconds):
    path = make_video("film.mkv", numbered(40))
    content = path.read_bytes()
    head, mark, rest = content.partition(b"\x44\x89\x88")  # EBML: Duration, 8 bytes
    assert mark
    path.write_bytes(head + mark + struct.pack(">d", seconds) + rest[8:])
    assert probe(path).duration == pytest.approx(40 / 25, abs=0.01)
