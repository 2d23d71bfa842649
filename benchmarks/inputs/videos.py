"""Videos for measurements: real ones if available, otherwise a moving pattern."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.inputs.models import CACHE
from media import write_video

_SUFFIXES = frozenset({".mp4", ".mkv", ".webm", ".avi"})


def real_videos(folder: Path = CACHE) -> tuple[Path, ...]:
    """List the videos in the folder VSEARCH_TEST_VIDEOS, by name; without it make two in `folder`.

    The made videos (H.264, 720p and 1080p, 20 s) show a moving pattern with noise: more work for a
    decoder than a quiet scene, less than a sports field.
    """
    named = os.environ.get("VSEARCH_TEST_VIDEOS")
    if named:
        return tuple(path for path in sorted(Path(named).iterdir()) if path.suffix in _SUFFIXES)
    return (
        _made(folder / "pattern 720p.mp4", height=720, width=1280),
        _made(folder / "pattern 1080p.mp4", height=1080, width=1920),
    )


def _made(path: Path, *, height: int, width: int) -> Path:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_video(path, _moving(height=height, width=width), frame_rate=30, crf=23)
    return path


def _moving(*, height: int, width: int, frames: int = 600) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    noise = rng.normal(0, 3, (height, width, 3)).astype(np.float32)
    for number in range(frames):
        waves = [np.sin((x * (c + 1) + y * (3 - c)) / 60 + number / (5 + c)) for c in range(3)]
        frame = 128 + 80 * np.stack(waves, axis=-1) + np.roll(noise, number * 7, axis=1)
        yield np.clip(frame, 0, 255).astype(np.uint8)
