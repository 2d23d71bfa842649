"""Words that are said: alone, and beside a sentence, over a real catalog."""

from pathlib import Path

import pytest

from catalog import Cue, InvalidWordsError, SubtitleFile, VideoFilter
from search import Asked, EmptyQueryError, Searcher, Sentence, Step
from search.hits import hit_of
from search.moments.ranking import Moment
from search.said import WordsOf
from tests.search.test_searcher import add_film, bound, inside, mixed, words


@pytest.fixture
def catalog(tmp_path):
    with bound(tmp_path / "catalog") as catalog:
        add_film(catalog, "home.mp4", *["kitchen", "nothing", "snow", "nothing", "kitchen"] * 4)
        add_film(catalog, "sea.mp4", *["beach", "kitchen", "nothing"] * 4)
        put(catalog, "home.mp4", Cue(65.0, 67.0, "dinner is ready"), Cue(20.0, 22.0, "good night"))
        put(catalog, "sea.mp4", Cue(1.0, 3.0, "dinner is cold"))
        yield catalog


def put(catalog, name, *cues):
    films = Path("/films")
    file = SubtitleFile(films / f"{name}.srt", 1, 1, (films / name,), "en", cues)
    catalog.details.put_subtitle_files([file])


@pytest.fixture
def searcher(catalog):
    return Searcher(catalog=catalog, load_embedder=words)


def asked(*sentences, said, **options):
    return Asked(steps=(Step(tuple(map(Sentence, sentences))),), said=said, **options)


def test_words_alone_give_the_moments_of_their_cues_without_a_model(catalog):
    def no_model(_made_by):
        raise AssertionError("no model is needed")

    result = Searcher(catalog=catalog, load_embedder=no_model).answer(asked(said="dinner is ready"))
    (hit,) = result.hits
    assert (hit.path, hit.start, hit.end, hit.peak) == (Path("/films/home.mp4"), 65.0, 67.0, 66.0)
    assert hit.said is not None
    assert (hit.said.text, hit.said.language) == ("dinner is ready", "en")
    assert hit.said.source == "/films/home.mp4.srt"
    assert hit.confidence is None
    assert result.convincing == result.hits
    assert result.query == "said: dinner is ready"


def test_a_sentence_is_looked_for_near_the_words_only(searcher):
    hits = searcher.answer(asked("kitchen", said="dinner is ready")).hits
    assert {hit.path.name for hit in hits} == {"home.mp4"}
    assert all(hit.start < 72.0 and hit.end > 60.0 for hit in hits)
    assert {hit.said.text for hit in hits} == {"dinner is ready"}
    plain = searcher.answer(Asked.of("kitchen")).hits
    assert {hit.path.name for hit in plain} == {"home.mp4", "sea.mp4"}
    assert {hit.said for hit in plain} == {None}


def test_a_moment_at_the_other_end_of_its_clip_has_the_words_that_are_near_the_clip(catalog):
    clips = catalog.nearest_clips(mixed("kitchen"), limit=99, videos=inside("home.mp4"))
    clip = next(clip for clip in clips if clip.start == 24.0)
    far = Moment(30.0, 32.0, peak=31.0, best=clip)
    near = Moment(24.0, 26.0, peak=25.0, best=clip)
    hits = [hit_of(one, rank=1, score=1.0, chance=None) for one in (far, near)]
    found = WordsOf(catalog, "good night").beside(hits, [far, near])
    assert [hit.said and hit.said.text for hit in found] == ["good night", "good night"]
    assert WordsOf(catalog, "dinner").beside(hits, [far, near]) == tuple(hits)


def test_words_and_filters_are_met_together(searcher):
    sea = VideoFilter(inside=("sea.*",))
    hits = searcher.answer(asked("kitchen", said="dinner", videos=sea)).hits
    assert {hit.path.name for hit in hits} == {"sea.mp4"}
    assert searcher.answer(asked("kitchen", said="good night", videos=sea)).hits == ()
    assert [h.path.name for h in searcher.answer(asked(said="dinner", videos=sea)).hits] == [
        "sea.mp4"
    ]


def test_words_that_nobody_says_have_no_answer(searcher):
    assert searcher.answer(asked("kitchen", said="never")).hits == ()
    assert searcher.answer(asked(said="never")).hits == ()


@pytest.mark.parametrize("said", ["", " ", "?!"])
def test_no_words_are_refused(searcher, said):
    for sentences in ((), ("kitchen",)):
        with pytest.raises(InvalidWordsError):
            searcher.answer(asked(*sentences, said=said))


def test_what_is_not_wanted_is_no_question_even_with_words(searcher):
    only_not = Asked(steps=(Step((Sentence("kitchen", -0.5),)),), said="dinner")
    with pytest.raises(EmptyQueryError):
        searcher.answer(only_not)
