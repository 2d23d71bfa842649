"""The page while the world changes: catalogs that come and grow, files that go."""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalog import Catalog, ClipSpan, FileLocation, VideoRecord
from toyworld.world import COMBINATIONS
from ui.notebook import Notebook, Picked
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
    assert opened.look_again().moments


def test_files_that_failed_are_counted(videos: Path, index, page) -> None:
    (videos / "broken.mp4").write_bytes(b"not a film")
    index(videos)
    opened = page()
    assert "1 file could not be indexed: <code>vsearch status</code>" in opened.words
    assert f"{videos / 'broken.mp4'}: " in opened.look_at("Library").words
    assert [one.label for one in opened.app.expander] == ["1 file could not be indexed"]


def test_an_open_page_notices_what_an_index_run_adds(library: Path, index, page, film) -> None:
    opened = page(q="a film", in_="late")
    assert opened.moments == []
    index(film(library / "late" / "noon.mp4", seconds=8, tint=120))
    (found,) = opened.look_again().moments
    assert found["film"] == "noon.mp4"
    assert "3 videos" in opened.words


def test_an_open_page_notices_that_the_catalog_was_made_anew(
    library: Path, index, page, film, settings: Settings
) -> None:
    opened = page(q="a film")
    assert len(opened.moments) > 1
    shutil.rmtree(settings.catalog)
    index(film(settings.home / "other" / "new.mp4", seconds=8))
    (found,) = opened.look_again().moments
    assert found["film"] == "new.mp4"


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


def test_a_folder_is_added_on_the_page_and_becomes_searchable(
    library: Path, page, film, settings: Settings
) -> None:
    film(settings.home / "more" / "noon.mp4", seconds=8, tint=120)
    opened = page().look_at("Library")
    for odd in ("more", "~nobody-of-that-name", ""):
        opened.app.text_input(key="folder").set_value(odd)
        opened.press("Index")
        assert "is not a whole path" in opened.app.error[0].value
    opened.app.text_input(key="folder").set_value(str(settings.home / "nowhere"))
    opened.press("Index")
    assert "nowhere is not there" in opened.app.error[0].value
    opened.app.text_input(key="folder").set_value(str(settings.home / "more"))
    opened.press("Index")
    deadline = time.monotonic() + 120
    while "noon.mp4" not in [one["film"] for one in opened.look_again().moments]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert "noon.mp4" in [one["film"] for one in page(q="a film", in_="noon*").moments]


def test_the_basket_keeps_what_was_picked_with_notes_and_order(
    library: Path, page, settings: Settings
) -> None:
    picked = tuple(
        Picked(number, f"/films/{number}.mp4", 1.0, 2.5, "a film") for number in (7, 8, 9)
    )
    Notebook(settings.catalog).change(lambda notes: notes.with_basket(picked))
    opened = page().look_at("Basket")
    assert [opened.words.count(f"<b>{n}.mp4</b>") for n in (7, 8, 9)] == [1, 1, 1]
    opened.app.button(key="up-9").click().run()
    opened.app.text_input(key="note-8").set_value("the <best> one").run()
    opened.app.button(key="out-7").click().run()
    kept = Notebook(settings.catalog).read().basket
    assert [(one.clip, one.note) for one in kept] == [(9, ""), (8, "the <best> one")]
    opened.press("Empty the basket")
    assert Notebook(settings.catalog).read().basket == ()


def test_the_basket_becomes_a_list_of_those_of_its_films_that_are_there(
    library: Path, page, settings: Settings
) -> None:
    gone, there = (
        Picked(number, str(library / name), 1.0, 2.5, "a <film>", video=number, peak=2.0)
        for number, name in enumerate(("gone.mp4", "morning.mp4"), start=1)
    )
    notebook = Notebook(settings.catalog)
    notebook.change(lambda notes: notes.with_basket((gone, there)))
    opened = page().look_at("Basket")
    assert '<img src="/still/2?at=2.000"' in opened.words
    assert not opened.app.get("download_button")
    choose = opened.app.selectbox(key="format")
    choose.set_value("EDL (CMX 3600)").run()
    assert len(opened.app.get("download_button")) == 1
    assert f"left out a moment at 00:01 of {gone.path}: the file is not there" in opened.words
    notebook.change(lambda notes: notes.with_basket((gone,)))
    opened.look_again()
    assert not opened.app.get("download_button")
    assert f"there is no moment to write: {gone.path}: the file is not there" in opened.words


def test_names_that_look_like_markup_are_shown_as_they_are(videos: Path, index, page, film) -> None:
    film(videos / "<b>x *y* $z$ `c` :smile:.mp4", seconds=8)
    index(videos)
    asked = page(q="a film", in_="*smile*")
    (found,) = asked.moments
    assert found["film"] == "<b>x *y* $z$ `c` :smile:.mp4"


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
    assert [found["film"] for found in asked.moments] == [shown]


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
