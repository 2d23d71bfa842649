"""Pixels: a background, a shape with soft edges, and a sensor's noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toyworld.scene import PACE_SECONDS, Floats, Scene, draw_scene
from toyworld.world import SHAPES, Combination

Pixels = NDArray[np.uint8]

_ANGLES = 512
_HOLE = 0.55  # the inner radius of a ring, as a fraction of the outer one


def _polygon_outline(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance from the centre to a polygon's edge in each direction: (_ANGLES,)."""
    angles = np.linspace(-np.pi, np.pi, _ANGLES, endpoint=False)
    ray = np.stack([np.cos(angles), np.sin(angles)], axis=1)  # (A, 2)
    start, edge = corners, np.roll(corners, -1, axis=0) - corners  # (E, 2)
    cross = ray[:, None, 0] * edge[None, :, 1] - ray[:, None, 1] * edge[None, :, 0]  # (A, E)
    safe = np.where(np.abs(cross) < 1e-9, 1e-9, cross)
    along_ray = (start[:, 0] * edge[:, 1] - start[:, 1] * edge[:, 0])[None] / safe
    along_edge = (start[None, :, 0] * ray[:, None, 1] - start[None, :, 1] * ray[:, None, 0]) / safe
    hits = (along_ray > 0) & (along_edge >= -1e-9) & (along_edge <= 1 + 1e-9)
    distances: NDArray[np.float64] = np.where(hits, along_ray, 0.0).max(axis=1)
    return distances


def _regular(points: int, *, inner: float | None = None) -> NDArray[np.float64]:
    """Corners of a regular polygon, or of a star where an inner radius is given, tip upwards."""
    count = points if inner is None else 2 * points
    angles = np.arange(count) * 2 * np.pi / count - np.pi / 2
    radii = np.ones(count)
    if inner is not None:
        radii[1::2] = inner
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)


def _heart() -> NDArray[np.float64]:
    t = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    return np.stack([x, y], axis=1) / 15.5


def _cross() -> NDArray[np.float64]:
    a, b = 0.34, 1.0
    quarter = np.array([(a, -b), (a, -a), (b, -a)])
    turn = np.array([(0.0, 1.0), (-1.0, 0.0)])
    corners = [quarter]
    for _ in range(3):
        corners.append(corners[-1] @ turn)
    return np.concatenate(corners)


def _outlines() -> dict[str, Floats]:
    side = 0.86
    square = np.array([(-side, -side), (side, -side), (side, side), (-side, side)])
    polygons = {
        "square": square,
        "triangle": _regular(3) * 1.15,
        "star": _regular(5, inner=0.45) * 1.15,
        "cross": _cross(),
        "heart": _heart(),
    }
    round_ = np.ones(_ANGLES)
    outlines = {
        shape: _polygon_outline(polygons[shape]) if shape in polygons else round_
        for shape in SHAPES
    }
    return {shape: outline.astype(np.float32) for shape, outline in outlines.items()}


OUTLINES = _outlines()
"""For each shape of radius 1: the distance to its edge in each of 512 directions from −π to π."""


def _coverage(scene: Scene, *, x: float, y: float, radius: float, size: int) -> Floats:
    """Share of each pixel that the shape covers: (rows, columns) of 0 to 1, `size` = one side."""
    side = int(np.ceil(radius * 1.3 * size)) * 2 + 3
    left, top = int(x * size) - side // 2, int(y * size) - side // 2
    columns = (np.arange(left, left + side, dtype=np.float32) + 0.5) / size - np.float32(x)
    rows = (np.arange(top, top + side, dtype=np.float32) + 0.5) / size - np.float32(y)
    distance = np.hypot(columns[None, :], rows[:, None])
    angle = np.arctan2(rows[:, None], columns[None, :]) - np.float32(scene.tilt)
    index = (angle * (_ANGLES / (2 * np.pi)) + _ANGLES / 2).astype(np.intp) % _ANGLES
    edge = OUTLINES[scene.combination.shape][index] * np.float32(radius)
    soft: Floats = np.clip((edge - distance) * size + 0.5, 0, 1)
    if scene.combination.shape == "ring":
        soft = soft * np.clip((distance - radius * _HOLE) * size + 0.5, 0, 1)
    return soft


@dataclass(frozen=True, slots=True)
class Backdrop:
    """Background of a scene, and the noise of the camera.

    Attributes:
        picture: (H, W, 3) float32, 0 to 255; the scene plays in its central square.
        noise: standard deviation of the sensor noise, in grey levels.
    """

    picture: Floats
    noise: float


