"""Libraries of long toy videos: events with near misses, empty stretches, copies, re-encodes.

Everything follows from a seed. A library of 10 videos has some 90 events of 3 to 25 s in 30 minutes
of video. Of a quarter of the events a second shape moves beside the first; to half of the
combinations belongs a near miss elsewhere in the library: the opposite motion, another colour or
another shape. Shapes are smaller, noise is stronger and compression is harder than in the films
that the demo model was trained on.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from machine import usable_cores
from media import decode_at, probe, write_video
from toyworld.picture import Pixels, draw_backdrop, draw_shape, expose
from toyworld.scene import draw_scene
from toyworld.world import COLOURS, COMBINATIONS, MOTIONS, OPPOSITE, SHAPES, Combination

EDITION = 1  # increase it when the same seed gives other videos
WIDTH, HEIGHT = 160, 120
FRAME_RATES = (Fraction(10), Fraction(25, 2))
_COMBINATIONS_PER_VIDEO = 5.2
_SHORTEST, _SPAN = 3.0, np.log(25 / 3)  # lengths of events, most of them short
_REPEATED = 0.14  # of the combinations are shown again in one or two other stretches
_BESIDE = 0.23  # the side of a picture, by which two shapes stand away from its middle


@dataclass(frozen=True, slots=True)
class Event:
    """What is seen from `start` to `end` (seconds, half-open), smaller by `scale`.

    `aside` is the way from the middle to the right, as a fraction of the picture's height; `second`
    marks the shape beside another one.
    """

    start: float
    end: float
    combination: Combination
    scale: float
    aside: float
    second: bool = False


@dataclass(frozen=True, slots=True)
class LongVideo:
    """A video and what is seen in it; `of` is the name of the video that it re-encodes."""

    name: str
    duration: float
    events: tuple[Event, ...]
    noise: float  # times that of a short toy film
    crf: int
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Library:
    """A planned library; `copies` are names of byte-for-byte copies, by the name of the video."""

    seed: int
    videos: tuple[LongVideo, ...]
    copies: dict[str, str]


def plan_library(seed: int, *, videos: int = 10) -> Library:
    """The plan of a library."""
    rng = np.random.default_rng([EDITION, seed])
    cast = _cast(rng, count=round(_COMBINATIONS_PER_VIDEO * videos))
    parts = np.array_split(rng.permutation(len(cast)), videos)
    planned = [
        _plan_video(f"video-{n + 1:02}.mp4", [cast[i] for i in part], rng)
        for n, part in enumerate(parts)
    ]
    again, copied = planned[0], planned[-1]
    re_encoded = replace(again, name="re-encoded.mp4", crf=min(45, again.crf + 8), of=again.name)
    return Library(seed, (*planned, re_encoded), {copied.name: "copy.mp4"})


def _cast(rng: np.random.Generator, *, count: int) -> list[Combination]:
    """The combinations that are shown, one for each event: near misses and repetitions included."""
    first = [COMBINATIONS[i] for i in rng.permutation(len(COMBINATIONS))[:count]]
    missed = [_near_miss(one, rng, kind=int(rng.integers(3))) for one in first[: count // 2]]
    cast = first + missed
    for combination in first[count - max(1, round(_REPEATED * count)) :]:
        cast += [combination] * int(rng.integers(1, 3))
    return cast


def _near_miss(combination: Combination, rng: np.random.Generator, *, kind: int) -> Combination:
    if kind == 0:
        return replace(combination, motion=OPPOSITE[combination.motion])
    if kind == 1:
        return replace(combination, colour=_other(tuple(COLOURS), combination.colour, rng))
    return replace(combination, shape=_other(SHAPES, combination.shape, rng))


def _other(words: Sequence[str], word: str, rng: np.random.Generator) -> str:
    others = [one for one in words if one != word]
    return others[int(rng.integers(len(others)))]


def _plan_video(name: str, cast: Sequence[Combination], rng: np.random.Generator) -> LongVideo:
    now = float(rng.uniform(1, 8))
    events: list[Event] = []
    for combination in cast:
        start, end = round(now, 2), round(now + _SHORTEST * float(np.exp(rng.uniform(0, _SPAN))), 2)
        aside = _BESIDE if rng.random() < 0.25 else 0.0
        side = float(rng.choice([-1, 1])) * aside
        events.append(Event(start, end, combination, float(rng.uniform(0.7, 1)), side))
        if aside:
            beside = Combination(
                _other(tuple(COLOURS), combination.colour, rng),
                _other(SHAPES, combination.shape, rng),
                MOTIONS[int(rng.integers(len(MOTIONS)))],
            )
            events.append(Event(start, end, beside, float(rng.uniform(0.7, 1)), -side, second=True))
        empty = rng.uniform(20, 50) if rng.random() < 0.12 else rng.uniform(2, 13)
        now = end + float(empty)
    noise, crf = float(rng.uniform(1, 2.5)), int(rng.integers(23, 43))
    return LongVideo(name, float(round(now)), tuple(events), noise, crf)


def make_library(folder: Path, library: Library) -> None:
    """Write the videos of a library that are not there yet, one in each usable core at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    first = [video for video in library.videos if video.of is None]
    seeds = [(EDITION, library.seed, 1, n) for n in range(len(first))]
    with ProcessPoolExecutor(usable_cores(), mp_context=get_context("spawn")) as pool:
        list(pool.map(partial(_make_video, folder), first, seeds))
    for video in library.videos:
        path = folder / video.name
        if video.of is not None and not path.exists():
            _re_encode(folder / video.of, path, crf=video.crf)
    for name, copy in library.copies.items():
        if not (folder / copy).exists():
            shutil.copy2(folder / name, folder / copy)


