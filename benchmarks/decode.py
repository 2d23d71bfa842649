"""Cost of decoding the sampled frames, compared with sequential decoding and libavcodec alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from benchmarks.demo_model import Scores, judge, render_benchmark, score_matrix
from benchmarks.inputs.models import CACHE
from benchmarks.inputs.videos import real_videos
from benchmarks.measure.section import Row, Section
from benchmarks.measure.timing import Figure, Timing, figure_of, ratio, side_by_side
from indexer import Sampling, plan_clips
from indexer.decode.plan import FrameSchedule
from media import VideoInfo, decode_at, probe, write_video
from media.container.source import ONE_THREAD
from media.frames.sequential import decode_sequential
from toyworld.world import COLOURS, COMBINATIONS

_WINDOW, _STRIDE, _FRAMES = 8.0, 4.0, 8
_SHORT_EDGE = 224  # pixels, the input size of base-patch32
_SECONDS, _RATE = 12, 30
_NOISE = 3.0  # grey levels of a camera's sensor: without noise, all bits would be in the key frames
_ROUNDS = 3
_SIZES = {"720p": (720, 1280), "1080p": (1080, 1920)}
_KEYFRAMES = (4.0, 1.0)  # seconds between key frames
_EXACT_BAR, _AUTO_BAR, _KEYFRAMES_BAR = 1.4, 3.0, 10.0
_TOY_COLOURS = 1  # of the toy world; each adds 56 videos


def measure() -> Section:
    """Time all sampling modes on four videos, and compare their relevance with the demo model."""
    rows: list[Row] = []
    for size in _SIZES:
        for distance in _KEYFRAMES:
            rows += _rows(f"{size}, a key frame every {distance:g} s", _video(size, distance))
    return Section(
        title="Decoding",
        setting=f"H.264 with B-frames, {_RATE} frames/s, {_SECONDS} s of real video if available, "
        f"with sensor noise; windows of {_WINDOW:g} s every {_STRIDE:g} s, {_FRAMES} "
        f"frames each, converted to RGB with a short edge of {_SHORT_EDGE}; CPU seconds, one "
        f"thread, {_ROUNDS} rounds. Ratios are to sequential decoding with conversion of the "
        "sampled frames only. "
        "Reading all packets for the plan is part of probing a video, and not counted.",
        rows=(*rows, *_relevance_rows()),
        notes=(
            "With one sample time and one key frame per second, every key frame is the nearest one "
            "of a sample time: `keyframes` has to decode them all.",
        ),
    )


def _rows(name: str, path: Path) -> list[Row]:
    video = probe(path)
    schedule = _schedule(video)
    ways: dict[str, Callable[[], object]] = {
        "all": partial(_decode_all, video),
        "sequence": partial(_take, replace(video, packets=None), schedule, Sampling.EXACT),
        **{way: partial(_take, video, schedule, way) for way in Sampling},
    }
    timed = side_by_side(ways, rounds=_ROUNDS, warm_ups=0, clock=time.process_time)
    second_a_key = "every 1 s" in name
    bars = {
        Sampling.EXACT: _EXACT_BAR,
        Sampling.AUTO: _AUTO_BAR if second_a_key else None,
        Sampling.KEYFRAMES: None if second_a_key else _KEYFRAMES_BAR,
    }
    rows = [
        Row(f"{name}: in sequence", _realtime(timed["sequence"]), note="s of video per CPU s"),
        Row(
            f"{name}: libavcodec alone",
            _realtime(timed["all"]),
            note="all frames decoded, none used",
        ),
    ]
    for way, bar in bars.items():
        gain = ratio(timed["sequence"], timed[way])
        rows.append(_row(f"{name}: {way}", gain, bar=bar, note=_nearness(video, schedule, way)))
    return rows


def _row(what: str, gain: Figure, *, bar: float | None, note: str) -> Row:
    if bar is None:
        return Row(what, gain, note=note)
    return Row(what, gain, bar=f"≥ {bar:g} ×", met=gain.median >= bar, note=note)


def _realtime(timing: Timing) -> Figure:
    return figure_of([_SECONDS / seconds for seconds in timing.seconds], unit="×")


def _schedule(video: VideoInfo) -> FrameSchedule:
    spans = plan_clips(video.end, start=video.start, window=_WINDOW, stride=_STRIDE)
    return FrameSchedule(spans, frames=_FRAMES)


def _decode_all(video: VideoInfo) -> None:
    with closing(decode_sequential(video.path, video.layout, options=ONE_THREAD)) as frames:
        for _ in frames:
            pass


def _take(video: VideoInfo, schedule: FrameSchedule, sampling: Sampling) -> list[float]:
    """Decode as indexing does; return the times of the frames."""
    size = (_SHORT_EDGE, round(video.width * _SHORT_EDGE / video.height))
    tolerance = sampling.tolerance(distance=schedule.distance)
    frames = decode_at(video, schedule.times, size=size, tolerance=tolerance, threads=1)
    return [frame.time for frame in frames]


def _nearness(video: VideoInfo, schedule: FrameSchedule, sampling: Sampling) -> str:
    taken = _take(video, schedule, sampling)
    off = [abs(found - wanted) for found, wanted in zip(taken, schedule.times, strict=True)]
    return f"frames {np.mean(off):.2f} s from the sample time, at most {max(off):.2f} s"


def _video(size: str, keyframe_seconds: float) -> Path:
    """Make a video of one of the sizes, once."""
    path = CACHE / f"decode {size} {keyframe_seconds:g} s.mp4"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        height, width = _SIZES[size]
        frames = islice(_noisy(_source(), height=height, width=width), _SECONDS * _RATE)
        write_video(path, frames, frame_rate=_RATE, crf=23, keyframe_seconds=keyframe_seconds)
    return path


def _source() -> VideoInfo:
    """Choose the largest video with the most motion, measured in bytes per second."""
    videos = [probe(path) for path in real_videos()]
    largest = max(video.height for video in videos)
    return max(
        (video for video in videos if video.height == largest and video.codec == "h264"),
        key=lambda video: video.path.stat().st_size / video.duration,
    )


def _noisy(video: VideoInfo, *, height: int, width: int) -> Iterator[np.ndarray]:
    """Yield the video's frames in one size, without end, each with different noise."""
    draw = np.random.default_rng(0)
    noise = np.rint(draw.normal(0, _NOISE, (height, width, 3))).astype(np.int16)
    times = [(index + 0.5) / video.frame_rate for index in range(int(video.duration * _RATE) - 1)]
    for _ in cycle([None]):
        for frame in decode_at(video, times, size=(height, width)):
            shift = draw.integers(0, (height, width)).tolist()
            noisy = frame.pixels + np.roll(noise, shift, axis=(0, 1))
            yield np.clip(noisy, 0, 255).astype(np.uint8)


