"""More like a moment: of stored vectors, without itself and its copies, alone or with sentences."""

from pathlib import Path

import numpy as np
import pytest

from catalog import Catalog, Provenance
from search import (
    Asked,
    EmptyQueryError,
    Example,
    ExampleError,
    Likeness,
    Searcher,
    Sentence,
    Step,
    keep_background,
    stored_likeness,
)
from search.asking.example import beside_sentences
from search.asking.question import Examples, Question
from search.background.centring import centred_clips
from tests.search.moments.test_of_clips import FILMS, add_film, bank
from tests.search.test_searcher import IDENTITY, WORDS, WordEmbedder, mixed, words

SHOWN = [("beach", 20, 40), ("snow", 60, 80), ("beach", 120, 130)]


def no_model(_made_by):
    raise AssertionError("a model was loaded")


@pytest.fixture(params=[True, False], ids=["frames", "clips"])
def frames(request):
    """Whether videos have frame vectors."""
    return request.param


@pytest.fixture
def catalog(tmp_path, frames):
    with Catalog.open(tmp_path / "catalog", create=True) as catalog:
        catalog.bind(Provenance("words", None, IDENTITY.model_digest, len(WORDS), 8, 8.0, 4.0))
        add_film(catalog, "one.mp4", SHOWN, duration=200, frames=frames)
        add_film(catalog, "other.mp4", [("beach", 50, 70)], duration=160, frames=frames)
        add_film(catalog, "train.mp4", [("train", 10, 90)], duration=100, frames=frames)
        yield catalog


def searcher_of(catalog, *, load=no_model):
    def likeness_of(example, _made_by):
        if not example.path.is_relative_to(FILMS):
            return Likeness(mixed(example.path.name))
        ids = {video.paths[0]: video.video_id for video in catalog.videos()}
        with catalog.library() as library:
            return stored_likeness(library, ids[example.path], time=example.time)

    make = bank if load is words else _kept_bank(catalog)
    return Searcher(catalog=catalog, load_embedder=load, bank=make, likeness_of=likeness_of)


def _kept_bank(catalog):
    """A bank whose background the catalog keeps, as an index run leaves it."""
    keep_background(catalog, bank(catalog.provenance, WordEmbedder().embed_texts))
    return bank


def like(name, time=None, weight=1.0):
    return Example(FILMS / name, time, weight)


def ask(searcher, *examples, sentences=(), limit=2):
    step = Step(tuple(map(Sentence, sentences)), examples)
    return searcher.answer(Asked(steps=(step,), limit=limit)).hits


def places(hits):
    return [(hit.path.name, hit.start, hit.end) for hit in hits]


def test_other_moments_of_the_kind_come_and_not_the_moment_itself(catalog):
    hits = ask(searcher_of(catalog), like("one.mp4", 30))
    assert {hit.path.name for hit in hits} == {"one.mp4", "other.mp4"}
    for hit, (start, end) in zip(
        sorted(hits, key=lambda hit: hit.path), [(120, 130), (50, 70)], strict=True
    ):
        assert hit.start == pytest.approx(start, abs=3)
        assert hit.end == pytest.approx(end, abs=3)
        assert hit.score > 0.9
        assert hit.confidence is None


def test_with_every_moment_asked_for_the_own_one_still_is_not_there(catalog):
    for hit in ask(searcher_of(catalog), like("one.mp4", 30), limit=100):
        assert not (hit.path.name == "one.mp4" and hit.start < 38 and hit.end > 22)


def test_of_a_copy_the_same_time_does_not_come_and_other_times_do(catalog, frames):
    bent = [("beach", 20, 40), ("snow", 60, 80), ("train", 90, 110), ("beach", 120, 130)]
    add_film(catalog, "re-encoded.mp4", SHOWN, duration=200, frames=frames)
    add_film(catalog, "not a copy.mp4", bent[:1], duration=170, frames=frames)
    hits = ask(searcher_of(catalog), like("one.mp4", 30), limit=4)
    near = {(hit.path.name, hit.start < 45) for hit in hits}
    assert ("re-encoded.mp4", True) not in near
    assert {("re-encoded.mp4", False), ("not a copy.mp4", True)} <= near


