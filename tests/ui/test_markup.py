import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search import Asked, Confidence, Hit, SearchResult
from ui import markup
from vsearch.settings import Settings

HIT = Hit(
    rank=2,
    score=0.41239,
    path=Path("/media/a.mp4"),
    start=4.0,
    end=12.0,
    peak=8.0,
    duration=31.2,
    clip_id=17,
    other_paths=(),
)
NAMES = st.text(st.characters(exclude_characters="/\0"), min_size=1).filter(
    lambda name: name not in {".", ".."}
)


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


@settings(deadline=None)  # other work may hold the cores
@given(NAMES)
def test_no_file_name_adds_a_tag_or_breaks_the_connection_to_the_browser(name: str) -> None:
    shown = markup.moment(replace(HIT, path=Path("/media") / name))
    assert tags(shown) == tags(markup.moment(HIT))
    shown.encode("utf-8")


@settings(deadline=None)  # other work may hold the cores
@given(st.floats(0, 1e5), st.floats(0.01, 1e5), st.floats(0, 1e5))
def test_the_mark_of_a_moment_lies_on_the_strip(
    start: float, length: float, duration: float
) -> None:
    shown = markup.moment(replace(HIT, start=start, end=start + length, duration=duration))
    left, width = map(float, re.findall(r"(?:left|width):([\d.]+)%", shown))
    assert left >= 0
    assert width > 0.5
    assert left + width <= 100.02  # two decimals each


def test_a_moment_tells_rank_score_film_time_and_place() -> None:
    shown = markup.moment(HIT)
    for text in (">2<", ">0.412<", "<h2>a.mp4</h2>", "00:04–00:12", ">00:32<", ">/media/a.mp4<"):
        assert text in shown


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
    hit = replace(HIT, path=Path("/media") / name, other_paths=(Path("/copies") / name,))
    assert markup.moment(hit).count(told) == 3
    assert markup.picture_name(hit) == f"{told}, 00:04–00:12"


def test_a_few_copies_are_named_and_the_others_counted() -> None:
    copies = tuple(Path(f"/copies/{number}.mp4") for number in range(6))
    shown = markup.moment(replace(HIT, other_paths=copies))
    assert shown.count("also at") == 3
    assert "and at 3 further places" in shown
    assert "further" not in markup.moment(replace(HIT, other_paths=copies[:3]))


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


def test_an_answer_without_moments_names_the_filter() -> None:
    none = SearchResult(asked=Asked.of("a dog"), model="demo", took_ms=1.2, hits=())
    assert "files that match <code>*.mkv</code>" in markup.summary(none, path_glob="*.mkv")
    hidden = markup.summary(none, path_glob="*.mkv", hidden=3)
    assert "Nothing convincing</b> in files that match <code>*.mkv</code>" in hidden
    assert markup.spoken(none, hidden=3) == "Nothing convincing"
    one = replace(none, hits=(HIT,))
    assert "1 moment, best first, in 1 ms" in markup.summary(one, path_glob=None)


def test_the_confidence_of_a_moment_is_a_word() -> None:
    assert "vs-confidence" not in markup.moment(HIT)
    sure = markup.moment(replace(HIT, confidence=Confidence.STRONG))
    assert '<span class="vs-confidence vs-strong">strong</span>' in sure
    unsure = markup.moment(replace(HIT, confidence=Confidence.NONE))
    assert ">not convincing</span>" in unsure


def test_what_is_amiss_with_a_question_is_told_and_cannot_act_as_markup() -> None:
    asked = SearchResult(asked=Asked.of("x"), model="demo", took_ms=1.2, hits=())
    assert markup.notes(asked) == ""
    cut = markup.notes(replace(asked, notes=("it is read up to “… <b>”",)))
    assert "About this question: it is read up to “… &lt;b&gt;”." in cut
