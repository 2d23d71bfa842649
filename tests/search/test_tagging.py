"""Tags of toy films: the moments under a name are those that a question has."""

import pytest

from catalog import EVERY_VIDEO, Tag, VideoFilter
from indexer import IndexSettings
from search import Asked, Confidence, Searcher, Sentence, Step, tagging
from search.tagging import tagged_moments
from toyworld.library import make_library
from vsearch.services.library.indexing import IndexOptions, index_library
from vsearch.services.models import open_catalog
from vsearch.services.sentences.bank import bank_of
from vsearch.settings import Settings
from xclip_core import TextEmbedder

AT_LEAST = {
    Confidence.STRONG: {"strong"},
    Confidence.LIKELY: {"strong", "likely"},
    Confidence.WEAK: {"strong", "likely", "weak"},
}


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    return make_library(tmp_path_factory.mktemp("tags") / "films", films=3)


@pytest.fixture(scope="module")
def indexed(films):
    home = films[0].path.parents[1]
    settings = Settings(home=home, catalog=home / "catalog", model="demo", device="cpu")
    options = IndexOptions(settings=IndexSettings(workers=1))
    index_library([films[0].path.parent], settings=settings, options=options)
    return settings


@pytest.fixture
def catalog(indexed):
    with open_catalog(indexed) as catalog:
        yield catalog


@pytest.fixture
def searcher(catalog, indexed):
    return Searcher(
        catalog=catalog,
        load_embedder=lambda _: TextEmbedder.load("demo"),
        bank=lambda made_by, embed: bank_of(made_by, embed, settings=indexed),
    )


@pytest.fixture
def captions(films):
    return [event.caption for film in films for event in film.events]


@pytest.fixture
def find(catalog, searcher):
    """The moments under names, each of one or several sentences."""

    def go(sentences, *, least=Confidence.LIKELY, videos=EVERY_VIDEO, **options):
        steps = [Step(tuple(map(Sentence, texts))) for texts in sentences.values()]
        asked = dict(zip(sentences, searcher.questions(steps)[0], strict=True))
        with catalog.library() as library:
            clips = library.clip_ids(videos)
            return list(
                tagged_moments(asked, library, clips, least=least, videos=videos, **options)
            )

    return go


@pytest.mark.parametrize("least", AT_LEAST)
def test_the_moments_under_a_sentence_are_those_of_a_question(find, searcher, captions, least):
    found = find({text: [text] for text in captions}, least=least)
    assert {one.name for one in found} == set(captions)
    for text in captions:
        asked = [
            (hit.rank, hit.clip_id, hit.start, hit.end, hit.confidence)
            for hit in searcher.search(text, limit=99).hits
            if hit.confidence in AT_LEAST[least]
        ]
        its = [one.hit for one in found if one.name == text]
        assert [(h.rank, h.clip_id, h.start, h.end, h.confidence) for h in its] == asked


def test_parts_and_filters_change_nothing_else(find, captions, films, monkeypatch):
    names = {text: [text] for text in captions}
    every = find(names)
    told = []
    monkeypatch.setattr(tagging, "_ROWS_AT_A_TIME", 5)
    assert find(names, on_progress=lambda *done: told.append(done)) == every
    assert (
        told[-1][0]
        == told[-1][1]
        == sum(
            done - before
            for before, done in zip(
                [0, *(done for done, _ in told)], (done for done, _ in told), strict=False
            )
        )
    )
    assert len(told) > 3
    first = films[0].path
    some = find(names, videos=VideoFilter(inside=(first.name,)))
    assert {one.hit.path for one in some} == {first}
    by_first = [one for one in every if one.hit.path == first]
    assert [(one.name, one.hit.clip_id) for one in some] == [
        (one.name, one.hit.clip_id) for one in by_first
    ]


def test_a_name_of_several_sentences_asks_for_all_together(find, searcher, films):
    event = films[0].events[0].combination
    texts = (event.caption, f"the {event.colour} {event.shape} {event.motion}")
    (one,) = {moment.hit.clip_id for moment in find({"both": texts}) if moment.hit.rank == 1}
    answer = searcher.answer(Asked(steps=(Step(tuple(map(Sentence, texts))),)))
    assert one == answer.hits[0].clip_id


def test_what_is_nowhere_has_no_moments(find):
    assert find({"absent": ["a plumber repairs a sink"]}) == []


def test_a_moment_may_have_several_names(find, films):
    event = films[0].events[0]
    names = {"exact": [event.caption], "again": [event.caption], "none": ["a book on a table"]}
    found = find(names, videos=VideoFilter(inside=(films[0].path.name,)))
    clips = {name: [one.hit.clip_id for one in found if one.name == name] for name in names}
    assert clips["exact"] == clips["again"] != []
    assert clips["none"] == []


def test_moments_that_have_an_unwanted_tag_are_left_out_also_where_their_clips_are_not(
    find, searcher, catalog, captions
):
    without = VideoFilter(without_tags=("known",))
    for text in captions:
        moment = find({text: [text]})[0]
        best = moment.hit
        tag = Tag("known", moment.video_id, best.start, best.end, "strong", 1.0)
        catalog.tags.replace(["known"], [tag])
        asked = Asked.of(text, limit=99, videos=without)
        others = [*searcher.answer(asked).hits]
        others += [one.hit for one in find({text: [text]}, videos=without)]
        assert others
        for hit in (hit for hit in others if hit.path == best.path):
            shared = min(hit.end, best.end) - max(hit.start, best.start)
            assert shared <= 0.3 * min(hit.end - hit.start, best.end - best.start)
    catalog.tags.remove(["known"])
