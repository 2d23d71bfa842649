"""The page as a person meets it, on a real catalog."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from catalog import Catalog, ClipSpan, FilePlace, VideoRecord
from toyworld.world import COMBINATIONS
from vsearch import wiring
from vsearch.settings import Settings
from xclip_core import DEMO_MODEL

Visit = Callable[..., AppTest]


def pieces(page: AppTest) -> list[str]:
    """The HTML of a page that went well, without its style sheet."""
    assert not page.exception
    return [element.value for element in page.html if not element.value.startswith("<style")]


def words(page: AppTest) -> str:
    return "\n".join(pieces(page))


def moments(page: AppTest) -> list[str]:
    return [piece for piece in pieces(page) if 'class="vs-moment"' in piece]


def players(page: AppTest) -> list[Any]:
    assert not page.exception
    return list(page.get("video"))


def press(page: AppTest, label: str, *, number: int = 0) -> AppTest:
    buttons = [button for button in page.button if button.label == label]
    return buttons[number].click().run()


def ask(page: AppTest, sentence: str) -> AppTest:
    return page.text_input(key="q").set_value(sentence).run()


def test_before_a_sentence_is_typed_the_page_tells_what_can_be_searched(
    library: Path, page: Visit, model: Path
) -> None:
    shown = words(page())
    assert "<dt>Videos</dt><dd>2</dd>" in shown
    assert "<dt>Of video</dt><dd>00:29</dd>" in shown
    assert f"<dt>Model</dt><dd>{model}</dd>" in shown
    assert "8 s, every 4 s" in shown
    assert "could not be indexed" not in shown


def test_files_that_failed_are_counted(videos: Path, index, page: Visit) -> None:
    (videos / "broken.mp4").write_bytes(b"not a film")
    index(videos)
    assert "1 file could not be indexed: <code>vsearch status</code>" in words(page())


def test_a_sentence_brings_the_moments_that_the_command_brings(
    library: Path, page: Visit, settings: Settings
) -> None:
    asked = ask(page(), "a film that gets brighter")
    hits = wiring.search("a film that gets brighter", settings=settings, limit=10).hits
    shown = moments(asked)
    assert len(shown) == len(hits) >= 2
    for body, hit in zip(shown, hits, strict=True):
        assert f'<span class="vs-rank">{hit.rank}</span>' in body
        assert f"<b>{hit.path.name}</b>" in body
        assert f">{hit.score:.3f}<" in body
        assert str(hit.path) in body
    assert len(asked.image) == len(hits)


def test_what_is_asked_stands_in_the_url(library: Path, page: Visit) -> None:
    opened = page()  # the browser writes the URL; these tell it under which names
    asked = [opened.text_input(key="q"), opened.text_input(key="in"), opened.number_input(key="n")]
    assert [widget.proto.query_param_key for widget in asked] == ["q", "in", "n"]


def test_a_bookmarked_search_is_asked_again(library: Path, page: Visit) -> None:
    asked = page(q="a film", n="1", in_="*.mkv")
    assert asked.text_input(key="q").value == "a film"
    (only,) = moments(asked)
    assert "evening.mkv" in only


@pytest.mark.parametrize("number", ["0", "-3", "many", "100000"])
def test_a_url_that_asks_for_an_impossible_number_is_answered_all_the_same(
    library: Path, page: Visit, number: str
) -> None:
    assert moments(page(q="a film", n=number))


def test_white_space_is_no_sentence(library: Path, page: Visit) -> None:
    asked = page(q="   ")
    assert moments(asked) == []
    assert "<dt>Videos</dt>" in words(asked)


def test_a_filter_that_no_file_fits_is_named(library: Path, page: Visit) -> None:
    asked = page(q="a film", in_="<b>*.avi")
    assert moments(asked) == []
    assert "No moments in files that match <code>&lt;b&gt;*.avi</code>" in words(asked)


def test_one_moment_plays_at_a_time(library: Path, page: Visit) -> None:
    asked = page(q="a film")
    stills = len(asked.image)
    assert len(players(asked)) == 0
    asked = press(asked, "Play")
    assert len(players(asked)) == 1
    assert len(asked.image) == stills - 1
    (first,) = (button.key for button in asked.button if button.label == "Close")
    asked = press(asked, "Play")
    (second,) = (button.key for button in asked.button if button.label == "Close")
    assert first != second
    assert len(players(asked)) == 1
    asked = press(asked, "Close")
    assert len(players(asked)) == 0
    assert len(asked.image) == stills


def test_a_player_starts_by_itself_and_plays_an_mp4(library: Path, page: Visit) -> None:
    (video,) = players(press(page(q="a film"), "Play"))
    assert video.proto.autoplay
    assert video.proto.url.endswith(".mp4")


def test_without_a_catalog_the_page_tells_how_to_make_one(page: Visit, settings: Settings) -> None:
    shown = words(page(q="a film"))
    assert "There is no catalog yet" in shown
    assert str(settings.catalog) in shown
    assert "vsearch index FOLDER" in shown


def test_an_empty_catalog_tells_how_to_fill_it(page: Visit, settings: Settings) -> None:
    Catalog.open(settings.catalog, create=True).close()
    shown = words(page(q="a film"))
    assert "The catalog holds no videos yet" in shown
    assert "vsearch index FOLDER" in shown


def test_a_page_that_was_opened_too_early_finds_the_videos_later(
    videos: Path, index, page: Visit
) -> None:
    opened = page(q="a film")
    index(videos)
    opened = press(opened, "Look again")
    assert moments(opened)


def test_an_open_page_notices_what_an_index_run_adds(
    library: Path, index, page: Visit, film
) -> None:
    opened = page(q="a film", in_="late")
    assert moments(opened) == []
    index(film(library / "late" / "noon.mp4", seconds=8, tint=120).parent)
    (found,) = moments(opened.run())
    assert "noon.mp4" in found
    assert "3 videos" in words(opened)


def test_an_open_page_notices_that_the_catalog_was_made_anew(
    library: Path, index, page: Visit, film, settings: Settings
) -> None:
    opened = page(q="a film")
    shutil.rmtree(settings.catalog)
    index(film(settings.home / "other" / "new.mp4", seconds=8))
    (found,) = moments(opened.run())
    assert "new.mp4" in found


def test_a_model_that_is_not_there_is_one_sentence(library: Path, page: Visit, model: Path) -> None:
    away = model.rename(model.with_name("away"))
    try:
        for url in ({}, {"q": "a film"}):
            shown = words(page(**url))
            assert "vs-problem" in shown
            assert "is not a model" in shown
    finally:
        away.rename(model)


def test_a_catalog_of_another_model_is_named(
    library: Path, page: Visit, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = page()
    monkeypatch.setenv("VSEARCH_UI_MODEL", "microsoft/xclip-base-patch32")
    shown = words(opened.run())
    assert f"was made with the model {model}" in shown
    assert "<code>vsearch index --model microsoft/xclip-base-patch32" in shown


def test_a_file_that_is_gone_says_so_and_the_others_are_shown(library: Path, page: Visit) -> None:
    (library / "evening.mkv").unlink()
    asked = page(q="a film")
    gone = sum("evening.mkv" in body for body in moments(asked))
    shown = words(asked)
    assert shown.count("The file is gone") == shown.count("No picture") == gone >= 1
    assert len(asked.image) == len(moments(asked)) - gone >= 1
    assert sum(button.label == "Play" for button in asked.button) == len(asked.image)


def test_a_file_that_goes_while_it_plays_says_so(library: Path, page: Visit) -> None:
    asked = press(page(q="a film", in_="*.mkv"), "Play")
    (library / "evening.mkv").unlink()
    asked = asked.run()
    assert len(players(asked)) == 0
    assert "The file is gone" in words(asked)


def test_a_copy_elsewhere_stands_in_for_a_file_that_is_gone(
    videos: Path, index, page: Visit
) -> None:
    shutil.copy(videos / "evening.mkv", videos / "zz copy.mkv")
    index(videos)
    (videos / "evening.mkv").unlink()
    asked = page(q="a film", in_="evening.mkv")
    assert all("also at" in body and "zz copy.mkv" in body for body in moments(asked))
    assert len(asked.image) == len(moments(asked)) >= 1
    assert len(players(press(asked, "Play"))) == 1


def test_a_file_that_no_longer_is_a_film_says_so(library: Path, page: Visit) -> None:
    (library / "evening.mkv").write_bytes(b"no film any more")
    asked = page(q="a film", in_="*.mkv")
    assert "The file cannot be shown" in words(asked)


def test_names_that_look_like_markup_are_shown_as_they_are(
    videos: Path, index, page: Visit, film
) -> None:
    film(videos / "<b>x *y* $z$ `c` :smile:.mp4", seconds=8)
    index(videos)
    asked = page(q="a film", in_="*smile*")
    assert "<b>&lt;b&gt;x *y* $z$ `c` :smile:.mp4</b>" in words(asked)


def test_a_name_that_is_not_unicode_is_shown_with_marks_in_its_place(
    videos: Path, index, page: Visit, film
) -> None:
    made = film(videos / "plain.mp4", seconds=8)
    odd = os.fsdecode(os.fsencode(videos) + b"/odd \xff name.mp4")
    try:
        made.rename(odd)
    except OSError:
        odd_name = "plain.mp4"  # this file system takes only Unicode: nothing to be shown odd
    else:
        odd_name = "odd ? name.mp4"
    index(videos)
    asked = page(q="a film", in_="*name.mp4" if odd_name != "plain.mp4" else "plain.mp4")
    assert odd_name in words(asked)
    assert len(asked.image) == 1


def test_a_demo_catalog_says_what_it_knows_and_a_click_asks(
    library: Path, settings: Settings, page: Visit
) -> None:
    with Catalog.open(settings.catalog) as catalog:
        made_by = catalog.provenance
    assert made_by is not None
    shutil.rmtree(settings.catalog)
    with Catalog.open(settings.catalog, create=True) as catalog:
        catalog.bind(replace(made_by, model=DEMO_MODEL))
        catalog.add_video(
            VideoRecord(
                fingerprint="toy",
                duration=8.0,
                width=160,
                height=120,
                frame_rate=10.0,
                codec="h264",
                container="mp4",
            ),
            place=FilePlace(root=library, path=library / "toy.mp4", size=1, mtime_ns=1),
            clips=[ClipSpan(0.0, 8.0)],
            vectors=np.eye(1, made_by.dimension, dtype=np.float32),
        )
    opened = page()
    assert "coloured shapes that move, and nothing else" in words(opened)
    suggested = opened.button[0].label
    assert suggested in {combination.caption for combination in COMBINATIONS}
    assert press(opened, suggested).text_input(key="q").value == suggested


def test_other_catalogs_say_nothing_of_the_demo(library: Path, page: Visit) -> None:
    opened = page()
    assert "coloured shapes" not in words(opened)
    assert len(opened.button) == 0
