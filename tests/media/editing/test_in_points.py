"""Frame by frame: the picture at each in point is the one that was on display at the start."""

import random
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from tests.media.editing.numbered_films import numbers_in, times_in, with_edit_list, write_film
from vsearch.services.moments.found import FoundMoment
from vsearch.services.moments.timeline import Made, Padding, make_timeline
from vsearch.settings import Settings

FILM, NTSC, PAL = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(25)
COUNT = 60
UNEVEN = [sum(30 + n * 7 % 23 for n in range(number)) for number in range(COUNT)]
THIRDS = [number * 1000 // 30 for number in range(COUNT)]


def late(suffix: str, rate: Fraction) -> Callable[[Path], Path]:
    """Sound first, then pictures."""
    return lambda folder: write_film(folder / f"late.{suffix}", rate=rate, late=Fraction(7, 10))


def edited(folder: Path) -> Path:
    whole = write_film(folder / "whole.mp4", rate=FILM, count=COUNT + 7)
    return with_edit_list(whole, folder / "edited.mp4", hidden=7)


FILMS: dict[str, Callable[[Path], Path]] = {
    "mp4 23.976": lambda folder: write_film(folder / "a.mp4", rate=FILM),
    "mp4 59.94": lambda folder: write_film(folder / "a.mp4", rate=2 * NTSC),
    "mp4 late": late("mp4", NTSC),
    "mp4 edit list": edited,
    "mp4 fragments": lambda folder: write_film(
        folder / "a.mp4",
        rate=PAL,
        container_options={"movflags": "frag_keyframe+empty_moov+default_base_moof"},
    ),
    "mkv 23.976": lambda folder: write_film(folder / "a.mkv", rate=FILM),
    "mkv 50 late": late("mkv", Fraction(50)),
    "mkv uneven in milliseconds": lambda folder: write_film(
        folder / "a.mkv", rate=Fraction(30), stamps=THIRDS, unit=Fraction(1, 1000)
    ),
    "ts 29.97": lambda folder: write_film(folder / "a.ts", rate=NTSC),
    "ts late": late("ts", PAL),
    "avi 25": lambda folder: write_film(
        folder / "a.avi", rate=PAL, options={"bf": "0", "threads": "1"}
    ),
}


def moments_in(film: Path) -> list[FoundMoment]:
    """Moments that start at each picture: as it comes, and somewhere while it is shown."""
    dice = random.Random(1)
    # FFmpeg tells the decoding times of AVI, one picture late.
    times = [n / PAL for n in range(COUNT)] if film.suffix == ".avi" else times_in(film)
    steps = [later - time for time, later in pairwise(times)]
    starts = [time + step * Fraction(part) for time, step in zip(times, steps, strict=False)
              for part in (0, dice.uniform(0.1, 0.8))]  # fmt: skip
    # As an answer tells them: rounded down to a millisecond.
    return [FoundMoment(film, int(s * 1000) / 1000, float(s) + 0.5, "a dog") for s in starts]


def made_of(film: Path, folder: Path) -> Made:
    settings = Settings(folder, folder / "no catalog")
    nothing = Padding()
    return make_timeline(
        moments_in(film), name="a", settings=settings, padding=nothing, on_progress=lambda *_: None
    )


@pytest.mark.parametrize("name", FILMS)
def test_the_picture_at_each_in_point_is_that_of_the_moment(name: str, tmp_path: Path) -> None:
    film = FILMS[name](tmp_path)
    made = made_of(film, tmp_path)
    assert made.remarks == ()
    numbers = numbers_in(film)
    assert len(numbers) == COUNT == made.timeline.items[0].source.frames
    for number, item in enumerate(made.timeline.items):
        assert numbers[item.first] == numbers[number // 2]
        assert item.out <= COUNT
    assert len(made.timeline.items) == 2 * (COUNT - 1)


def test_at_a_rate_that_varies_it_is_the_picture_at_that_second(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", stamps=UNEVEN, unit=Fraction(1, 1000))
    made = made_of(film, tmp_path)
    assert "its frame rate varies" in made.remarks[0]
    times = times_in(film)
    rate = made.timeline.rate.exact
    for number, item in enumerate(made.timeline.items):
        shown = max(k for k, time in enumerate(times) if time <= item.first / rate)
        # A picture that is shorter than a frame of the list may have none of its own.
        step = times[number // 2 + 1] - times[number // 2]
        assert shown == number // 2 or (step < 1 / rate and shown == number // 2 - 1)
