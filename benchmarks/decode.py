"""What decoding the wanted frames costs, beside decoding in sequence and libavcodec by itself."""

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
from media import VideoInfo, decode_at, probe
from media.encode import write_video
from media.playback import play
from toyworld.world import COLOURS, COMBINATIONS

_WINDOW, _STRIDE, _FRAMES = 8.0, 4.0, 8
_SHORT_EDGE = 224  # pixels, what base-patch32 looks at
_SECONDS, _RATE = 12, 30
_NOISE = 3.0  # grey levels, what a camera's sensor adds: without it all bits go to the key frames
_ROUNDS = 3
_SIZES = {"720p": (720, 1280), "1080p": (1080, 1920)}
_KEYFRAMES = (4.0, 1.0)  # seconds from one to the next
_EXACT_BAR, _AUTO_BAR, _KEYFRAMES_BAR = 1.4, 3.0, 10.0
_TOY_COLOURS = 1  # of the toy world's: each adds 56 films


def measure() -> Section:
    """Time all ways on four films, and ask the demo model whether they are worth the same."""
    rows: list[Row] = []
    for size in _SIZES:
        for distance in _KEYFRAMES:
            rows += _rows(f"{size}, a key frame every {distance:g} s", _film(size, distance))
    return Section(
        title="Decoding",
        setting=f"H.264 with B-frames, {_RATE} frames/s, {_SECONDS} s of real film where there is "
        f"some, with a sensor's noise; windows of {_WINDOW:g} s every {_STRIDE:g} s, {_FRAMES} "
        f"frames each, made RGB with a short edge of {_SHORT_EDGE}; CPU seconds, one thread, "
        f"{_ROUNDS} rounds. Ratios are to decoding in sequence and converting wanted frames only. "
        "Reading all packets to plan with them is part of probing a film, and not counted.",
        rows=(*rows, *_relevance_rows()),
        notes=(
            "With a moment a second and a key frame a second, every key frame is the nearest one "
            "of some moment: decoding them all is what `keyframes` cannot go below.",
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
        Row(f"{name}: in sequence", _realtime(timed["sequence"]), note="s of film a CPU s"),
        Row(f"{name}: libavcodec alone", _realtime(timed["all"]), note="all decoded, none taken"),
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
    with closing(play(video.path, video.layout, threads=1)) as pictures:
        for _ in pictures:
            pass


def _take(video: VideoInfo, schedule: FrameSchedule, sampling: Sampling) -> list[float]:
    """Decode as indexing does; the times of the frames that were taken."""
    size = (_SHORT_EDGE, round(video.width * _SHORT_EDGE / video.height))
    tolerance = sampling.tolerance(distance=schedule.distance)
    frames = decode_at(video, schedule.times, size=size, tolerance=tolerance, threads=1)
    return [frame.time for frame in frames]


def _nearness(video: VideoInfo, schedule: FrameSchedule, sampling: Sampling) -> str:
    taken = _take(video, schedule, sampling)
    off = [abs(found - wanted) for found, wanted in zip(taken, schedule.times, strict=True)]
    return f"frames {np.mean(off):.2f} s from the wanted moment, at most {max(off):.2f} s"


def _film(size: str, keyframe_seconds: float) -> Path:
    """A film of one of the sizes, made once."""
    path = CACHE / f"decode {size} {keyframe_seconds:g} s.mp4"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        height, width = _SIZES[size]
        pictures = islice(_noisy(_source(), height=height, width=width), _SECONDS * _RATE)
        write_video(path, pictures, frame_rate=_RATE, crf=23, keyframe_seconds=keyframe_seconds)
    return path


def _source() -> VideoInfo:
    """The film with the most pixels and pictures that change: the one with the most bytes a s."""
    films = [probe(path) for path in real_videos()]
    largest = max(film.height for film in films)
    return max(
        (film for film in films if film.height == largest and film.codec == "h264"),
        key=lambda film: film.path.stat().st_size / film.duration,
    )


def _noisy(video: VideoInfo, *, height: int, width: int) -> Iterator[np.ndarray]:
    """The film's pictures in a size, over and over, each with noise of its own."""
    draw = np.random.default_rng(0)
    noise = np.rint(draw.normal(0, _NOISE, (height, width, 3))).astype(np.int16)
    times = [(index + 0.5) / video.frame_rate for index in range(int(video.duration * _RATE) - 1)]
    for _ in cycle([None]):
        for frame in decode_at(video, times, size=(height, width)):
            shift = draw.integers(0, (height, width)).tolist()
            noisy = frame.pixels + np.roll(noise, shift, axis=(0, 1))
            yield np.clip(noisy, 0, 255).astype(np.uint8)


def _relevance_rows() -> list[Row]:
    """How well the demo model's own films are found again, whichever frames it is shown."""
    from xclip_core.embedder import Embedder
    from xclip_core.sentences import SentenceEmbedder

    colours = list(COLOURS)[:_TOY_COLOURS]
    combinations = [c for c in COMBINATIONS if c.colour in colours]
    library = CACHE / f"decode {len(combinations)} toys"
    render_benchmark(library, combinations)
    clips = Embedder.load("demo", device="cpu", precision="fp32")
    texts = SentenceEmbedder.load("demo")
    rows = []
    for way in Sampling:
        scores = score_matrix(library, combinations, clips=clips, texts=texts, sampling=way)
        what = f"toy world, {len(combinations)} films with a key frame every 2 s: {way}"
        rows.append(Row(what, _told(judge(scores, combinations))))
    return rows


def _told(scores: Scores) -> str:
    recalls = (scores.trained, scores.held_out)
    at_1, at_5 = (
        sum(getattr(recall, at) * recall.captions for recall in recalls)
        / sum(recall.captions for recall in recalls)
        for at in ("at_1", "at_5")
    )
    return f"R@1 {at_1:.1%}, R@5 {at_5:.1%}, motion pairs confused {scores.pairs_confused:.1%}"
