"""The page as a person meets it, on a real catalog that stays as it is."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from vsearch.services.search import search
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
    assert opened.buttons == []


def test_a_sentence_brings_the_moments_that_the_command_brings(page, settings: Settings) -> None:
    asked = page().ask("a film that gets brighter").show_everything()
    hits = search("a film that gets brighter", settings=settings, limit=10).hits
    assert len(asked.moments) == len(hits) >= 2
    for shown, hit in zip(asked.moments, hits, strict=True):
        assert f'<span class="vs-rank">{hit.rank}</span>' in shown
        assert f"<h2>{hit.path.name}</h2>" in shown
        assert f">{hit.score:.3f}<" in shown
        assert str(hit.path) in shown
    assert asked.pictures == len(hits)


def test_what_is_asked_stands_in_the_url(page) -> None:
    app = page().app  # the browser writes the URL; these tell it under which names
    asked = [app.text_input(key="q"), app.text_input(key="in"), app.number_input(key="n")]
    assert [widget.proto.query_param_key for widget in asked] == ["q", "in", "n"]


def test_a_bookmarked_search_is_asked_again(page) -> None:
    asked = page(q="a film", n="1", in_="*.mkv")
    assert asked.app.text_input(key="q").value == "a film"
    (only,) = asked.moments
    assert "evening.mkv" in only


@pytest.mark.parametrize(
    ("number", "limit"),
    [("0", 1), ("51", 50), ("9" * 400, 50), ("-3", 10), ("inf", 10), ("many", 10), ("1.5", 10)],
)
def test_a_url_that_asks_for_an_impossible_number_gets_the_nearest_and_is_told(
    page, number: str, limit: int
) -> None:
    asked = page(q="a film", n=number)
    assert asked.app.number_input(key="n").value == limit
    begin = number if len(number) < 20 else f"{number[:20]}…"
    assert f"n={begin}; from 1 to 50 moments can be shown, and {limit} at most are" in asked.words
    assert asked.moments


@pytest.mark.parametrize("number", ["1", "50", "10"])
def test_a_url_that_asks_for_a_possible_number_gets_it(page, number: str) -> None:
    asked = page(q="a film", n=number)
    assert asked.app.number_input(key="n").value == int(number)
    assert "The address asks" not in asked.words


def test_each_picture_and_player_is_called_by_film_and_time(page) -> None:
    asked = page(q="a film", n="1")
    (picture,) = asked.app.image
    assert re.fullmatch(r"(morning\.mp4|evening\.mkv), 00:\d\d–00:\d\d", picture.proto.imgs[0].alt)
    (player,) = asked.press("Play").players
    assert player.alt == picture.proto.imgs[0].alt


def test_white_space_is_no_sentence(page) -> None:
    asked = page(q="   ")
    assert asked.moments == []
    assert "<dt>Videos</dt>" in asked.words


def test_a_filter_that_no_file_fits_is_named(page) -> None:
    asked = page(q="a film", in_="<b>*.avi")
    assert asked.moments == []
    assert "No moments in files that match <code>&lt;b&gt;*.avi</code>" in asked.words


def test_one_moment_plays_at_a_time(page) -> None:
    asked = page(q="a film")
    stills = asked.pictures
    assert asked.players == []
    playing = set()
    for _ in range(2):
        asked.press("Play")
        assert len(asked.players) == 1
        assert asked.pictures == stills - 1
        playing |= {button.key for button in asked.app.button if button.label == "Close"}
    assert len(playing) == 2
    asked.press("Close")
    assert asked.players == []
    assert asked.pictures == stills


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
    asked.press("Play")
    assert asked.players
    assert tables_read(statements) == {"meta"}  # one row: has the catalog changed?
    asked.press("Close")
    assert tables_read(statements) == {"meta"}
    asked.ask("another film")
    assert {"clips", "files"} <= tables_read(statements)
    asked.ask("a film")  # it was asked before
    assert asked.moments
    assert tables_read(statements) == {"meta"}


def test_another_sentence_ends_what_plays(page) -> None:
    asked = page(q="a film").press("Play").ask("another film")
    assert asked.players == []
    assert asked.show_everything().moments
    assert asked.players == []


def test_where_nothing_is_convincing_the_page_says_so_and_shows_the_nearest_on_request(
    page, settings: Settings
) -> None:
    found = search("another film", settings=settings, limit=10)
    assert found.hits
    assert found.convincing == ()
    asked = page(q="another film")
    assert asked.moments == []
    assert "<b>Nothing convincing</b>: no moment is as near to it" in asked.words
    assert [switch.label for switch in asked.app.toggle] == [
        f"Also show {len(found.hits)} moments with nothing convincing"
    ]
    every = asked.show_everything().moments
    assert len(every) == len(found.hits)
    assert all(">not convincing</span>" in moment for moment in every)
    assert asked.ask("a film that gets brighter").app.toggle[0].value is False


def test_a_player_starts_by_itself_and_plays_an_mp4(page) -> None:
    asked = page(q="a film").press("Play")
    (player,) = asked.players
    assert player.autoplay
    assert player.url.endswith(".mp4")
    assert "without sound" in asked.words


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
    (in_browser,) = asked.app.get("bidi_component")
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
