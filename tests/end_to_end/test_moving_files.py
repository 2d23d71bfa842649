"""A library whose files move, are copied, go, or are on a disk that is not there."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.indexer.videos import change_pictures, keep_times, turn, write_padded


@pytest.fixture
def films(tmp_path: Path, make_film: Any) -> Path:
    make_film(tmp_path / "films" / "a.mp4", seed=1)
    make_film(tmp_path / "films" / "b.mp4", seed=2)
    return tmp_path / "films"


def hit_paths(vsearch: Any, *flags: object) -> list[str]:
    hits = vsearch("query", "a red circle", "--all", "--json", *flags).json["hits"]
    return [hit["path"] for hit in hits]


def test_a_run_with_nothing_to_do_loads_no_model(vsearch: Any, films: Path, model: Path) -> None:
    first = vsearch("index", films, "--model", model, "-v")
    assert "model " in first.err
    # The model is out of reach, and nobody misses it.
    held, elsewhere = model.parent, model.parent.with_name("elsewhere")
    held.rename(elsewhere)
    try:
        second = vsearch("index", films, "-v")
    finally:
        elsewhere.rename(held)
    assert (second.code, second.out) == (0, f"2 unchanged\nModel: {model}\n")
    assert "model " not in second.err


@pytest.mark.parametrize(
    "flags", [("--window", 4), ("--stride", 2), ("--model", "microsoft/xclip-base-patch16")]
)
def test_what_conflicts_is_refused_though_there_is_nothing_to_do(
    vsearch: Any, films: Path, model: Path, flags: tuple[object, ...]
) -> None:
    assert vsearch("index", films, "--model", model).code == 0
    run = vsearch("index", films, *flags)
    assert (run.code, run.out) == (1, "")
    assert "vsearch forget --all" in run.err


def test_a_copy_shows_up_once_with_its_places_and_by_one_that_is_there(
    vsearch: Any, films: Path, model: Path
) -> None:
    assert vsearch("index", films, "--model", model).code == 0
    shutil.copy(films / "a.mp4", films / "copy of a.mp4")
    assert vsearch("index", films, "--json").json["moved"] == 1
    hits = vsearch("query", "a red circle", "--all", "--json").json["hits"]
    assert len(hits) == 2
    (copied,) = [hit for hit in hits if "also" in hit]
    places = {copied["path"], *copied["also"]}
    assert places == {str(films / "a.mp4"), str(films / "copy of a.mp4")}
    assert f"also at {copied['also'][0]}" in vsearch("query", "a red circle", "--all").out
    # Gone, and not indexed since: the other place is the one to play from.
    Path(copied["path"]).unlink()
    assert copied["also"][0] in hit_paths(vsearch)
    # But who asks for places of one kind gets those.
    assert hit_paths(vsearch, "--in", copied["path"]) == [copied["path"]]


def test_a_folder_that_is_gone_loses_nothing_and_relocate_finds_it(
    vsearch: Any, films: Path, model: Path, tmp_path: Path
) -> None:
    assert vsearch("index", films, "--model", model).code == 0
    films.rename(tmp_path / "moved")
    absent = vsearch("index", films)
    assert absent.code == 3
    assert f"{films}: is empty or not there" in absent.err
    assert "vsearch relocate OLD NEW" in absent.err
    assert len(hit_paths(vsearch)) == 2
    assert vsearch("relocate", films, tmp_path / "moved", "--json").json["found"] == 2
    assert all(path.startswith(str(tmp_path / "moved")) for path in hit_paths(vsearch))
    again = vsearch("index", tmp_path / "moved", "--json").json
    assert (again["unchanged"], again["indexed"]) == (2, 0)


def test_a_path_that_nobody_knows_is_wrong_usage_also_where_there_is_a_catalog(
    vsearch: Any, films: Path, model: Path
) -> None:
    assert vsearch("index", films, "--model", model).code == 0
    run = vsearch("index", films, "/nowhere/at/all")
    assert (run.code, run.out) == (2, "")
    assert "/nowhere/at/all" in run.err
    assert run.err.count("\n") == 1


def test_what_was_forgotten_stays_away_when_it_is_excluded(
    vsearch: Any, films: Path, model: Path
) -> None:
    assert vsearch("index", films, "--model", model).code == 0
    forgotten = vsearch("forget", films / "a.mp4")
    assert forgotten.code == 0
    flags = forgotten.err.partition("unless it is given ")[2].split()
    assert vsearch("index", films, *flags, "--json").json["indexed"] == 0
    assert vsearch("index", films, "--json").json["indexed"] == 1


def test_a_sound_copy_in_the_place_of_a_damaged_file_is_taken_in_whatever_its_size_and_time(
    vsearch: Any, model: Path, tmp_path: Path
) -> None:
    path = write_padded(tmp_path / "films" / "a.mp4", seed=1)
    sound = shutil.copy2(path, tmp_path / "sound.mp4")
    keep_times(path, change_pictures)
    assert len(vsearch("index", path.parent, "--model", model, "--json").json["damaged"]) == 1
    shutil.copy(sound, path)
    assert vsearch("index", path.parent, "--json").json["indexed"] == 1
    assert vsearch("status", "--json").json["damaged"] == []
    # And one with another turn in its index, which a copy of it is told from.
    shutil.copy(sound, path.with_name("b.mp4"))
    shutil.copy(sound, path.with_name("c.mp4"))
    turn(path.with_name("c.mp4"))
    report = vsearch("index", path.parent, "--json").json
    assert (report["indexed"], report["moved"], report["unchanged"]) == (1, 1, 1)


def test_a_folder_that_the_system_will_not_tell_of_keeps_its_films(
    vsearch: Any, films: Path, model: Path
) -> None:
    folder = films / "folder"
    folder.mkdir()
    (films / "a.mp4").rename(folder / "a.mp4")
    assert vsearch("index", films, "--model", model).code == 0
    shutil.rmtree(folder)
    folder.symlink_to("n" * 300)
    for path in (folder, folder / "a.mp4"):
        run = vsearch("index", path, "--json")
        assert run.code in {2, 3}, run.err
        assert "not there or cannot be reached" in run.err + run.out
    assert str(folder / "a.mp4") in {
        hit["path"] for hit in vsearch("query", "a red circle", "--all", "--json").json["hits"]
    }
