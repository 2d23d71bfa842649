"""How sure answers are, over clips that are near to sentences about the toy world."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from catalog import Catalog, ClipSpan, FileLocation, Provenance, VideoRecord
from search import PLAIN, Bank, Confidence, Searcher, SearchSettings
from search.confidence import confidence_of
from toyworld.world import COMBINATIONS
from xclip_core import TextEmbedder

SHOWN = [combination.caption for combination in COMBINATIONS[::5]]
ABSENT = [combination.caption for combination in COMBINATIONS[2::15]]
FOREIGN = ["a dog on a beach", "the parliament votes", "qwerty xyzzy", "person cooking pasta"]


@pytest.fixture(scope="module")
def embedder():
    return TextEmbedder.load("demo")


@pytest.fixture(scope="module")
def bank():
    return partial(bank_of, sentences=[combination.caption for combination in COMBINATIONS])


def bank_of(made_by, embed, *, sentences):
    return Bank.of(sentences, model_digest=made_by.model_digest, embed=embed)


def add_film(catalog, embedder, captions):
    """A film with a noisy clip for each caption, far enough apart that none are merged."""
    clean = embedder.embed_texts(captions)
    noise = np.random.default_rng(len(captions)).normal(size=clean.shape)
    vectors = clean + np.float32(0.5) * (noise / clean.shape[1] ** 0.5).astype(np.float32)
    path = Path("/films", f"{len(captions)}.mp4")
    catalog.add_video(
        VideoRecord(path.name, 20.0 * len(captions), 64, 48, 25.0, "h264", "mp4"),
        location=FileLocation(Path("/films"), path, 1, 1),
        clips=[ClipSpan(20.0 * n, 20.0 * n + 8.0) for n in range(len(captions))],
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
    )


@pytest.fixture(scope="module")
def catalog(tmp_path_factory, embedder):
    with Catalog.open(tmp_path_factory.mktemp("confidence") / "catalog", create=True) as catalog:
        digest = embedder.identity.model_digest
        catalog.bind(Provenance("demo", None, digest, embedder.identity.dim, 8, 8.0, 4.0))
        add_film(catalog, embedder, SHOWN)
        yield catalog


@pytest.fixture(scope="module")
def searcher(catalog, embedder, bank):
    return Searcher(catalog=catalog, load_embedder=lambda _: embedder, bank=bank)


def first_words(searcher, sentences):
    return [searcher.search(sentence, limit=1).hits[0].confidence for sentence in sentences]


def test_what_is_there_is_strong_and_what_is_not_there_is_not(searcher):
    words = first_words(searcher, SHOWN)
    assert words.count(Confidence.STRONG) >= 0.95 * len(SHOWN)
    absent = first_words(searcher, ABSENT)
    assert absent.count(Confidence.STRONG) <= 0.1 * len(ABSENT)


def test_nothing_is_convincing_for_sentences_about_another_world(searcher):
    for sentence in FOREIGN:
        result = searcher.search(sentence)
        assert len(result.hits) == 10
        assert result.convincing == ()


def test_among_the_moments_of_an_answer_the_convincing_ones_come_first(searcher):
    result = searcher.search(SHOWN[0])
    assert result.hits[0].confidence is Confidence.STRONG
    standings = [hit.standing.value for hit in result.hits]
    assert standings == sorted(standings, reverse=True)
    assert 1 <= len(result.convincing) < len(result.hits)
    assert result.hits[: len(result.convincing)] == result.convincing


def test_scores_stay_cosines_where_ranks_come_from_centred_scores(catalog, searcher, embedder):
    (vector,) = embedder.embed_texts([SHOWN[3]])
    cosines = {clip.clip_id: clip.score for clip in catalog.nearest_clips(vector, limit=99)}
    for hit in searcher.search(SHOWN[3]).hits:
        assert hit.score == pytest.approx(cosines[hit.clip_id], abs=1e-5)


def test_parts_that_are_switched_off_leave_no_trace(catalog, embedder, bank):
    def ask(settings):
        searcher = Searcher(
            catalog=catalog, load_embedder=lambda _: embedder, bank=bank, settings=settings
        )
        return searcher.search(SHOWN[7])

    unsure = ask(SearchSettings(confidence=False))
    assert {hit.confidence for hit in unsure.hits} == {None}
    assert unsure.convincing == unsure.hits
    plain = ask(PLAIN)
    assert {hit.standing for hit in plain.hits} == {None}
    scores = [hit.score for hit in plain.hits]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_library_of_a_few_clips_answers_with_what_is_in_it(tmp_path, embedder, bank, count):
    with Catalog.open(tmp_path / "catalog", create=True) as few:
        digest = embedder.identity.model_digest
        few.bind(Provenance("demo", None, digest, embedder.identity.dim, 8, 8.0, 4.0))
        add_film(few, embedder, SHOWN[:count])
        searcher = Searcher(catalog=few, load_embedder=lambda _: embedder, bank=bank)
        assert first_words(searcher, SHOWN[:count]) == [Confidence.STRONG] * count
        # Of one clip or two, the model alone can tell what lies far from them.
        if count > 2:
            assert Confidence.STRONG not in first_words(searcher, FOREIGN)


WORDS = {
    "strong": (9.0, 1.15),
    "likely": (1.14, 0.5),
    "weak": (0.49, 0.0),
    "none": (-0.01, -9.0),
}


def test_a_word_begins_at_its_least_standing():
    told = {word: [str(confidence_of(x)) for x in standings] for word, standings in WORDS.items()}
    assert told == {word: [word, word] for word in WORDS}
