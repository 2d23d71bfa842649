import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from catalog import FileProblem, VideoFilter
from search import Asked, SearchResult
from ui import markup
from ui.notebook import Picked
from vsearch.services.library.detached_index import RunState
from vsearch.settings import Settings


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)


def tags(html: str) -> list[str]:
    parser = Tags()
    parser.feed(html)
    return parser.found


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("clip\u202egpj.mp4", "clip\\u202egpj.mp4"),
        ("clip\u2066.mp4", "clip\\u2066.mp4"),
        ("two\nlines.mp4", "two\\nlines.mp4"),
        ("zero\u200bwidth.mp4", "zero\\u200bwidth.mp4"),
        ("猫の動画　一.mp4", "猫の動画　一.mp4"),
        ("می\u200cخواهم.mp4", "می\u200cخواهم.mp4"),
        ("👨\u200d👩\u200d👧.mp4", "👨\u200d👩\u200d👧.mp4"),
    ],
)
def test_a_name_is_shown_so_that_it_cannot_deceive_and_ordinary_letters_as_they_are(
    name: str, told: str
) -> None:
    assert markup.failures([FileProblem(Path("/media") / name, "x")]).count(told) == 1


@pytest.mark.parametrize(
    ("sentence", "title"),
    [
        (None, "vsearch"),
        ("  ", "vsearch"),
        (" a dog ", "a dog · vsearch"),
    ],
)
def test_a_bookmark_is_called_as_what_was_asked(sentence: str | None, title: str) -> None:
    assert markup.page_title(sentence) == title


def test_commands_in_a_problem_are_set_as_code_and_nothing_else_is_markup() -> None:
    shown = markup.problem("no <catalog> in /a_b_c; make one with `vsearch index 'A B'`")
    assert "no &lt;catalog&gt; in /a_b_c" in shown
    assert "<code>vsearch index &#x27;A B&#x27;</code>" in shown


def test_the_first_command_names_the_catalog_and_the_model_where_they_are_not_the_usual() -> None:
    home = Path("/home/me/.local/share/vsearch")
    usual = Settings(home=home, catalog=home / "catalog")
    assert "<pre>vsearch index FOLDER</pre>" in markup.how_to_begin(usual, has_catalog=False)
    own = Settings(home=home, catalog=Path("/media/my own"), model="demo")
    shown = markup.how_to_begin(own, has_catalog=True)
    command = "vsearch index FOLDER --catalog &#x27;/media/my own&#x27; --model demo"
    assert f"<pre>{command}</pre>" in shown


def test_an_answer_without_moments_says_why() -> None:
    asked = Asked.of("a dog", videos=VideoFilter(inside=("<i>",)))
    none = SearchResult(asked=asked, model="demo", took_ms=1.2, hits=())
    assert "no indexed video meets the filters" in markup.summary(none, shown=0)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("q=a+dog", "a dog"),
        ("q=a+dog&not=people&in=%2A.mkv", "a dog · not: people · in: *.mkv"),
        ("like=%5Ba%5D.mp4%401%3A23", "like: [a].mp4@1:23"),
        ("", "everything"),
    ],
)
def test_an_earlier_search_is_called_by_what_it_asked(address: str, name: str) -> None:
    assert markup.search_name(address) == name
    (link,) = re.findall('href="([^"]*)"', markup.searches("Earlier", {name: address}))
    assert html.unescape(link) == f"?{address}"


@pytest.mark.parametrize(
    ("progress", "told"),
    [
        (None, "Indexing: looking for videos…"),
        ({"files_done": 3, "files": 1200, "speed": None}, "Indexing: 3 of 1,200 files"),
        (
            {"files_done": 1, "files": 1, "speed": 16.04, "seconds_left": 61.2},
            "Indexing: 1 of 1 file, 16.0 × realtime, 01:02 left",
        ),
    ],
)
def test_how_far_a_run_is_is_told_in_a_line(progress: dict[str, Any] | None, told: str) -> None:
    assert markup.progress(RunState(True, ("/films",), progress, (), None)) == told


def test_names_in_lists_cannot_act_as_markup() -> None:
    failed = markup.failures([FileProblem(Path("/a/<b>.mp4"), "is <i>broken</i>")])
    assert tags(failed) == ["ul", "li"]
    moment = Picked(1, "/a/<b>.mp4", 1.0, 2.0, "<i>")
    assert tags(markup.picked(moment, span="0:01–0:02")) == ["div", "p", "b", "br", "span"]


def test_what_is_amiss_with_a_question_is_told_and_cannot_act_as_markup() -> None:
    asked = SearchResult(asked=Asked.of("x"), model="demo", took_ms=1.2, hits=())
    assert markup.notes(asked) == ""
    cut = markup.notes(replace(asked, notes=("it is read up to “… <b>”",)))
    assert "About this question: it is read up to “… &lt;b&gt;”." in cut
