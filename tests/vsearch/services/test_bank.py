"""The bank of a model, and the background that an index run keeps."""

import shutil
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from catalog import Catalog, ClipSpan, FileLocation, Provenance, VideoRecord
from search import everyday_sentences
from tests.tiny_xclip import DIM, save_tiny_xclip
from toyworld.world import COMBINATIONS
from vsearch.services.sentences.bank import EVERYDAY, TOYS, bank_of, keep_background
from vsearch.settings import Settings
from xclip_core import TextEmbedder


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_tiny_xclip(tmp_path_factory.mktemp("bank") / "model")


@pytest.fixture
def settings(tmp_path, model):
    return Settings(home=tmp_path, catalog=tmp_path / "catalog")


@pytest.fixture
def catalog(settings, model):
    identity = TextEmbedder.load(str(model)).identity
    made_by = Provenance(str(model), None, identity.model_digest, DIM, 4, 8.0, 4.0)
    vectors = np.random.default_rng(0).normal(size=(9, DIM)).astype(np.float32)
    with Catalog.open(settings.catalog, create=True) as catalog:
        catalog.bind(made_by)
        catalog.add_video(
            VideoRecord("content", 44.0, 64, 48, 25.0, "h264", "mp4"),
            location=FileLocation(Path("/films"), Path("/films/a.mp4"), 1, 1),
            clips=[ClipSpan(4.0 * n, 4.0 * n + 8.0) for n in range(9)],
            vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        )
        yield catalog


def kept(catalog):
    with catalog.library() as library:
        return library.background()


def refuse(sentences):
    raise AssertionError(f"{len(sentences)} sentences are embedded again")


def test_the_sentences_are_embedded_once_for_each_model(catalog, settings, model):
    made_by = catalog.provenance
    embedder = TextEmbedder.load(str(model))
    first = bank_of(made_by, embedder.embed_texts, settings=settings)
    vectors = first.embed()
    assert vectors == pytest.approx(embedder.embed_texts(everyday_sentences()), abs=1e-6)
    again = bank_of(made_by, refuse, settings=settings)
    assert again.name == first.name
    assert again.embed().tolist() == vectors.tolist()
    other = bank_of(replace(made_by, model_digest="cd" * 32), refuse, settings=settings)
    assert other.name != first.name
    with pytest.raises(AssertionError, match="are embedded again"):
        other.embed()


def test_the_demo_model_is_compared_with_the_toy_world(settings):
    made_by = Provenance("demo", None, "ab" * 32, 4, 8, 8.0, 4.0)
    asked = []

    def embed(sentences):
        asked.extend(sentences)
        return np.eye(4, dtype=np.float32)[[0] * len(sentences)]

    bank_of(made_by, embed, settings=settings).embed()
    assert asked == [combination.caption for combination in COMBINATIONS]


def test_sentences_change_with_their_edition_only():
    """When this fails, increase the edition, and tell the new digest here."""
    captions = [combination.caption for combination in COMBINATIONS]
    digests = {
        edition: sha256("\n".join(sentences).encode()).hexdigest()[:16]
        for edition, sentences in ((EVERYDAY, everyday_sentences()), (TOYS, captions))
    }
    assert digests == {"everyday 1": "b032039b3bd24edb", "toys 1": "032ca23409a2b62f"}


def test_an_index_run_keeps_the_background(catalog, settings):
    assert kept(catalog) is None
    assert keep_background(catalog, settings=settings)
    assert kept(catalog).clips == 9


def test_without_the_model_of_the_catalog_nothing_is_kept_and_nothing_fails(
    catalog, settings, model, tmp_path
):
    moved = Path(shutil.move(model, tmp_path / "moved"))
    try:
        assert keep_background(catalog, settings=settings)
        assert kept(catalog) is None
        save_tiny_xclip(model, seed=5)  # another model at its place
        assert keep_background(catalog, settings=settings)
        assert kept(catalog) is None
    finally:
        shutil.rmtree(model, ignore_errors=True)
        shutil.move(moved, model)
    assert keep_background(catalog, settings=settings)
    assert kept(catalog) is not None
