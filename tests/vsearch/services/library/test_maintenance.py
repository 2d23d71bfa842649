"""The upkeep commands on a real catalog of films that never were: whole command lines."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog import Catalog, ClipSpan, FileLocation, Provenance, VideoRecord
from vsearch.__main__ import run
from vsearch.messages import log

MADE_BY = Provenance(
    model="demo",
    revision=None,
    model_digest="0" * 64,
    dim=4,
    frames_per_clip=8,
    window=8.0,
    stride=4.0,
)


@pytest.fixture(autouse=True)
def nothing_left_of_a_command() -> Iterator[None]:
    yield
    log.handlers = []


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A folder of two files in it and one below it."""
    folder = tmp_path / "films"
    (folder / "old").mkdir(parents=True)
    for name in ("a.mp4", "b.mp4", "old/c.mp4"):
        (folder / name).write_bytes(b"film")
    return folder


@pytest.fixture
def catalog(tmp_path: Path, films: Path) -> Path:
    """A catalog that knows these three, and that a fourth one failed."""
    folder = tmp_path / "catalog"
    with Catalog.open(folder, create=True) as catalog:
        catalog.bind(MADE_BY)
        for name in ("a.mp4", "b.mp4", "old/c.mp4"):
            catalog.add_video(
                VideoRecord(name, 12.0, 64, 48, 10.0, "h264", "mp4"),
                location=FileLocation(root=films, path=films / name, size=4, mtime_ns=1),
                clips=[ClipSpan(0.0, 8.0), ClipSpan(4.0, 12.0)],
                vectors=np.eye(2, 4, dtype=np.float32),
            )
        failed = FileLocation(root=films, path=films / "old" / "d.mp4", size=4, mtime_ns=1)
        catalog.record_failure(failed, error="no film")
    return folder


def known(catalog: Path) -> set[str]:
    with Catalog.open(catalog) as opened:
        return {str(path) for path in opened.known_files([Path("/")])}


def said(capsys: pytest.CaptureFixture[str]) -> Any:
    return capsys.readouterr()


def test_a_folder_is_forgotten_with_all_below_it_and_its_files_stay(
    catalog: Path, films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["forget", str(films / "old"), "--catalog", str(catalog)]) == 0
    out, err = said(capsys)
    assert out == "Forgot 2 files: 1 video with 2 clips went\n"
    assert f"--exclude {films / 'old'}" in err
    assert known(catalog) == {str(films / "a.mp4"), str(films / "b.mp4")}
    assert (films / "old" / "c.mp4").exists()


def test_what_keeps_a_forgotten_folder_away_holds_from_everywhere(
    catalog: Path,
    films: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "link").symlink_to(films)
    monkeypatch.chdir(tmp_path)
    assert run(["forget", "films/old", "link/a.mp4", "--catalog", str(catalog), "--json"]) == 0
    out, err = said(capsys)
    assert f"--exclude {films / 'old'} --exclude {films / 'a.mp4'}" in err
    assert json.loads(out)["present"] == [str(films / "old"), str(films / "a.mp4")]


