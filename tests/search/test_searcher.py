"""The searcher over a real catalog, with a model whose words are one-hot vectors."""

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import (
    EVERY_VIDEO,
    Catalog,
    ClipSpan,
    FileLocation,
    Provenance,
    ProvenanceMismatchError,
    VideoFilter,
    VideoRecord,
)
from search import (
    EmptyQueryError,
    InvalidLimitError,
    NothingIndexedError,
    Searcher,
    merge_into_moments,
)
from xclip_core import ModelIdentity

WORDS = ("kitchen", "beach", "train", "snow", "nothing")
IDENTITY = ModelIdentity("words", None, "ab" * 32, len(WORDS), 8, 224)


def inside(glob):
    return VideoFilter(inside=(glob,))


@dataclass(frozen=True)
class WordEmbedder:
    """A sentence is the sum of its words."""

    identity: ModelIdentity = IDENTITY

    def embed_texts(self, texts):
        return np.stack([mixed(*text.split()) for text in texts])

    def letters_read(self, text):
        return 30 if len(text) > 30 else None


def words(_made_by):
    return WordEmbedder()


def mixed(*given):
    vector = np.array([float(given.count(word)) for word in WORDS], dtype=np.float32)
    return vector / np.linalg.norm(vector)


def bound(folder: Path) -> Catalog:
    catalog = Catalog.open(folder, create=True)
    catalog.bind(Provenance("words", None, "ab" * 32, len(WORDS), 8, 8.0, 4.0))
    return catalog


def add_film(catalog: Catalog, name: str, *clips: str) -> None:
    """A film whose clips, 8 s every 4 s, show these words."""
    catalog.add_video(
        VideoRecord(name, 4.0 * len(clips) + 4.0, 64, 48, 25.0, "h264", "mp4"),
        location=FileLocation(Path("/films"), Path("/films", name), 1, 1),
        clips=[ClipSpan(4.0 * n, 4.0 * n + 8.0) for n in range(len(clips))],
        vectors=np.stack([mixed(*clip.split()) for clip in clips]),
    )


@pytest.fixture
def catalog(tmp_path):
    with bound(tmp_path / "catalog") as catalog:
        add_film(catalog, "home.mp4", "nothing", "kitchen", "kitchen", "nothing", "snow")
        add_film(catalog, "trip/sea.mp4", "nothing", "beach", "beach train", "nothing")
        yield catalog


@pytest.fixture
def searcher(catalog):
    return Searcher(catalog=catalog, load_embedder=words)


def test_the_best_moment_comes_first_with_its_whole_length(searcher):
    result = searcher.search("kitchen")
    best = result.hits[0]
    assert (best.path, best.start, best.end) == (Path("/films/home.mp4"), 4.0, 16.0)
    assert best.duration == 24.0
    assert best.score == pytest.approx(1.0, abs=1e-3)
    assert [hit.rank for hit in result.hits] == list(range(1, len(result.hits) + 1))


def test_the_result_has_the_query_the_model_and_the_time(searcher):
    result = searcher.search("  beach ")
    assert (result.query, result.model) == ("  beach ", "words")
    assert result.took_ms > 0.0
    assert result.hits[0].path == Path("/films/trip/sea.mp4")


def test_the_limit_counts_moments(searcher):
    assert len(searcher.search("kitchen", limit=1).hits) == 1
    assert len(searcher.search("kitchen", limit=2).hits) == 2


def test_a_glob_filters_the_files(searcher):
    hits = searcher.search("kitchen", videos=inside("trip")).hits
    assert {hit.path for hit in hits} == {Path("/films/trip/sea.mp4")}
    assert searcher.search("kitchen", videos=inside("*.avi")).hits == ()


def test_of_copies_that_match_the_glob_one_that_exists_is_shown(catalog, searcher, tmp_path):
    here, away = tmp_path / "here.mp4", Path("/films/home.mp4")
    here.touch()
    catalog.add_locations({FileLocation(tmp_path, here, 1, 1): catalog.video_with("home.mp4")})
    best = searcher.search("kitchen").hits[0]
    assert (best.path, best.other_paths) == (here, (away,))
    asked = searcher.search("kitchen", videos=inside("/films/*")).hits[0]
    assert (asked.path, asked.other_paths) == (away, (here,))


def test_a_video_that_fills_the_first_scan_does_not_hide_the_others(tmp_path):
    with bound(tmp_path / "catalog") as catalog:
        add_film(catalog, "long.mp4", *["kitchen"] * 300)
        add_film(catalog, "short.mp4", "kitchen snow")
        hits = Searcher(catalog=catalog, load_embedder=words).search("kitchen", limit=2).hits
    assert [(hit.path.name, hit.end) for hit in hits] == [("long.mp4", 1204.0), ("short.mp4", 8.0)]


