"""A whole index run, compared with decoding alone plus embedding alone, and with a simple program.

On a CPU, decoding and embedding share the cores: the shortest possible run is the time of decoding
alone on all cores plus the time of embedding alone. With a GPU, it is the longer of the two.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from benchmarks.inputs.library import long_video, mixed_library
from benchmarks.inputs.models import base_patch32
from benchmarks.measure.process_tree import Taken, watched
from benchmarks.measure.section import Row, Section
from benchmarks.measure.timing import figure_of
from indexer import IndexSettings, plan_clips
from machine import usable_cores
from media import probe

HOURS_VARIABLE = "VSEARCH_BENCH_HOURS"  # hours of video; 1 takes 15 minutes on 4 cores
_HOURS = "0.2"
_OVERHEAD_BAR, _SCRIPT_BAR, _START_BAR = 1.2, 8.0, 5.0
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class _Run:
    """A run of `vsearch index`, and decoding and embedding alone; wall seconds."""

    whole: Taken
    video_seconds: float
    clips: int
    decode: float
    decode_cpu: float
    encode: float
    encode_cpu: float

    @property
    def overhead(self) -> float:
        """Ratio of the run to decoding alone plus embedding alone."""
        return self.whole.wall / (self.decode + self.encode)


def measure() -> Section:
    """Index a library with base-patch32's shape and with the demo model."""
    hours = float(os.environ.get(HOURS_VARIABLE, _HOURS))
    library = mixed_library(round(3600 * hours))
    base, demo = str(base_patch32()), "demo"
    large, small = _run(library, base, sample=64), _run(library, demo, sample=512)
    settings = IndexSettings()
    return Section(
        title="Index",
        setting=f"{hours:g} h of video in 6 files, 720p and 1080p H.264 in turns with a key frame "
        f"every 2 s, {large.clips} clips, sampling {settings.sampling.value}, {settings.workers} "
        f"decoder processes and as many embedding threads on {usable_cores()} cores. `vsearch "
        "index` runs as a command, with start and snapshot. Decoding alone: the same processes "
        "without embedding. Embedding alone: the same threads on a sample (64 clips, 512 with the "
        f"demo model), scaled to all clips. `{HOURS_VARIABLE}=1` measures a whole hour.",
        rows=(
            *_run_rows("base-patch32", large),
            *_run_rows("demo model", small),
            _script_row(library, base, large),
            _start_row(library, base),
            *_memory_rows(),
        ),
    )


def _run(library: Path, model: str, *, sample: int) -> _Run:
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "vsearch", "index", str(library), "--model", model]
        whole = watched([*command, "--json", "--quiet"], environment={"VSEARCH_HOME": home})
    report = json.loads(whole.out)
    decode = _half("decode", "--model", model, "--library", str(library))
    encode = _half("encode", "--model", model, "--clips", str(sample))
    seconds = {half: json.loads(taken.out) for half, taken in (("d", decode), ("e", encode))}
    scale = report["clips"] / seconds["e"]["clips"]
    return _Run(
        whole=whole,
        video_seconds=report["video_seconds"],
        clips=report["clips"],
        decode=seconds["d"]["seconds"],
        decode_cpu=decode.cpu,
        encode=scale * seconds["e"]["seconds"],
        encode_cpu=scale * seconds["e"]["cpu"],
    )


def _half(*arguments: str) -> Taken:
    return watched([sys.executable, "-m", "benchmarks.processes.halves", *arguments])


def _run_rows(model: str, run: _Run) -> list[Row]:
    longer = max(run.decode, run.encode)
    return [
        Row(
            f"{model}: against decoding alone + embedding alone",
            figure_of([run.overhead], unit="×"),
            f"≤ {_OVERHEAD_BAR} ×",
            run.overhead <= _OVERHEAD_BAR,
            f"{run.whole.wall:.1f} s against {run.decode:.1f} s + {run.encode:.1f} s; "
            f"{run.whole.wall / longer:.2f} × the longer of the two",
        ),
        Row(
            f"{model}: × realtime",
            figure_of([run.video_seconds / run.whole.wall], unit="×"),
            note=f"{run.clips / run.whole.wall:.3g} clips/s",
        ),
        Row(
            f"{model}: the same in CPU seconds",
            figure_of([run.whole.cpu / (run.decode_cpu + run.encode_cpu)], unit="×"),
            note=f"{run.whole.cpu:.1f} s against {run.decode_cpu:.1f} s + {run.encode_cpu:.1f} s; "
            "more reliable than wall time on a shared machine",
        ),
        Row(
            f"{model}: peak memory of all processes, MiB",
            round(run.whole.peak / _MIB, 0),
            note="shared memory counted once",
        ),
    ]


def _script_row(library: Path, model: str, run: _Run) -> Row:
    """Measure the middle clip of a video of each size: the cost of a clip grows with its start."""
    videos = sorted(library.iterdir())[:2]
    sample = []
    for path in videos:
        video = probe(path)
        spans = plan_clips(video.end, start=video.start, window=8.0, stride=4.0)
        sample += [str(path), str(spans[len(spans) // 2].start)]
    taken = watched([sys.executable, "-m", "benchmarks.processes.straightforward", model, *sample])
    each = fmean(json.loads(taken.out))
    gain = each * run.clips / run.whole.wall
    return Row(
        "base-patch32: × faster than a simple program",
        figure_of([gain], unit="×"),
        f"≥ {_SCRIPT_BAR:g} ×",
        gain >= _SCRIPT_BAR,
        f"{each:.1f} s per clip, the mean of the middle clips of a 720p and a 1080p video, scaled "
        f"to {run.clips} clips",
    )


def _start_row(library: Path, model: str) -> Row:
    frame, vector = [], []
    for _ in range(2):
        began = time.time()
        times = json.loads(_half("start", "--model", model, "--library", str(library)).out)
        frame.append(times["frame"] - began)
        vector.append(times["vector"] - began)
    figure = figure_of(frame, unit="s")
    return Row(
        "base-patch32: from the start of the process to the first decoded frame",
        figure,
        f"≤ {_START_BAR:g} s",
        figure.median <= _START_BAR,
        f"to the first vector {figure_of(vector, unit='s')}",
    )


def _memory_rows() -> list[Row]:
    """Measure videos with small frames that differ only in length."""
    peaks = {}
    for minutes in (10, 180):
        library = long_video(minutes)
        with tempfile.TemporaryDirectory() as home:
            command = [sys.executable, "-m", "vsearch", "index", str(library), "--model", "demo"]
            taken = watched([*command, "--json", "--quiet"], environment={"VSEARCH_HOME": home})
        peaks[minutes] = taken.peak / _MIB
    growth = peaks[180] / peaks[10]
    return [
        Row(
            "demo model: peak memory, a video of 3 hours against one of 10 minutes",
            figure_of([growth], unit="×"),
            "≤ 1.1 ×",
            growth <= 1.1,
            f"{peaks[180]:.0f} against {peaks[10]:.0f} MiB",
        )
    ]
