"""Indexing with X-CLIP itself: a tiny one with random weights, saved and loaded as any other."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from indexer import IndexSettings, index_library
from media import decode_at, probe
from tests.tiny_xclip import save_tiny_xclip
from xclip_core.checkpoint.files import ClipFormat, read_clip_format
from xclip_core.embedder import Embedder


@dataclass(frozen=True)
class Loaded:
    """A model that needs no loading any more; its clips are embedded two at a time."""

    embedder: Embedder
    calls_at_once: int = 2

    def clip_format(self) -> ClipFormat:
        return read_clip_format(Path(self.embedder.identity.model))

    def load(self) -> Embedder:
        return self.embedder


@pytest.fixture(scope="module")
def xclip(tmp_path_factory) -> Embedder:
    folder = save_tiny_xclip(tmp_path_factory.mktemp("models") / "tiny", frames=5)
    return Embedder.load(str(folder), device="cpu", precision="fp32")


def test_a_clip_in_the_catalog_is_the_models_vector_of_its_own_frames(
    film, library: Path, catalog, xclip
):
    film("a.mp4", seconds=18, step=6)
    film("b.mp4", seconds=2, first=200)
    settings = IndexSettings(workers=2)
    report = index_library([library], catalog=catalog, model=Loaded(xclip), settings=settings)
    assert (report.indexed, report.clips) == (2, 5)
    assert catalog.provenance.model_digest == xclip.identity.model_digest
    times = [10 + 8 * (segment + 0.5) / 5 for segment in range(5)]  # of the last clip, [10, 18)
    frames = decode_at(probe(library / "a.mp4"), times)
    clip = np.stack([xclip.prepare_frame(frame.pixels) for frame in frames])
    (vector,) = xclip.embed_clips(clip[np.newaxis])
    best = catalog.nearest_clips(vector, limit=1)[0]
    assert (best.path, best.start, best.end) == (library / "a.mp4", 10.0, 18.0)
    assert best.score == pytest.approx(1.0, abs=1e-3)


def test_the_frames_of_a_single_clip_in_the_catalog_have_its_vector_as_their_mean(
    film, catalog, xclip
):
    path = film("b.mp4", seconds=2, first=200)
    index_library([path], catalog=catalog, model=Loaded(xclip))
    video = catalog.known_files([path])[str(path)].video_id
    with catalog.library() as library:
        frames = library.frames_of(video)
    assert frames.times.tolist() == pytest.approx([0.2, 0.6, 1.0, 1.4, 1.8], abs=1e-6)
    mean = frames.quantised.vectors().mean(axis=0)
    assert catalog.nearest_clips(mean / np.linalg.norm(mean), limit=1)[0].score > 0.999
    assert np.linalg.norm(mean) == pytest.approx(1, abs=0.01)
