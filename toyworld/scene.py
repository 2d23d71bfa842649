"""One event as numbers: where the shape is and how large, at every instant.

Lengths are fractions of the scene's side; x grows to the right and y downwards. Time runs from 0
to the event's duration, in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toyworld.world import COLOURS, Combination

Floats = NDArray[np.float32]

PACE_SECONDS = 8.0
"""Speeds are drawn for this stretch of time: the length of a clip unless it is told otherwise."""

_DIRECTIONS = {
    "moving left": (-1.0, 0.0),
    "moving right": (1.0, 0.0),
    "moving up": (0.0, -1.0),
    "moving down": (0.0, 1.0),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """Course of a shape through one event.

    Attributes:
        combination: what it is and does.
        duration: length of the event in seconds.
        colour: RGB, 0 to 255, near the named colour.
        radius: of the shape at rest; for growing and shrinking the one at the middle.
        tilt: rotation in radians.
        x, y: the place at the middle of the event.
        drift: a slow straight movement across the motion's own, per second.
        pace: what the motion does in one second: a length, a logarithm of size, or an angle.
        orbit: radius of the path for circling.
        phase: where on the orbit the middle of the event lies, in radians.
    """

    combination: Combination
    duration: float
    colour: tuple[float, float, float]
    radius: float
    tilt: float
    x: float
    y: float
    drift: tuple[float, float]
    pace: float
    orbit: float
    phase: float

    def course(self, times: Floats) -> tuple[Floats, Floats, Floats]:
        """Place and radius of the shape at the given times.

        Args:
            times: (T,) seconds from the start of the event.

        Returns:
            x, y and radius, each (T,).
        """
        motion = self.combination.motion
        t = times - np.float32(self.duration / 2)
        x, y = self.x + self.drift[0] * t, self.y + self.drift[1] * t
        radius = np.full_like(t, self.radius)
        if motion in _DIRECTIONS:
            dx, dy = _DIRECTIONS[motion]
            x, y = x + dx * self.pace * t, y + dy * self.pace * t
        elif motion in ("growing", "shrinking"):
            sign = 1.0 if motion == "growing" else -1.0
            radius = radius * np.exp(sign * self.pace * t)
        else:
            # On a screen, whose y axis points down, a growing angle runs clockwise.
            sign = 1.0 if motion == "circling clockwise" else -1.0
            angle = self.phase + sign * self.pace * t
            x, y = x + self.orbit * np.cos(angle), y + self.orbit * np.sin(angle)
        return x.astype(np.float32), y.astype(np.float32), radius.astype(np.float32)


def draw_scene(combination: Combination, rng: np.random.Generator, *, duration: float) -> Scene:
    """Draw one of the many ways in which a combination can be seen, `duration` seconds long."""
    moving = combination.motion in _DIRECTIONS
    resizing = combination.motion in ("growing", "shrinking")
    if moving:
        pace = rng.uniform(0.35, 0.62)
    elif resizing:
        pace = rng.uniform(0.8, 1.3)
    else:
        pace = rng.uniform(0.9, 1.7) * np.pi
    # A straight or growing course must end inside the picture, however long the event is.
    seconds = max(duration, PACE_SECONDS) if moving or resizing else PACE_SECONDS
    across = rng.uniform(0.3, 0.7), rng.uniform(0.3, 0.7)
    along = rng.uniform(0.44, 0.56), rng.uniform(0.44, 0.56)
    horizontal = combination.motion in ("moving left", "moving right")
    x = along[0] if horizontal or not moving else across[0]
    y = across[1] if horizontal else along[1]
    colour = tuple(
        float(np.clip(channel + rng.uniform(-14, 14), 0, 255))
        for channel in COLOURS[combination.colour]
    )
    return Scene(
        combination=combination,
        duration=duration,
        colour=(colour[0], colour[1], colour[2]),
        radius=float(rng.uniform(0.15, 0.18) if resizing else rng.uniform(0.14, 0.21)),
        tilt=float(rng.uniform(-0.15, 0.15)),
        x=float(x),
        y=float(y),
        drift=(float(rng.uniform(-0.008, 0.008)), float(rng.uniform(-0.008, 0.008))),
        pace=float(pace / seconds),
        orbit=float(rng.uniform(0.16, 0.26)),
        phase=float(rng.uniform(0, 2 * np.pi)),
    )