def _relevance_rows() -> list[Row]:
    """Compute the demo model's recall on toy videos for each sampling mode."""
    from xclip_core.embedder import Embedder
    from xclip_core.text_embedder import TextEmbedder

    colours = list(COLOURS)[:_TOY_COLOURS]
    combinations = [c for c in COMBINATIONS if c.colour in colours]
    library = CACHE / f"decode {len(combinations)} toys"
    render_benchmark(library, combinations)
    clips = Embedder.load("demo", device="cpu", precision="fp32")
    texts = TextEmbedder.load("demo")
    rows = []
    for way in Sampling:
        scores = score_matrix(library, combinations, clips=clips, texts=texts, sampling=way)
        what = f"toy world, {len(combinations)} videos with a key frame every 2 s: {way}"
        rows.append(Row(what, _summary(judge(scores, combinations))))
    return rows


def _summary(scores: Scores) -> str:
    recalls = (scores.trained, scores.held_out)
    at_1, at_5 = (
        sum(getattr(recall, at) * recall.captions for recall in recalls)
        / sum(recall.captions for recall in recalls)
        for at in ("at_1", "at_5")
    )
    return f"R@1 {at_1:.1%}, R@5 {at_5:.1%}, motion pairs confused {scores.pairs_confused:.1%}"
