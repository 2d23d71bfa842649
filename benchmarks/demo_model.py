"""Recall of the demo model in its toy world: `python -m benchmarks.demo_model`.

One new film for each combination of colour, shape and motion is rendered, written as H.264,
indexed and queried like any library: every caption ranks all clips with the catalog's search.
A control gets the same frames without their order.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog import Catalog
from indexer import IndexSettings, Sampling, index_library
from toyworld.film import Event, make_film
from toyworld.world import COMBINATIONS, OPPOSITE, Combination, is_held_out
from xclip_core.checkpoint.files import ClipFormat
from xclip_core.embedder import Embedder
from xclip_core.identity import ModelIdentity
from xclip_core.inputs.preprocess import FrameProcessor
from xclip_core.text_embedder import TextEmbedder

SECONDS = 8.0
SEED = 20_000_000  # training uses small seeds: none of these films was used in training


@dataclass(frozen=True, slots=True)
class Recall:
    """Recall of `captions` captions: the share whose own clip ranks first, or in the first five."""

    captions: int
    at_1: float
    at_5: float


@dataclass(frozen=True, slots=True)
class Scores:
    """Results of one model.

    Attributes:
        trained, held_out: recall of the captions that were used in training, and of the others.
        pairs_confused: how often the opposite motion scores as high as the true one, among the
            clips for a caption and among the captions for a clip.
    """

    trained: Recall
    held_out: Recall
    pairs_confused: float


class FramesWithoutOrder:
    """Control: every frame is embedded as a film without motion, and the vectors are averaged."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @property
    def identity(self) -> ModelIdentity:
        """Return that of the model."""
        return self._embedder.identity

    @property
    def processor(self) -> FrameProcessor:
        """Return that of the model."""
        return self._embedder.processor

    @property
    def clips_wanted(self) -> int:
        """Return that of the model."""
        return self._embedder.clips_wanted

    def embed_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(B, T, S, S, 3) uint8 to (B, D) float32 unit vectors."""
        return self.embed_frames(clips)[0]

    def embed_frames(
        self, clips: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(B, T, S, S, 3) uint8 to (B, D) float32 unit vectors, and those of frames, (B, T, D)."""
        frames = clips.shape[1]
        stills = np.repeat(clips.reshape(-1, 1, *clips.shape[2:]), frames, axis=1)
        each = self._embedder.embed_clips(stills).reshape(len(clips), frames, -1)
        vectors = each.mean(axis=1)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / lengths, each / lengths[:, None]


@dataclass(frozen=True, slots=True)
class _Loaded:
    """Loaded model for an index run."""

    embedder: Embedder | FramesWithoutOrder
    calls_at_once: int = 1

    def clip_format(self) -> ClipFormat:
        identity = self.embedder.identity
        return ClipFormat(
            frames_per_clip=identity.frames_per_clip,
            image_size=identity.image_size,
            dim=identity.dim,
            processor=self.embedder.processor,
        )

    def load(self) -> Embedder | FramesWithoutOrder:
        return self.embedder


def film_name(combination: Combination) -> str:
    """Return the file name for a combination."""
    return combination.caption.replace(" ", "-") + ".mp4"


def render_benchmark(
    folder: Path, combinations: Sequence[Combination], *, seed: int = SEED
) -> None:
    """Write one film of 8 seconds for each combination, unless it exists."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, combination in enumerate(combinations):
        path = folder / film_name(combination)
        if not path.exists():
            event = Event(start=0.0, end=SECONDS, combination=combination)
            make_film(path, [event], duration=SECONDS, seed=(seed, number))


def score_matrix(
    library: Path,
    combinations: Sequence[Combination],
    *,
    clips: Embedder | FramesWithoutOrder,
    texts: TextEmbedder,
    sampling: Sampling = Sampling.EXACT,
) -> NDArray[np.float64]:
    """Index the films and query every caption; return scores (captions, films) float64."""
    column = {film_name(c): number for number, c in enumerate(combinations)}
    scores = np.full((len(combinations), len(combinations)), -np.inf)
    with (
        tempfile.TemporaryDirectory() as folder,
        Catalog.open(Path(folder) / "catalog", create=True) as catalog,
    ):
        report = index_library(
            [library],
            catalog=catalog,
            model=_Loaded(clips),
            settings=IndexSettings(workers=2, sampling=sampling),
        )
        if report.failed or report.clips != len(combinations):
            raise SystemExit(f"indexing failed: {report}")
        vectors = texts.embed_texts([c.caption for c in combinations])
        for row, vector in enumerate(vectors):
            for match in catalog.nearest_clips(vector, limit=len(combinations)):
                scores[row, column[match.path.name]] = match.score
    return scores


def judge(scores: NDArray[np.float64], combinations: Sequence[Combination]) -> Scores:
    """Compute recall and confusions from scores (captions, clips), both in the same order."""
    own = np.diag(scores)
    rank = (scores > own[:, None]).sum(axis=1)
    held_out = np.array([is_held_out(c) for c in combinations])
    place = {c: number for number, c in enumerate(combinations)}
    opposite = np.array(
        [place[Combination(c.colour, c.shape, OPPOSITE[c.motion])] for c in combinations]
    )
    rows = np.arange(len(combinations))
    confused = [scores[rows, opposite] >= own, scores[opposite, rows] >= own]
    return Scores(
        trained=_recall(rank[~held_out]),
        held_out=_recall(rank[held_out]),
        pairs_confused=float(np.mean(confused)),
    )


def _recall(rank: NDArray[np.int64]) -> Recall:
    return Recall(captions=len(rank), at_1=float(np.mean(rank == 0)), at_5=float(np.mean(rank < 5)))


def measure(*, model: str, library: Path) -> dict[str, Any]:
    """Measure everything that the command prints."""
    render_benchmark(library, COMBINATIONS)
    embedder = Embedder.load(model, device="cpu", precision="fp32")
    texts = TextEmbedder.load(model)
    with_order = score_matrix(library, COMBINATIONS, clips=embedder, texts=texts)
    without = score_matrix(library, COMBINATIONS, clips=FramesWithoutOrder(embedder), texts=texts)
    return {
        "model": embedder.identity.model,
        "digest": embedder.identity.model_digest,
        "films": len(COMBINATIONS),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "faiss-gpu", "av")},
        },
        "scores": asdict(judge(with_order, COMBINATIONS)),
        "control": asdict(judge(without, COMBINATIONS)),
    }


def print_table(result: dict[str, Any]) -> None:
    """Print the figures as the Markdown table of the README."""
    print(f"{result['model']} ({result['digest'][:16]}), {result['films']} films of 8 s,")
    print(f"{result['machine']}, {result['versions']}\n")
    print("| | R@1 trained | R@5 trained | R@1 held out | R@5 held out | motion pairs confused |")
    print("|---|---|---|---|---|---|")
    for name, key in (("demo model", "scores"), ("control: frames without order", "control")):
        scores = result[key]
        shares = [scores[part][at] for part in ("trained", "held_out") for at in ("at_1", "at_5")]
        cells = [f"{share:.1%}" for share in [*shares, scores["pairs_confused"]]]
        print(f"| {name} | {' | '.join(cells)} |")


def main() -> None:
    """Parse the arguments, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="demo", help="'demo' or a checkpoint folder")
    parser.add_argument("--library", type=Path, help="keep the films in this folder")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        result = measure(
            model=arguments.model, library=arguments.library or Path(scratch) / "films"
        )
    if arguments.json:
        print(json.dumps(result, indent=2))
    else:
        print_table(result)


if __name__ == "__main__":
    main()
