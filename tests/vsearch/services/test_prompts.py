"""X-CLIP's prompts in a search of toy films that are decoded when they are asked for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer import IndexSettings
from search import SearchSettings
from toyworld.library import make_library
from vsearch.errors import VideoError
from vsearch.services.answers.search import searchers_of
from vsearch.services.library.indexing import IndexOptions, index_library
from vsearch.services.models import open_catalog
from vsearch.services.sentences import prompts
from vsearch.services.sentences.prompts import Prompts
from vsearch.settings import Settings
from xclip_core import TextEmbedder

PARTS = {
    "off": SearchSettings(),
    "prompts": SearchSettings(prompts=True),
    "rescoring": SearchSettings(rescoring=True),
    "both": SearchSettings(prompts=True, rescoring=True),
}


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    return make_library(tmp_path_factory.mktemp("prompts") / "films", films=3)


@pytest.fixture(scope="module")
def indexed(films):
    home = films[0].path.parents[1]
    settings = Settings(home=home, catalog=home / "catalog", model="demo", device="cpu")
    options = IndexOptions(settings=IndexSettings(workers=1))
    index_library([films[0].path.parent], settings=settings, options=options)
    return settings


@pytest.fixture(autouse=True)
def few_clips_for_the_mean(monkeypatch):
    monkeypatch.setattr(prompts, "MEAN_OF", 6)


@pytest.fixture
def searchers(indexed):
    with open_catalog(indexed) as catalog:
        yield searchers_of(catalog, indexed, named=PARTS)


def test_each_form_finds_the_events_of_the_films(searchers, films):
    asked = [(event.caption, film, event) for film in films for event in film.events]
    for name, searcher in searchers.items():
        right = 0
        for caption, film, event in asked:
            first = searcher.search(caption, limit=1).hits[0]
            shared = min(first.end, event.end) - max(first.start, event.start)
            right += first.path == film.path and shared > 0
        assert right >= len(asked) - 1, name


def test_the_best_clips_change_places_only(searchers, films):
    caption = films[0].events[0].caption
    plain = searchers["off"].search(caption, limit=50)
    rescored = searchers["rescoring"].search(caption, limit=50)
    assert {hit.path for hit in plain.hits} == {hit.path for hit in rescored.hits}
    standings = [max(hit.standing.value for hit in it.hits) for it in (plain, rescored)]
    assert standings[0] == pytest.approx(standings[1], abs=1e-6)


def test_a_sentence_prompted_by_a_clip_is_the_one_that_classifies_it(indexed, films):
    labels = [event.caption for event in films[0].events]
    with open_catalog(indexed) as catalog:
        made = Prompts(catalog, settings=indexed)
        vector = TextEmbedder.load("demo").embed_texts(labels[:1])[0]
        clip = catalog.nearest_clips(vector, limit=1)[0]
        prompted = made.prompt_for(labels, [clip])[clip.clip_id]
        with catalog.library() as library:
            (shown,) = library.of(np.array([clip.clip_id]))
    assert prompted.shape == (len(labels), len(shown))
    assert np.linalg.norm(prompted, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert int(np.argmax(prompted @ shown)) == 0


def test_the_mean_of_a_catalog_is_decoded_once(indexed, films, tmp_path):
    home, folder = replace(indexed, home=tmp_path), films[0].path.parent
    with open_catalog(indexed) as catalog:
        first = Prompts(catalog, settings=home).prompted_embedder(catalog.provenance)
        aside = folder.rename(tmp_path / "away")
        try:
            second = Prompts(catalog, settings=home).prompted_embedder(catalog.provenance)
        finally:
            aside.rename(folder)
    assert first.context.tolist() == second.context.tolist()


def test_without_the_videos_the_best_clips_stay_where_they_are(indexed, films, tmp_path):
    caption = films[0].events[0].caption
    home = replace(indexed, home=tmp_path)
    with open_catalog(indexed) as catalog:
        before = searchers_of(catalog, home, named=PARTS)["off"].search(caption)
    aside = films[0].path.parent.rename(tmp_path / "away")
    try:
        with open_catalog(indexed) as catalog:
            there = searchers_of(catalog, home, named=PARTS)
            answer = there["rescoring"].search(caption)
            assert [hit.clip_id for hit in answer.hits] == [hit.clip_id for hit in before.hits]
            with pytest.raises(VideoError, match=r"none of 6 clips .* see that the disks"):
                there["prompts"].search(caption)
    finally:
        aside.rename(films[0].path.parent)
    assert Path(films[0].path).is_file()