@settings(max_examples=15, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 400), min_size=1, max_size=6),
    limit=st.integers(1, 30),
    seed=st.integers(0, 99),
)
def test_the_moments_are_those_of_all_clips_compared_one_by_one(lengths, limit, seed):
    """Many clips are equal, and one video may have more of the best clips than one scan finds."""
    levels = np.random.default_rng(seed).integers(0, 4, size=sum(lengths))
    vectors = np.stack([mixed(*(["kitchen"] * level + ["snow"])) for level in levels])
    stored = vectors.astype(np.float16).astype(np.float32)
    scores = np.einsum("nd,d->n", stored, mixed("kitchen"))
    with TemporaryDirectory() as folder, bound(Path(folder, "catalog")) as catalog:
        first = 0
        for number, length in enumerate(lengths):
            shown = levels[first : first + length]
            add_film(catalog, f"{number}.mp4", *("kitchen " * level + "snow" for level in shown))
            first += length
        found = Searcher(catalog=catalog, load_embedder=words).search("kitchen", limit=limit).hits
        every = catalog.nearest_clips(mixed("kitchen"), limit=sum(lengths))
    order = np.lexsort((np.arange(len(scores)), -scores))
    assert [clip.clip_id for clip in every] == (order + 1).tolist()
    assert [clip.score for clip in every] == pytest.approx(scores[order].tolist(), abs=1e-6)
    size = max(256, 16 * limit)
    while len(moments := merge_into_moments(every[:size])) < limit and size < len(every):
        size *= 4
    assert [(hit.path, hit.start, hit.end, hit.clip_id) for hit in found] == [
        (moment.best.path, moment.start, moment.end, moment.best.clip_id)
        for moment in moments[:limit]
    ]


def test_a_video_indexed_meanwhile_is_found(catalog, searcher):
    searcher.search("snow")
    add_film(catalog, "new.mp4", "snow kitchen")
    assert searcher.search("snow kitchen").hits[0].path == Path("/films/new.mp4")


@pytest.mark.parametrize("text", ["", "  ", "\n\t"])
def test_an_empty_query_is_refused(searcher, text):
    with pytest.raises(EmptyQueryError, match="describe in words"):
        searcher.search(text)


@pytest.mark.parametrize("limit", [0, -3])
def test_a_limit_below_one_is_refused(searcher, limit):
    with pytest.raises(InvalidLimitError, match=f"limit is {limit}"):
        searcher.search("kitchen", limit=limit)


def test_a_catalog_of_another_model_is_refused_with_both_named(catalog):
    other = Searcher(
        catalog=catalog,
        load_embedder=lambda _: WordEmbedder(
            replace(IDENTITY, model="rooms", model_digest="cd" * 32)
        ),
    )
    with pytest.raises(
        ProvenanceMismatchError, match=r"made with words.*asks for rooms.*--model words"
    ):
        other.search("kitchen")


def test_the_same_weights_under_another_name_is_accepted(catalog):
    renamed = Searcher(
        catalog=catalog,
        load_embedder=lambda _: WordEmbedder(replace(IDENTITY, model="copy/of/words")),
    )
    assert renamed.search("kitchen").hits[0].path == Path("/films/home.mp4")


def test_an_empty_catalog_says_how_to_fill_it(tmp_path):
    with bound(tmp_path / "catalog") as catalog:
        empty = Searcher(catalog=catalog, load_embedder=words)
        for videos in (EVERY_VIDEO, inside("*.mp4")):
            with pytest.raises(NothingIndexedError, match="vsearch index PATH"):
                empty.search("kitchen", videos=videos)


def test_a_new_catalog_says_how_to_fill_it(tmp_path):
    with Catalog.open(tmp_path / "catalog", create=True) as catalog:
        fresh = Searcher(catalog=catalog, load_embedder=words)
        with pytest.raises(NothingIndexedError, match="vsearch index PATH"):
            fresh.search("kitchen")


def test_a_catalog_whose_videos_are_all_removed_says_how_to_fill_it(catalog, searcher):
    catalog.remove_files([Path("/films/home.mp4"), Path("/films/trip/sea.mp4")])
    with pytest.raises(NothingIndexedError, match="vsearch index PATH"):
        searcher.search("kitchen")


def test_the_model_is_loaded_once_at_first_use(catalog):
    loads = []

    def load(_):
        loads.append(len(loads))
        return WordEmbedder()

    searcher = Searcher(catalog=catalog, load_embedder=load)
    assert loads == []
    searcher.warm_up()
    searcher.search("kitchen")
    searcher.search("snow")
    assert loads == [0]


def test_warming_up_refuses_another_model(catalog):
    stranger = WordEmbedder(replace(IDENTITY, model="rooms", model_digest="cd" * 32))
    with pytest.raises(ProvenanceMismatchError, match="asks for rooms"):
        Searcher(catalog=catalog, load_embedder=lambda _: stranger).warm_up()


def test_problems_of_a_query_are_noted_with_its_answer(searcher):
    assert searcher.search("kitchen").notes == ()
    (note,) = searcher.search("kitchen perro corriendo").notes
    assert "English" in note
    # The embedder of these tests reads 30 letters.
    (note,) = searcher.search("kitchen beach train snow beach kitchen").notes
    assert "“… beach train snow beach”" in note
