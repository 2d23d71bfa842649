"""Whole films: events at known times with empty stretches between, written as H.264 files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from media import write_video
from toyworld.picture import Pixels, draw_backdrop, draw_shape, expose
from toyworld.scene import draw_scene
from toyworld.world import Combination

FRAME_RATES = (Fraction(10), Fraction(25, 2), Fraction(15))


@dataclass(frozen=True, slots=True)
class Event:
    """Event in a film, from `start` to `end` (seconds, half-open)."""

    start: float
    end: float
    combination: Combination

    @property
    def caption(self) -> str:
        """Sentence that describes the event."""
        return self.combination.caption


@dataclass(frozen=True, slots=True)
class Film:
    """Film on disk with its ground truth.

    Attributes:
        path: the file.
        duration: seconds.
        events: in order of time; between them the scene is empty.
    """

    path: Path
    duration: float
    events: tuple[Event, ...]


def plan_events(
    combinations: Sequence[Combination], rng: np.random.Generator
) -> tuple[tuple[Event, ...], float]:
    """Lay events one after the other, with empty stretches before, between and after.

    Returns:
        The events and the duration of the film in seconds.
    """
    events = []
    now = float(rng.uniform(2, 8))
    for combination in combinations:
        end = now + float(rng.uniform(8, 11))
        events.append(Event(start=round(now, 2), end=round(end, 2), combination=combination))
        now = end + float(rng.uniform(5, 10))
    return tuple(events), float(round(now))


def render_frames(
    events: Sequence[Event],
    rng: np.random.Generator,
    *,
    duration: float,
    frame_rate: Fraction,
    width: int,
    height: int,
) -> Iterator[Pixels]:
    """Draw a film frame by frame: (height, width, 3) uint8 each, in front of one backdrop."""
    backdrop = draw_backdrop(rng, height=height, width=width)
    scenes = [draw_scene(e.combination, rng, duration=e.end - e.start) for e in events]
    for number in range(round(duration * frame_rate)):
        time = float(number / frame_rate)
        canvas = backdrop.picture.copy()
        for event, scene in zip(events, scenes, strict=True):
            if event.start <= time < event.end:
                x, y, radius = scene.course(np.array([time - event.start], dtype=np.float32))
                draw_shape(canvas, scene, x=float(x[0]), y=float(y[0]), radius=float(radius[0]))
        yield expose(canvas, rng, noise=backdrop.noise)


def make_film(
    path: Path,
    events: Sequence[Event],
    *,
    duration: float,
    seed: Sequence[int],
    width: int = 160,
    height: int = 120,
) -> Film:
    """Render and write one film; the same seed gives the same file.

    Raises:
        MediaError: the file cannot be written.
    """
    rng = np.random.default_rng(list(seed))
    frame_rate = FRAME_RATES[int(rng.integers(len(FRAME_RATES)))]
    frames = render_frames(
        events, rng, duration=duration, frame_rate=frame_rate, width=width, height=height
    )
    write_video(path, frames, frame_rate=frame_rate)
    return Film(path=path, duration=duration, events=tuple(events))