def test_a_file_that_is_gone_can_be_forgotten_and_nothing_is_said_of_its_return(
    catalog: Path, films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (films / "a.mp4").unlink()
    assert run(["forget", str(films / "a.mp4"), "--catalog", str(catalog), "--json"]) == 0
    out, err = said(capsys)
    assert json.loads(out) == {"files": 1, "videos": 1, "clips": 2, "unknown": [], "present": []}
    assert err == ""


def test_a_path_is_forgotten_by_the_way_that_it_is_reached(
    catalog: Path, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(films)
    monkeypatch.chdir(tmp_path)
    assert run(["forget", "link/a.mp4", "films/old/../b.mp4", "--catalog", str(catalog)]) == 0
    assert known(catalog) == {str(films / "old" / "c.mp4"), str(films / "old" / "d.mp4")}


def test_of_what_is_not_known_a_sentence_tells_and_the_rest_is_done(
    catalog: Path, films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [str(films / "a.mp4"), "/nowhere"]
    assert run(["forget", *paths, "--catalog", str(catalog)]) == 1
    out, err = said(capsys)
    assert out.startswith("Forgot 1 file")
    assert "vsearch: nothing is known at or below /nowhere; " in err
    assert len(known(catalog)) == 3


def test_a_folder_that_has_moved_is_found_again(
    catalog: Path, films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    films.rename(tmp_path / "moved")
    arguments = ["relocate", str(films), str(tmp_path / "moved"), "--catalog", str(catalog)]
    assert run([*arguments, "--json"]) == 0
    assert json.loads(said(capsys).out) == {
        "old": str(films),
        "new": str(tmp_path / "moved"),
        "files": 4,
        "found": 3,
    }
    assert str(tmp_path / "moved" / "old" / "c.mp4") in known(catalog)


def test_a_catalog_can_be_prepared_for_a_disk_that_is_not_there_yet(
    catalog: Path, films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["relocate", str(films), "/media/to come", "--catalog", str(catalog)]) == 0
    out, err = said(capsys)
    assert out == f"4 files of {films} now belong to /media/to come, and 0 of them exist there\n"
    assert "/media/to come is not there" in err
    assert "/media/to come/a.mp4" in known(catalog)


def test_what_is_not_known_cannot_be_relocated_and_the_known_folders_are_named(
    catalog: Path, films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["relocate", "/elsewhere", "/media/new", "--catalog", str(catalog)]) == 1
    assert str(films) in said(capsys).err


def test_a_sound_catalog_verifies(catalog: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "--catalog", str(catalog)]) == 0
    assert said(capsys) == ("Checked 4 files, 3 videos, 6 clips: all is well\n", "")


def test_a_broken_catalog_is_reported_and_repaired_on_request(
    catalog: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import sqlite3

    with sqlite3.connect(catalog / "catalog.sqlite") as database:
        database.execute("UPDATE clips SET vector = zeroblob(16) WHERE id = 1")
    database.close()
    assert run(["verify", "--catalog", str(catalog), "--json"]) == 1
    out, err = said(capsys)
    (problem,) = json.loads(out)["problems"]
    assert problem["mended"] is None
    assert f"`vsearch verify --repair --catalog {catalog}`" in err
    assert run(["verify", "--repair", "--catalog", str(catalog)]) == 0
    out, _ = said(capsys)
    assert "repaired: " in out
    assert out.endswith(": 1 problem found, 1 repaired\n")
    assert run(["verify", "--catalog", str(catalog)]) == 0


@pytest.mark.parametrize(
    "command", [["forget", "/films"], ["relocate", "/films", "/new"], ["verify", "--repair"]]
)
def test_where_somebody_else_is_at_work_the_upkeep_waits_its_turn(
    catalog: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    with Catalog.open(catalog) as opened, opened.lock("vsearch index /films"):
        assert run([*command, "--catalog", str(catalog)]) == 1
    out, err = said(capsys)
    assert out == ""
    assert "`vsearch index /films` (process" in err


@pytest.mark.parametrize(
    "command", [["forget", "/films"], ["relocate", "/films", "/new"], ["verify"]]
)
def test_where_there_is_no_catalog_there_is_nothing_to_look_after(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    assert run([*command, "--catalog", str(tmp_path / "none")]) == 1
    assert "there is no catalog" in said(capsys).err
    assert not (tmp_path / "none").exists()


def test_a_film_behind_a_link_is_forgotten_by_the_names_that_lead_to_it(
    catalog, films, tmp_path, capsys
):
    (tmp_path / "Videos").symlink_to(films)
    assert run(["forget", f"{tmp_path}/Videos/old/c.mp4", "--catalog", str(catalog), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["files"], told["present"]) == (1, [f"{films}/old/c.mp4"])


def test_a_linked_film_is_told_by_the_name_that_a_run_meets_it_under(tmp_path, films, capsys):
    (tmp_path / "lib").mkdir()
    (tmp_path / "Videos").symlink_to(tmp_path / "lib")
    link = tmp_path / "lib" / "link.mp4"
    link.symlink_to(films / "a.mp4")
    with Catalog.open(tmp_path / "other", create=True) as catalog:
        place = FileLocation(root=tmp_path / "lib", path=link, size=4, mtime_ns=1)
        catalog.record_failure(place, error="no film")
    given = ["forget", f"{tmp_path}/Videos/link.mp4", "--catalog", str(tmp_path / "other")]
    assert run([*given, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["present"] == [str(link)]


@pytest.mark.parametrize("stored", ["Gr\u00f6\u00dfe", "Gro\u0308\u00dfe"])
@pytest.mark.parametrize("given", ["Gr\u00f6\u00dfe", "Gro\u0308\u00dfe"])
@pytest.mark.parametrize("command", ["forget", "relocate"])
def test_accented_letters_are_one_name_however_they_are_composed(
    tmp_path, capsys, command, stored, given
):
    with Catalog.open(tmp_path / "accents", create=True) as catalog:
        folder = Path("/media/gone") / stored
        for root in (folder, Path("/media/gone/other")):
            place = FileLocation(root=root, path=root / "a.mp4", size=4, mtime_ns=1)
            catalog.record_failure(place, error="no film")
    to = ["/media/new"] if command == "relocate" else []
    given_path = f"/media/gone/{given}"
    assert run([command, given_path, *to, "--catalog", str(tmp_path / "accents"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == 1
