"""A small real library, a small real catalog, and a small embedder that is no network."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from catalog import Catalog
from indexer import IndexReport, IndexSettings, index_library
from media import write_video
from xclip_core import ModelIdentity

FRAMES = 4
SIZE = 8
DIMENSION = 16


COLOURS = ModelIdentity(
    model="colours",
    revision=None,
    weights_digest="0" * 64,
    dimension=DIMENSION,
    frames_per_clip=FRAMES,
    image_size=SIZE,
)


@dataclass
class ColourEmbedder:
    """Embeds a clip as a fixed random projection of its frames' mean colours.

    Keeps account of the frames that it prepared and of the clips that it saw.
    """

    identity: ModelIdentity = COLOURS
    prepared: int = 0
    batches: list[np.ndarray] = field(default_factory=list)

    def prepare_frame(self, pixels: np.ndarray) -> np.ndarray:
        self.prepared += 1
        rows = np.linspace(0, pixels.shape[0] - 1, SIZE).astype(int)
        columns = np.linspace(0, pixels.shape[1] - 1, SIZE).astype(int)
        return np.ascontiguousarray(pixels[rows][:, columns])

    def embed_clips(self, clips: np.ndarray) -> np.ndarray:
        assert clips.shape[1:] == (FRAMES, SIZE, SIZE, 3)
        self.batches.append(clips)
        colours = clips.mean(axis=(2, 3)).reshape(len(clips), -1)  # (B, T * 3)
        projection = np.random.default_rng(0).normal(size=(colours.shape[1] + 1, DIMENSION))
        vectors = np.hstack([colours / 255, np.ones((len(clips), 1))]) @ projection
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    @property
    def grey_levels(self) -> list[list[int]]:
        """Mean level of each frame of each clip, clips in the order in which they were seen."""
        levels = [clips.mean(axis=(2, 3, 4)).round().astype(int).tolist() for clips in self.batches]
        return [clip for batch in levels for clip in batch]


@pytest.fixture
def embedder() -> ColourEmbedder:
    return ColourEmbedder()


@pytest.fixture
def library(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    root.mkdir()
    return root


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(tmp_path / "catalog", create=True) as opened:
        yield opened


@pytest.fixture
def film(library: Path) -> Callable[..., Path]:
    """Write a film of `seconds` at 2 frames per second that gets brighter by `step` each frame."""

    def write(name: str, *, seconds: float, first: int = 20, step: int = 2) -> Path:
        path = library / name
        path.parent.mkdir(parents=True, exist_ok=True)
        levels = [first + step * number for number in range(round(seconds * 2))]
        write_video(path, (np.full((48, 64, 3), n, np.uint8) for n in levels), frame_rate=2)
        return path

    return write


@pytest.fixture
def index(library: Path, catalog: Catalog, embedder: ColourEmbedder) -> Callable[..., IndexReport]:
    """Index the library, with any settings; `report` receives the events."""

    def run(*paths: Path, report: Callable[..., None] = lambda _: None, **settings) -> IndexReport:
        return index_library(
            paths or (library,),
            catalog=catalog,
            embedder=embedder,
            settings=IndexSettings(**{"workers": 2, **settings}),
            report=report,
        )

    return run
