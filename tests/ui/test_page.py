"""The page as a person meets it, on a real catalog that stays as it is."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from ui.asking import FIELDS
from vsearch.commands.questions.words import asked_in
from vsearch.services.answers.search import search
from vsearch.settings import Settings


@pytest.fixture
def settings(lasting_settings: Settings) -> Settings:
    return lasting_settings


def test_before_a_sentence_is_typed_the_page_tells_what_can_be_searched(page, model: Path) -> None:
    opened = page()
    assert "<dt>Videos</dt><dd>2</dd>" in opened.words
    assert "<dt>Of video</dt><dd>00:29</dd>" in opened.words
    assert f"<dt>Model</dt><dd>{model}</dd>" in opened.words
    assert "8 s, every 4 s" in opened.words
    assert "could not be indexed" not in opened.words
    assert "coloured shapes" not in opened.words  # which is the demo's
    assert set(opened.buttons) <= {"Save"}  # the demo would suggest sentences


def test_a_sentence_brings_the_moments_that_the_command_brings(page, settings: Settings) -> None:
    asked = page().ask("a film that gets brighter").show_everything()
    hits = search(asked_in(["--", "a film that gets brighter"]), settings=settings).hits
    assert len(asked.moments) == len(hits) >= 2
    for shown, hit in zip(asked.moments, hits, strict=True):
        assert (shown["rank"], shown["film"]) == (hit.rank, hit.path.name)
        assert (shown["clip"], shown["confidence"]) == (hit.clip_id, str(hit.confidence))
        assert (shown["start"], shown["end"]) == pytest.approx((hit.start, hit.end), abs=1e-3)
        assert f"In {hit.path}." in shown["why"]


def test_moments_of_a_film_stand_together_on_a_strip_of_how_well_each_part_fits(page) -> None:
    asked = page(q="a film that gets brighter").show_everything()
    assert sorted(film["name"] for film in asked.films) == ["evening.mkv", "morning.mp4"]
    for film in asked.films:
        (curve,) = film["curves"]
        assert len(curve) == 200
        assert all(0.0 <= height <= 1.0 for height in curve)
    assert max(height for film in asked.films for height in film["curves"][0]) == 1.0


def test_what_is_asked_stands_in_the_url(page) -> None:
    app = page().app  # the browser writes the URL; these tell it under which names
    keys = [field.key for field in FIELDS]
    assert [app.text_input(key=key).proto.query_param_key for key in ("q", *keys)] == ["q", *keys]
    assert app.number_input(key="n").proto.query_param_key == "n"
    assert app.selectbox(key="sort").proto.query_param_key == "sort"


def test_a_bookmarked_search_is_asked_again(page) -> None:
    asked = page(q="a film", n="1", in_="*.mkv", sort="newest")
    assert asked.app.text_input(key="q").value == "a film"
    (only,) = asked.moments
    assert only["film"] == "evening.mkv"
    assert r"Only in\: \*.mkv" in asked.buttons


def test_what_is_asked_beside_the_sentence_can_be_left_out_by_its_chip(page) -> None:
    asked = page(q="a film", in_="*.mkv")
    assert {one["film"] for one in asked.moments} == {"evening.mkv"}
    asked.press(r"Only in\: \*.mkv").show_everything()
    assert {one["film"] for one in asked.moments} == {"evening.mkv", "morning.mp4"}


def test_fields_ask_as_the_options_of_the_command_do(page, settings: Settings) -> None:
    words = ["--and=brightness", "--not=a car", "--not=people", "--sort=path", "--", "a film"]
    hits = search(asked_in(words), settings=settings).hits
    asked = page(q="a film", and_="brightness", not_="a car; people", sort="path")
    asked.show_everything()
    assert [one["clip"] for one in asked.moments] == [hit.clip_id for hit in hits]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ({"q": "x", "after": "never"}, "is no date"),
        ({"q": "x", "after": "2024", "before": "2023"}, "no time is both after"),
        ({"q": "x", "and": "a dog^-1"}, "0.01 to 100"),
        ({"like": "nowhere.mp4@1:23"}, "nowhere.mp4"),
    ],
)
def test_what_cannot_be_asked_is_told_in_the_words_of_the_command(
    page, url: dict[str, str], says: str
) -> None:
    opened = page(**url)
    assert says in opened.words
    assert "vs-problem" in opened.words
    assert opened.moments == []


@pytest.mark.parametrize(
    ("number", "limit"),
    [("0", 1), ("51", 50), ("9" * 400, 50), ("-3", 10), ("inf", 10), ("many", 10), ("1.5", 10)],
)
def test_a_url_that_asks_for_an_impossible_number_gets_the_nearest_and_is_told(
    page, number: str, limit: int
) -> None:
    asked = page(q="a film", n=number)
    assert asked.app.number_input(key="n").value == limit
    assert f"from 1 to 50 can be shown, and {limit} at most are" in asked.words
    assert asked.moments


@pytest.mark.parametrize("number", ["1", "50", "10"])
def test_a_url_that_asks_for_a_possible_number_gets_it(page, number: str) -> None:
    asked = page(q="a film", n=number)
    assert asked.app.number_input(key="n").value == int(number)
    assert "The address" not in asked.words


def test_the_library_lists_all_films(page) -> None:
    opened = page().look_at("Library")
    assert [film["name"] for film in opened.films] == ["evening.mkv", "morning.mp4"]
    assert [one["words"] for one in opened.moments] == [["2 clips"], ["4 clips"]]
    opened.app.text_input(key="name").set_value("MORN").run()
    assert [film["name"] for film in opened.films] == ["morning.mp4"]
    assert "1 of 2 videos" in opened.words


def test_an_empty_basket_says_how_to_fill_it(page) -> None:
    assert "The basket is empty" in page().look_at("Basket").words


def test_earlier_searches_can_be_asked_again_and_saved(page) -> None:
    asked = page(q="the first film", in_="*.mkv").ask("the second film")
    assert '<a href="?q=the+first+film&amp;in=%2A.mkv"' in asked.words
    asked.app.text_input(key="saved_as").set_value("mine")
    asked.press("Save")
    assert '<a href="?q=the+second+film&amp;in=%2A.mkv" target="_self">mine</a>' in asked.words
    assert ">mine</a>" in page().words  # another window
    asked.press("Forget mine")
    assert ">mine</a>" not in asked.look_again().words


def test_white_space_is_no_sentence(page) -> None:
    asked = page(q="   ")
    assert asked.moments == []
    assert "<dt>Videos</dt>" in asked.words


def test_a_filter_that_no_file_fits_is_told(page) -> None:
    asked = page(q="a film", in_="<b>*.avi")
    assert asked.moments == []
    assert "no indexed video meets the filters" in asked.words


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """The SQL statements that this process executes, in order."""
    executed: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        executed.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield executed
    event.remove(Engine, "before_cursor_execute", note)


def tables_read(statements: list[str]) -> set[str]:
    """The tables that these statements read; the list is emptied."""
    found = {table for one in statements for table in re.findall(r"(?:FROM|JOIN) (\w+)", one)}
    statements.clear()
    return found


def test_the_catalog_is_counted_and_searched_once_for_each_question(
    page, statements: list[str]
) -> None:
    asked = page(q="a film")
    assert {"meta", "videos", "clips", "files"} <= tables_read(statements)
    asked.look_again()
    assert asked.moments
    assert tables_read(statements) == {"meta"}  # one row: has the catalog changed?
    asked.ask("another film")
    assert {"clips", "files"} <= tables_read(statements)
    asked.ask("a film")  # it was asked before
    assert asked.moments
    assert tables_read(statements) == {"meta"}


def test_where_nothing_is_convincing_the_page_says_so_and_shows_the_nearest_on_request(
    page, settings: Settings
) -> None:
    found = search(asked_in(["--", "another film"]), settings=settings)
    assert found.hits
    assert found.convincing == ()
    asked = page(q="another film")
    assert asked.moments == []
    assert "<b>Nothing convincing</b>: no moment is as near to it" in asked.words
    assert f"Also show {len(found.hits)} moments with nothing convincing" in asked.buttons
    every = asked.show_everything().moments
    assert len(every) == len(found.hits)
    assert all(moment["confidence"] == "none" for moment in every)


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("一只狗在海滩上奔跑", "it is not written in Latin letters"),
        ("???", "there are no words to look for in it"),
        ("un perro corre por la playa", "it does not look like English"),
        ("a film that gets brighter " * 20, "it is too long for the model"),
    ],
)
def test_what_the_model_cannot_know_of_a_sentence_is_told(page, sentence: str, told: str) -> None:
    asked = page(q=sentence)
    assert f"About this question: {told}" in asked.words
    in_browser = asked.app.get("bidi_component")[0]
    assert told in in_browser.proto.json  # for a screen reader, too


def test_of_a_sound_sentence_nothing_is_told(page) -> None:
    assert "About this question" not in page(q="a film").words


def test_a_model_that_is_not_there_is_one_sentence(page, model: Path) -> None:
    away = model.rename(model.with_name("away"))
    try:
        for url in ({}, {"q": "a film"}):
            opened = page(**url)
            assert "vs-problem" in opened.words
            assert "is not a model" in opened.words
    finally:
        away.rename(model)


def test_a_catalog_of_another_model_is_named(
    page, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = page()
    monkeypatch.setenv("VSEARCH_UI_MODEL", "microsoft/xclip-base-patch32")
    opened.look_again()
    assert f"was made with {model}" in opened.words
    assert "<code>vsearch forget --all --catalog" in opened.words


def test_a_page_started_by_hand_shows_nothing_and_says_how_to_start_it(page) -> None:
    opened = page(q="a film")
    os.environ.pop("VSEARCH_UI_CATALOG")
    opened.look_again()
    assert opened.moments == []
    assert "was not started by <code>vsearch ui</code>" in opened.words
