"""What editing programs have to know of a film, from files as cameras and programs write them."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from media.container.source import read_packets
from media.editing import facts as facts_module
from media.editing.facts import SoundTrack, read_facts
from media.editing.timecodes import StartTimecode
from tests.media.editing.numbered_films import with_edit_list, with_timecode_flags, write_film

FILM, NTSC = Fraction(24000, 1001), Fraction(30000, 1001)
UNEVEN = [sum(30 + n * 7 % 23 for n in range(number)) for number in range(60)]  # milliseconds


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "mov"])
@pytest.mark.parametrize(
    "rate",
    [
        FILM,
        Fraction(24),
        Fraction(25),
        NTSC,
        Fraction(30),
        2 * NTSC,
        Fraction(10),
        Fraction(179, 6),
    ],
)
def test_the_rate_is_exact_and_every_picture_is_counted(
    suffix: str, rate: Fraction, tmp_path: Path
) -> None:
    told = read_facts(write_film(tmp_path / f"film.{suffix}", rate=rate, count=75))
    assert (told.rate.exact, told.rate.constant) == (rate, True)
    assert told.frames == 75
    assert told.timecode is None


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_rate_that_varies_is_told(suffix: str, tmp_path: Path) -> None:
    film = write_film(tmp_path / f"film.{suffix}", stamps=UNEVEN, unit=Fraction(1, 1000))
    told = read_facts(film)
    assert not told.rate.constant
    assert told.rate.exact == pytest.approx(59_000 / UNEVEN[-1], rel=0.02)
    assert told.end == pytest.approx(UNEVEN[-1] / 1000, abs=0.1)


def test_pictures_that_tremble_by_less_than_a_quarter_of_a_frame_are_at_a_constant_rate(
    tmp_path: Path,
) -> None:
    stamps = [20 * number + (-1) ** number for number in range(1, 61)]  # as phones write them
    told = read_facts(write_film(tmp_path / "film.mp4", stamps=stamps, unit=Fraction(1, 600)))
    assert (told.rate.exact, told.rate.constant) == (30, True)


def test_pictures_that_an_edit_list_hides_are_not_counted(tmp_path: Path) -> None:
    whole = write_film(tmp_path / "whole.mp4", rate=FILM, count=60)
    told = read_facts(with_edit_list(whole, tmp_path / "cut.mp4", hidden=7))
    assert (told.rate.exact, told.rate.constant, told.frames, told.first) == (FILM, True, 53, 0)


def test_sound_that_begins_earlier_is_told_by_the_time_of_the_first_picture(
    tmp_path: Path,
) -> None:
    film = write_film(tmp_path / "film.mkv", rate=Fraction(25), late=Fraction(1, 2))
    told = read_facts(film)
    assert told.first == pytest.approx(0.5, abs=0.03)
    assert told.sound == (SoundTrack(2, 48_000),)
    assert told.frames == 60


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_sizes_are_those_that_are_stored_and_the_turn_is_told(turned: int, tmp_path: Path) -> None:
    told = read_facts(write_film(tmp_path / "film.mp4", count=10, turned=turned))
    assert (told.width, told.height, told.pixel_aspect, told.rotation) == (64, 48, 1, turned)


@pytest.mark.parametrize(
    ("rate", "written", "meant"),
    [
        (NTSC, "01:00:00;00", StartTimecode(107_892, 30, drop=True)),
        (NTSC, "01:00:00:00", StartTimecode(108_000, 30, drop=False)),
        (2 * NTSC, "00:10:00;00", StartTimecode(35_964, 60, drop=True)),
        (Fraction(25), "23:59:59:24", StartTimecode(2_159_999, 25, drop=False)),
        (FILM, "10:00:00:23", StartTimecode(864_023, 24, drop=False)),
        (Fraction(50), "00:00:01:49", StartTimecode(99, 50, drop=False)),
    ],
)
@pytest.mark.parametrize("suffix", ["mov", "mkv"])
def test_the_start_timecode_is_a_number_of_frames(
    suffix: str, rate: Fraction, written: str, meant: StartTimecode, tmp_path: Path
) -> None:
    film = write_film(tmp_path / f"film.{suffix}", rate=rate, count=30, timecode=written)
    assert read_facts(film).timecode == meant


def test_drop_frames_at_a_rate_that_has_none_are_none(tmp_path: Path) -> None:
    """As one camera program flags 24 frames per second; others hide the whole timecode then."""
    film = write_film(tmp_path / "a.mov", rate=Fraction(24), count=30, timecode="10:00:00:12")
    with_timecode_flags(film, 0x1)
    assert read_facts(film).timecode == StartTimecode(864_012, 24, drop=False)


def test_of_a_film_with_an_index_hardly_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = write_film(tmp_path / "film.mp4", count=1500)
    read = 0

    def counted(demux: Callable[..., Any]) -> Callable[..., Any]:
        def packets(*arguments: Any, **options: Any) -> Any:
            nonlocal read
            for packet in demux(*arguments, **options):
                read += 1
                yield packet

        return packets

    monkeypatch.setattr("media.packets.timeline.read_packets", counted(read_packets))
    monkeypatch.setattr(facts_module, "_timestamps", counted(facts_module._timestamps))
    assert read_facts(film).frames == 1500
    assert 0 < read < 100
