"""The page while the world changes: catalogs that come and grow, files that go."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalog import Catalog, ClipSpan, FileLocation, VideoRecord
from toyworld.world import COMBINATIONS
from vsearch.settings import Settings
from xclip_core import DEMO_MODEL


def test_without_a_catalog_the_page_tells_how_to_make_one(page, settings: Settings) -> None:
    opened = page(q="a film")
    assert "There is no catalog yet" in opened.words
    assert str(settings.catalog) in opened.words
    assert "vsearch index FOLDER" in opened.words


def test_an_empty_catalog_tells_how_to_fill_it(page, settings: Settings) -> None:
    Catalog.open(settings.catalog, create=True).close()
    opened = page(q="a film")
    assert "The catalog holds no videos yet" in opened.words
    assert "vsearch index FOLDER" in opened.words


def test_a_page_that_was_opened_too_early_finds_the_videos_later(videos, index, page) -> None:
    opened = page(q="a film")
    index(videos)
    assert opened.press("Look again").moments


def test_files_that_failed_are_counted(videos: Path, index, page) -> None:
    (videos / "broken.mp4").write_bytes(b"not a film")
    index(videos)
    assert "1 file could not be indexed: <code>vsearch status</code>" in page().words


def test_an_open_page_notices_what_an_index_run_adds(library: Path, index, page, film) -> None:
    opened = page(q="a film", in_="late")
    assert opened.moments == []
    index(film(library / "late" / "noon.mp4", seconds=8, tint=120))
    (found,) = opened.look_again().moments
    assert "noon.mp4" in found
    assert "3 videos" in opened.words


def test_an_open_page_notices_that_the_catalog_was_made_anew(
    library: Path, index, page, film, settings: Settings
) -> None:
    opened = page(q="a film")
    assert len(opened.moments) > 1
    shutil.rmtree(settings.catalog)
    index(film(settings.home / "other" / "new.mp4", seconds=8))
    (found,) = opened.look_again().moments
    assert "new.mp4" in found


def test_an_open_page_goes_on_with_a_catalog_that_was_restored_from_a_backup(
    library: Path, page, settings: Settings
) -> None:
    backup = shutil.copytree(settings.catalog, settings.home / "backup")
    opened = page(q="a film")
    before = opened.moments
    shutil.rmtree(settings.catalog)
    backup.rename(settings.catalog)
    assert opened.look_again().moments == before
    assert before


def test_a_file_that_is_gone_says_so_and_the_others_are_shown(library: Path, page) -> None:
    (library / "evening.mkv").unlink()
    asked = page(q="a film")
    gone = sum("evening.mkv" in moment for moment in asked.moments)
    assert asked.words.count("The file is gone") == asked.words.count("No picture") == gone >= 1
    assert asked.pictures == len(asked.moments) - gone >= 1
    assert asked.buttons == ["Play"] * asked.pictures


def test_a_file_that_goes_while_it_plays_says_so(library: Path, page) -> None:
    asked = page(q="a film", in_="*.mkv").press("Play")
    (library / "evening.mkv").unlink()
    asked.look_again()
    assert asked.players == []
    assert asked.words.count("The file is gone") == asked.words.count("No picture") > 0
    assert "Close" not in asked.buttons


def test_a_copy_elsewhere_stands_in_for_a_file_that_is_gone(videos: Path, index, page) -> None:
    shutil.copy(videos / "evening.mkv", videos / "zz copy.mkv")
    index(videos)
    (videos / "evening.mkv").unlink()
    asked = page(q="a film", in_="evening.mkv")
    assert all("also at" in moment and "zz copy.mkv" in moment for moment in asked.moments)
    assert asked.pictures == len(asked.moments) >= 1
    assert len(asked.press("Play").players) == 1


def test_a_file_that_no_longer_is_a_film_says_so(library: Path, page) -> None:
    (library / "evening.mkv").write_bytes(b"no film any more")
    assert "The file cannot be shown" in page(q="a film", in_="*.mkv").words


def test_names_that_look_like_markup_are_shown_as_they_are(videos: Path, index, page, film) -> None:
    film(videos / "<b>x *y* $z$ `c` :smile:.mp4", seconds=8)
    index(videos)
    asked = page(q="a film", in_="*smile*")
    assert "<h2>&lt;b&gt;x *y* $z$ `c` :smile:.mp4</h2>" in asked.words


def test_a_name_that_is_not_unicode_is_shown_all_the_same(videos: Path, index, page, film) -> None:
    made = film(videos / "odd name.mp4", seconds=8)
    shown = "odd name.mp4"
    try:
        made.rename(os.fsdecode(os.fsencode(videos) + b"/odd \xff name.mp4"))
        shown = r"odd \xff name.mp4"
    except OSError:
        pass  # this file system takes Unicode only
    index(videos)
    asked = page(q="a film", in_="odd *.mp4")
    assert f"<h2>{shown}</h2>" in asked.words
    assert asked.pictures == 1


@pytest.fixture
def demo_model(library: Path, settings: Settings) -> Callable[[Path], None]:
    """Make a catalog that holds a film of the demo model's world."""

    def make(folder: Path) -> None:
        with Catalog.open(settings.catalog) as catalog:
            made_by = catalog.provenance
        assert made_by is not None
        shutil.rmtree(settings.catalog)
        with Catalog.open(folder, create=True) as catalog:
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
                location=FileLocation(root=library, path=library / "toy.mp4", size=1, mtime_ns=1),
                clips=[ClipSpan(0.0, 8.0)],
                vectors=np.eye(1, made_by.dim, dtype=np.float32),
            )

    return make


def test_the_library_of_the_demo_says_what_it_knows_and_a_click_asks(
    demo_model, settings: Settings, page
) -> None:
    catalog = settings.home / "demo" / "catalog"
    demo_model(catalog)
    opened = page(catalog=catalog)
    assert "coloured shapes that move, and nothing else" in opened.words
    suggested = opened.buttons[0]
    assert suggested in {combination.caption for combination in COMBINATIONS}
    assert opened.press(suggested).app.text_input(key="q").value == suggested


def test_of_real_videos_the_demo_model_suggests_nothing(
    demo_model, settings: Settings, page
) -> None:
    demo_model(settings.catalog)
    opened = page()
    assert "coloured shapes that move, and nothing else" in opened.words
    assert "in other videos means nothing" in opened.words
    assert opened.buttons == []