def _make_video(folder: Path, video: LongVideo, seed: tuple[int, ...]) -> None:
    path = folder / video.name
    if path.exists():
        return
    rng = np.random.default_rng(list(seed))
    rate = FRAME_RATES[int(rng.integers(len(FRAME_RATES)))]
    write_video(path, _frames(video, rng, rate=rate), frame_rate=rate, crf=video.crf)


def _frames(video: LongVideo, rng: np.random.Generator, *, rate: Fraction) -> Iterator[Pixels]:
    backdrop = draw_backdrop(rng, height=HEIGHT, width=WIDTH)
    drawn = []
    for event in video.events:
        scene = draw_scene(event.combination, rng, duration=event.end - event.start)
        drawn.append((event, replace(scene, radius=scene.radius * event.scale)))
    for number in range(round(video.duration * rate)):
        time = float(number / rate)
        canvas = backdrop.picture.copy()
        for event, scene in drawn:
            if event.start <= time < event.end:
                x, y, radius = scene.course(np.array([time - event.start], dtype=np.float32))
                place = {"x": float(x[0]) + event.aside, "y": float(y[0])}
                draw_shape(canvas, scene, radius=float(radius[0]), **place)
        yield expose(canvas, rng, noise=backdrop.noise * video.noise)


def _re_encode(source: Path, path: Path, *, crf: int) -> None:
    video = probe(source)
    rate = Fraction(video.frame_rate).limit_denominator(1000)
    times = [float((number + Fraction(1, 2)) / rate) for number in range(int(video.end * rate))]
    frames = (frame.pixels for frame in decode_at(video, times))
    write_video(path, frames, frame_rate=rate, crf=crf)


def stretches(library: Library) -> dict[Combination, list[tuple[LongVideo, Event]]]:
    """Where each combination is seen, re-encoded videos apart."""
    found: dict[Combination, list[tuple[LongVideo, Event]]] = {}
    for video in library.videos:
        for event in video.events if video.of is None else ():
            found.setdefault(event.combination, []).append((video, event))
    return found