def test_a_video_of_another_length_is_no_copy_even_where_it_shows_the_same(catalog, frames):
    add_film(catalog, "longer.mp4", SHOWN, duration=300, frames=frames)
    found = places(ask(searcher_of(catalog), like("one.mp4", 30), limit=5))
    assert any(name == "longer.mp4" and start < 45 for name, start, _ in found)


def test_a_whole_video_does_not_come_back_nor_its_copy(catalog, frames):
    add_film(catalog, "re-encoded.mp4", SHOWN, duration=200, frames=frames)
    found = {hit.path.name for hit in ask(searcher_of(catalog), like("one.mp4"), limit=50)}
    assert found == {"other.mp4", "train.mp4"}


def test_a_file_that_is_not_indexed_is_looked_for_everywhere(catalog):
    best = ask(searcher_of(catalog), Example(Path("/elsewhere/snow")), limit=1)[0]
    assert (best.path.name, best.start) == ("one.mp4", pytest.approx(60, abs=3))


def test_a_sentence_and_an_example_ask_for_both(catalog, frames):
    turns = [(("beach", "train")[n % 2], 10 + 2 * n, 12 + 2 * n) for n in range(10)]
    add_film(catalog, "both.mp4", turns, duration=120, frames=frames)
    searcher = searcher_of(catalog, load=words)
    (alone,) = ask(searcher, like("one.mp4", 30), limit=1)
    assert alone.path.name in ("one.mp4", "other.mp4")
    (both,) = ask(searcher, like("one.mp4", 30), sentences=["train"], limit=1)
    assert both.path.name == "both.mp4"
    assert both.confidence is None


def test_a_weight_turns_the_question_towards_the_example_or_the_sentence(catalog):
    searcher = searcher_of(catalog, load=words)
    for weight, name in ((0.05, "train.mp4"), (20.0, "other.mp4")):
        hits = ask(searcher, like("one.mp4", 125, weight), sentences=["train"], limit=3)
        assert name in [hit.path.name for hit in hits[:2]]
        assert (hits[0].path.name == "train.mp4") == (weight < 1)


def test_an_example_spreads_scores_as_much_as_a_sentence_does(catalog):
    """However small the part of a sentence is that clips have anything to do with."""
    searcher = searcher_of(catalog)
    background = searcher._background.read(bank(catalog.provenance, None))
    shown = Examples(mixed("beach")[None], np.ones(1, np.float32))
    with catalog.library() as library:
        clips = centred_clips(library.sample(1000, seed=1), background.mean_clip)
        for sentence in (mixed("train"), mixed("train", *["nothing"] * 3)):
            scaled = beside_sentences(shown, sentence[None], background, library)
            direction = Question.centred(sentence[None], [1.0], background).direction
            own = (clips @ centred_clips(shown.vectors, background.mean_clip)[0]).std()
            assert scaled.weights[0] * own == pytest.approx((clips @ direction).std(), rel=0.15)


def test_a_time_beyond_the_end_is_refused_and_the_end_is_not(catalog):
    searcher = searcher_of(catalog)
    with pytest.raises(ExampleError, match="ends at 03:20, before 03:30"):
        ask(searcher, like("one.mp4", 210))
    assert ask(searcher, like("one.mp4", 200.5))


def test_a_search_without_a_way_to_examples_says_so(catalog):
    searcher = Searcher(catalog=catalog, load_embedder=words)
    with pytest.raises(ExampleError, match="no examples"):
        ask(searcher, like("one.mp4", 30))


def test_the_normal_form_names_examples(catalog):
    step = Step(
        (Sentence("at night"), Sentence("people", -0.5)),
        (Example(Path("beach.mp4"), 83), Example(Path("a.jpg"), weight=2), like("b.mp4", 3723.5)),
    )
    assert str(step) == (
        "at night + like beach.mp4@01:23 + like a.jpg^2 + like /films/b.mp4@1:02:03.5, not: people"
    )
    with pytest.raises(EmptyQueryError):
        ask(searcher_of(catalog))
