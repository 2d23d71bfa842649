"""What the benchmark of questions asks, and that the peer it is compared with finds the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import query_parts
from benchmarks.inputs.catalogs import CLIPS_OF_EACH, add_film
from benchmarks.query import Peer, sentences
from catalog import Catalog, Provenance
from search import Bank, keep_background
from toyworld.world import COMBINATIONS
from xclip_core.checkpoint.location import DEMO_FOLDER
from xclip_core.inputs.tokenizer import Tokenizer
from xclip_core.text_embedder import TextEmbedder


@pytest.fixture
def catalog(tmp_path: Path):
    with Catalog.open(tmp_path / "catalog", create=True) as catalog:
        catalog.bind(Provenance("demo", None, "ab" * 32, 128, 8, 8.0, 4.0))
        random = np.random.default_rng(0)
        for number in range(2):
            add_film(catalog, number, random=random, dim=128, framed=True)
        yield catalog


def test_sentences_have_eight_words_of_a_token_each_and_none_comes_twice():
    tokenizer = Tokenizer.load(DEMO_FOLDER)
    stream = sentences(tokenizer)
    some = [next(stream) for _ in range(300)]
    assert {len(tokenizer.encode(sentence)) for sentence in some} == {10}
    assert len(set(some)) == 300


def test_the_peer_gets_the_same_vectors_and_the_same_clips(catalog):
    ours = TextEmbedder.load("demo")
    peer = Peer(DEMO_FOLDER, catalog=catalog.folder)
    vector = ours.embed_texts(["a red circle moving left"])[0]
    assert np.allclose(peer.embed("a red circle moving left"), vector, atol=1e-5)
    expected = catalog.nearest_clips(vector, limit=256)
    found = peer.nearest(vector)
    assert [clip_id for clip_id, _ in found] == [match.clip_id for match in expected]
    assert catalog.status().clips == 2 * CLIPS_OF_EACH


def test_what_ranking_and_confidence_add_is_measured_part_by_part(catalog, monkeypatch):
    monkeypatch.setattr(query_parts, "_ROUNDS", 2)
    embedder = TextEmbedder.load("demo")
    asked = sentences(Tokenizer.load(DEMO_FOLDER))
    captions = [combination.caption for combination in COMBINATIONS]
    bank = Bank.of(captions, model_digest="ab" * 32, embed=embedder.embed_texts)
    keep_background(catalog, bank)
    monkeypatch.setattr(embedder, "identity", replace(embedder.identity, model_digest="ab" * 32))
    rows = query_parts.warm_rows(catalog, embedder, asked, bank=bank, bar=1e9)
    rows += query_parts.upkeep_rows(catalog, bank=bank)
    assert rows[0].met
    assert rows[0].what.startswith("500 clips: moments, centred ranking and confidence")
    assert rows[1].what == "– of it moments from frame vectors"
    assert len(rows) == 8
    assert catalog.status().clips == 2 * CLIPS_OF_EACH  # the film of the last row is gone again
