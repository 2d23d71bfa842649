"""Timestamps of damaged, joined and odd videos, and how they are corrected."""

import random
from fractions import Fraction
from itertools import accumulate

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.packets.timeline import Timeline

MILLISECOND = Fraction(1, 1000)
HOUR = 3_600_000


def _packets(stamps, *, delay=0):
    for stamp in stamps:
        packet = av.Packet(10)
        if stamp is not None:
            packet.dts, packet.pts = stamp, stamp + delay
        yield packet


def _followed(stamps, *, delay=0, confirm=lambda _: None):
    """The corrected timestamps and the restarts; of a broadcast, unless `confirm` is None."""
    timeline = Timeline(MILLISECOND, usual=40.0, confirm=confirm)
    packets = list(timeline.follow(_packets(stamps, delay=delay)))
    shown = [packet.dts if packet.pts is None else packet.pts - delay for packet in packets]
    assert all(packet.dts == stamp for packet, stamp in zip(packets, shown, strict=True))
    return shown, timeline.restarts


def _steady(count, *, start=0, step=40):
    return list(range(start, start + count * step, step))


@given(
    start=st.integers(-5 * HOUR, 2**40),
    steps=st.lists(
        st.one_of(st.integers(0, 100), st.integers(0, 120_000), st.integers(0, 10 * HOUR)),
        min_size=4,
        max_size=60,
    ),
)
def test_ascending_timestamps_are_kept_however_uneven(start, steps):
    stamps = list(accumulate(steps, initial=start))
    if any(len(set(stamps[i : i + 9])) == 1 for i in range(len(stamps) - 8)):
        return  # a clock that stands still
    assert _followed(stamps, confirm=None) == (stamps, [])
    if stamps[1] - stamps[0] > HOUR or stamps[-1] - stamps[-3] > HOUR:
        return  # a leap at an end, which nothing confirms
    assert _followed(stamps) == (stamps, [])


@pytest.mark.parametrize("wild", [20 * HOUR, -20 * HOUR, 2**33 // 90, 2**62, -(2**62)])
@pytest.mark.parametrize("where", [0, 1, 2, 50, 98, 99])
def test_one_stray_timestamp_is_replaced(where, wild):
    stamps = _steady(100)
    stamps[where] += wild
    assert _followed(stamps) == (_steady(100), [])


def test_half_a_minute_is_stray_within_a_video_but_kept_at_its_end():
    stamps = _steady(100)
    stamps[50] += 30_000
    assert _followed(stamps) == (_steady(100), [])
    stamps = _steady(100)
    stamps[99] += 30_000
    assert _followed(stamps) == (stamps, [])


@pytest.mark.parametrize("alone", [1, 2, 3])
def test_a_leap_ahead_at_an_end_is_kept_in_broadcasts_only_if_their_clock_confirms_it(alone):
    late = [*_steady(alone), *_steady(50, start=2 * HOUR)]
    long_last = [*_steady(50), *_steady(alone, start=2 * HOUR)]
    for stamps in (late, long_last):
        assert _followed(stamps, confirm=None) == (stamps, [])
        assert _followed(stamps, confirm=lambda packet: packet.dts - 300) == (stamps, [])
        shown, _ = _followed(stamps, confirm=lambda _: 5 * HOUR)
        assert (shown == stamps) is (alone == 3 or (stamps is late and alone == 2))


def test_a_burst_of_stray_timestamps_is_replaced():
    draw = random.Random(5)
    stamps = _steady(1000)
    stamps[300:400] = [stamp + 20 * HOUR for stamp in stamps[300:400]]
    stamps[600:640] = [draw.randrange(2**33) for _ in range(40)]
    assert _followed(stamps) == (_steady(1000), [])


def test_a_leap_ahead_is_kept_if_the_video_goes_on_from_there():
    stamps = [*_steady(50), *_steady(50, start=7 * HOUR)]
    assert _followed(stamps) == (stamps, [])


@pytest.mark.parametrize("length", [25, 50, 10_000])
def test_time_goes_on_where_a_clock_restarts(length):
    parts = [*_steady(length, start=5 * HOUR), *_steady(length), *_steady(length, start=7)]
    expected = _steady(3 * length, start=5 * HOUR)
    restarts = [expected[length], expected[2 * length]]
    assert _followed(parts) == (expected, restarts)
    delayed, again = _followed(parts, delay=80)  # from decoding to showing, as with B-frames
    assert delayed == expected
    assert again == [stamp + 80 for stamp in restarts]


def test_a_restart_after_a_leap_is_followed():
    parts = [*_steady(50), *_steady(50, start=3 * HOUR), *_steady(50, start=HOUR)]
    shown, restarts = _followed(parts)
    assert shown[:100] == parts[:100]
    assert shown[100:] == _steady(50, start=3 * HOUR + 2000)
    assert restarts == [3 * HOUR + 2000]


def test_missing_stamps_are_filled_in():
    stamps: list[int | None] = [*_steady(100)]
    for index in (0, 3, 4, 50, 99):
        stamps[index] = None
    shown, restarts = _followed(stamps)
    assert shown[1:] == _steady(100)[1:]
    assert restarts == []
    assert _followed([None] * 50) == (_steady(50), [])


def test_a_few_frames_may_share_a_timestamp_but_not_many():
    stamps = sorted(_steady(40) * 3)
    assert _followed(stamps) == (stamps, [])
    stopped = [*_steady(20), *[760] * 200]
    shown, _ = _followed(stopped)
    assert shown[:20] == stopped[:20]
    assert shown[-1] == pytest.approx(760 + 192 * 40)


def test_a_stray_presentation_timestamp_is_replaced_by_its_decoding_timestamp_and_delay():
    packets = list(_packets(_steady(50), delay=80))
    packets[20].pts += 20 * HOUR
    packets[30].pts -= 20 * HOUR
    shown = [packet.pts for packet in Timeline(MILLISECOND, usual=40.0).follow(packets)]
    assert shown == _steady(50, start=80)


def test_no_more_than_some_megabytes_are_read_ahead():
    taken = []

    def large_packets():
        for stamp in range(0, 10_000_000, 20_000):  # a picture every 20 s
            packet = av.Packet(8_000_000)
            packet.dts = packet.pts = stamp
            taken.append(stamp)
            yield packet

    packets = Timeline(MILLISECOND, usual=40.0).follow(large_packets())
    next(packets), next(packets)
    assert len(taken) <= 12