def draw_backdrop(rng: np.random.Generator, *, height: int, width: int) -> Backdrop:
    """Draw a muted wall: a tone, a slope of light, a few soft blots and a fixed grain."""
    rows = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    light = rng.uniform(75, 180) + rng.uniform(-25, 25) * rows + rng.uniform(-25, 25) * columns
    for _ in range(rng.integers(0, 4)):
        y, x, reach = rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(0.2, 0.8)
        blot = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * reach**2))
        light = light + rng.uniform(-25, 25) * blot
    grain = rng.normal(0, rng.uniform(0, 4), size=(height, width)).astype(np.float32)
    tint = rng.uniform(-18, 18, size=3).astype(np.float32)
    picture = np.clip((light + grain)[:, :, None] + tint, 35, 215).astype(np.float32)
    return Backdrop(picture=picture, noise=float(rng.uniform(1, 6)))


def draw_shape(canvas: Floats, scene: Scene, *, x: float, y: float, radius: float) -> None:
    """Draw a shape onto (H, W, 3) pixels, in place; it may stand partly or wholly outside."""
    height, width = canvas.shape[:2]
    size = min(height, width)
    cover = _coverage(scene, x=x, y=y, radius=radius, size=size)
    side = len(cover)
    top = int(y * size) - side // 2 + (height - size) // 2
    left = int(x * size) - side // 2 + (width - size) // 2
    inside_rows = slice(max(top, 0), max(min(top + side, height), 0))
    inside_columns = slice(max(left, 0), max(min(left + side, width), 0))
    target = canvas[inside_rows, inside_columns]
    if target.size == 0:
        return
    part = cover[
        inside_rows.start - top : inside_rows.stop - top,
        inside_columns.start - left : inside_columns.stop - left,
    ][:, :, None]
    target += part * (np.array(scene.colour, dtype=np.float32) - target)


def expose(canvas: Floats, rng: np.random.Generator, *, noise: float) -> Pixels:
    """Convert (…, 3) float32 to uint8, with the noise of a sensor."""
    grain = rng.standard_normal(canvas.shape, dtype=np.float32) * np.float32(noise)
    return np.clip(canvas + grain + 0.5, 0, 255).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Still:
    """Frame, and the place of its shape.

    Attributes:
        pixels: (S, S, 3) uint8.
        x, y, radius: of the shape, as fractions of the side.
    """

    pixels: Pixels
    x: float
    y: float
    radius: float


def render_still(combination: Combination, rng: np.random.Generator, *, size: int) -> Still:
    """Draw one frame from any instant of a fresh event, `size` pixels square."""
    scene = draw_scene(combination, rng, duration=PACE_SECONDS)
    instant = np.array([rng.uniform(0.5, PACE_SECONDS - 0.5)], dtype=np.float32)
    x, y, radius = (float(value[0]) for value in scene.course(instant))
    backdrop = draw_backdrop(rng, height=size, width=size)
    canvas = backdrop.picture
    draw_shape(canvas, scene, x=x, y=y, radius=radius)
    return Still(pixels=expose(canvas, rng, noise=backdrop.noise), x=x, y=y, radius=radius)


def render_clip(
    combination: Combination,
    rng: np.random.Generator,
    *,
    frames: int,
    size: int,
    duration: float = PACE_SECONDS,
    lead: float = 0.0,
) -> Pixels:
    """Draw one fresh clip of `PACE_SECONDS` as a model gets it.

    Args:
        combination: what happens.
        rng: decides everything else.
        frames: how many, at the middles of equal segments of the clip.
        size: pixels of a side.
        duration: seconds that the event takes.
        lead: seconds from the start of the clip to the start of the event; the shape is there
            only while its event lasts.

    Returns:
        (frames, size, size, 3) uint8.
    """
    scene = draw_scene(combination, rng, duration=duration)
    backdrop = draw_backdrop(rng, height=size, width=size)
    step = PACE_SECONDS / frames
    times = (np.arange(frames, dtype=np.float32) + 0.5) * np.float32(step) - np.float32(lead)
    clip = np.repeat(backdrop.picture[None], frames, axis=0)
    for canvas, t, x, y, radius in zip(clip, times, *scene.course(times), strict=True):
        if 0 <= t < duration:
            draw_shape(canvas, scene, x=float(x), y=float(y), radius=float(radius))
    return expose(clip, rng, noise=backdrop.noise)
