"""Decoding alone, embedding alone, and the start of an index run: `decode|encode|start`.

Prints one JSON object; runs in a separate process, whose resources are measured from outside.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from indexer import ClipsEmbedded, Event, IndexSettings, ModelLoader, RunCounters, VideoStarted
from indexer.decode.clip_reader import ClipReader
from indexer.decode.messages import ClipRead
from indexer.decode.pool import DecodePool
from indexer.embed.threads import EmbedderPool
from indexer.scan.fingerprint import read_sample
from indexer.scan.jobs import VideoJob
from indexer.scan.walk import find_videos
from machine import usable_cores
from vsearch.services.library.indexing import IndexOptions, index_library, open_index
from vsearch.settings import Settings, read_settings


def main() -> None:
    """Run the measurement named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("half", choices=["decode", "encode", "start"])
    parser.add_argument("--model", required=True)
    parser.add_argument("--library", type=Path)
    parser.add_argument("--clips", type=int)
    asked = parser.parse_args()
    if asked.half == "decode":
        result = _decode(asked.library, model=asked.model)
    elif asked.half == "encode":
        result = _encode(asked.clips, model=asked.model)
    else:
        result = _start(asked.library, model=asked.model)
    json.dump(result, sys.stdout)


@contextmanager
def _settings(model: str) -> Iterator[Settings]:
    with tempfile.TemporaryDirectory() as folder:
        yield read_settings({"VSEARCH_HOME": folder}, model=model)


@contextmanager
def _model(name: str) -> Iterator[ModelLoader]:
    with _settings(name) as settings, open_index(settings, paths=[], purpose="measure") as index:
        yield index.model


def _decode(library: Path, *, model: str) -> dict[str, float]:
    """Decode all videos as an index run does, without embedding the clips."""
    settings, clips = IndexSettings(), 0
    with _model(model) as loaded:
        clip_format = loaded.clip_format()
    reader = ClipReader(
        processor=clip_format.processor,
        frames=clip_format.frames_per_clip,
        window=settings.window,
        stride=settings.stride,
        sampling=settings.sampling,
        threads=1,
    )
    began = time.perf_counter()
    with closing(
        DecodePool(reader, workers=settings.workers, timeout=settings.decode_timeout)
    ) as readers:
        for file in find_videos([library]).files:
            readers.submit(VideoJob(file, read_sample(file.path)))
        while readers.unfinished:
            received = readers.receive(timeout=1.0)
            clips += received is not None and isinstance(received[1], ClipRead)
    return {"seconds": time.perf_counter() - began, "clips": clips}


def _encode(clips: int, *, model: str) -> dict[str, float]:
    """Embed `clips` clips of noise, in the batches of an index run."""
    with _model(model) as loaded, closing(EmbedderPool(loaded)) as it:
        it.start()
        it.embedder()
        clip_format = loaded.clip_format()
        side = clip_format.image_size
        shape = (1, clip_format.frames_per_clip, side, side, 3)
        clip = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        _pass(it, clip, clips=2 * usable_cores())  # the first calls take longer
        began, cpu = time.perf_counter(), time.process_time()
        _pass(it, clip, clips=clips)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        return {"seconds": seconds, "cpu": cpu, "clips": clips}


def _pass(encoder: EmbedderPool, clip: np.ndarray, *, clips: int) -> None:
    left = clips
    while left or encoder.in_flight:
        while left and not encoder.is_full:
            size = min(encoder.clips_wanted, left)
            encoder.submit(clip.repeat(size, axis=0), tags=range(size))
            left -= size
        encoder.wakeup.poll(None)
        encoder.collect()


def _start(library: Path, *, model: str) -> dict[str, float]:
    """Times of the first opened video (its first frame is decoded by then) and of the first vector.

    Seconds of the system clock, which the parent process reads, too.
    """
    times: dict[str, float] = {}

    def report(event: Event) -> None:
        if isinstance(event, VideoStarted):
            times.setdefault("frame", time.time())
        elif isinstance(event, ClipsEmbedded):
            times["vector"] = time.time()
            raise KeyboardInterrupt

    with _settings(model) as settings:
        index_library(
            [library], settings=settings, options=IndexOptions(), counters=RunCounters(report)
        )
    return times


if __name__ == "__main__":
    main()
