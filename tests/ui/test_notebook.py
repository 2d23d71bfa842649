"""The notebook: kept in the catalog's folder, shared by windows, never in the way."""

import threading
from pathlib import Path

import pytest

from ui.notebook import NAME, Notebook, Notes, Picked

PICKED = Picked(7, "/films/a b.mp4", 1.5, 4.0, "a dog", "the good one")


def test_what_is_noted_is_there_for_the_next_window(tmp_path: Path) -> None:
    Notebook(tmp_path).change(lambda notes: notes.with_search("q=a+dog").with_basket((PICKED,)))
    Notebook(tmp_path).change(lambda notes: notes.with_saved("dogs", "q=a+dog&in=trip"))
    notes = Notebook(tmp_path).read()
    assert notes == Notes(("q=a+dog",), {"dogs": "q=a+dog&in=trip"}, (PICKED,))
    assert Notebook(tmp_path).change(lambda n: n.with_saved("dogs", None)).saved == {}


def test_a_search_is_there_once_and_the_latest_come_first() -> None:
    notes = Notes()
    for number in [*range(150), 7]:
        notes = notes.with_search(f"q={number}")
    assert notes.searches[:2] == ("q=7", "q=149")
    assert len(notes.searches) == 100


@pytest.mark.parametrize("content", ["", "{", "[]", '{"searches": 1}', '{"searches": ["a"]}'])
def test_a_file_that_is_no_notebook_is_begun_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / NAME).write_text(content)
    assert Notebook(tmp_path).read() == Notes()
    Notebook(tmp_path).change(lambda notes: notes.with_search("q=x"))
    assert Notebook(tmp_path).read().searches == ("q=x",)


def test_without_a_folder_to_write_to_the_window_keeps_its_notes(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path / "nowhere" / "deeper")
    (tmp_path / "nowhere").write_text("a file")
    notebook.change(lambda notes: notes.with_search("q=x"))
    assert notebook.change(lambda notes: notes.with_search("q=y")).searches == ("q=y", "q=x")


def test_windows_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    def note(number: int) -> None:
        Notebook(tmp_path).change(lambda notes: notes.with_search(f"q={number}"))

    windows = [threading.Thread(target=note, args=(number,)) for number in range(20)]
    for window in windows:
        window.start()
    for window in windows:
        window.join()
    assert len(Notebook(tmp_path).read().searches) == 20


def test_the_basket_changes_as_it_is_now_whatever_a_window_knew() -> None:
    seven, eight, nine = (Picked(clip, "/films/a.mp4", 0.0, 1.0, "a dog") for clip in (7, 8, 9))
    notes = Notes().picking([seven, eight], removed=()).picking([eight, nine], removed=[7])
    assert notes.basket == (eight, nine)
    assert notes.with_earlier(9).basket == (nine, eight)
    assert notes.with_earlier(8).with_earlier(7).basket == (eight, nine)
    assert [one.note for one in notes.with_note(9, "good").basket] == ["", "good"]


def test_an_endless_search_is_not_noted(tmp_path: Path) -> None:
    """A hundred of them would be more than what is read."""
    Notebook(tmp_path).change(lambda notes: notes.with_search("q=" + "x" * 60_000))
    assert Notebook(tmp_path).read() == Notes()
