"""Players: which one is started, and what is said where none plays."""

import os
from pathlib import Path

import pytest

from vsearch.errors import PlayerError, VideoError
from vsearch.services.player import play


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "-a film's.mp4"
    path.touch()
    return path


def install(folder: Path, name: str, *, then: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" {name} "$@" > "{folder}/played"\n{then}\n')
    program.chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mpv", ["--start=724.5"]),
        ("vlc", ["--start-time=724.5"]),
        ("ffplay", ["-ss", "724.5"]),
        ("xdg-open", []),
    ],
)
def test_each_player_starts_at_the_moment_where_it_can(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, options: list[str]
) -> None:
    folder = install(tmp_path / "bin", name)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr("vsearch.services.player._OPENER", "xdg-open")
    assert play(film, start=724.5) == name
    assert (folder / "played").read_text().splitlines() == [name, *options, str(film)]


def test_no_program_of_the_current_folder_is_started(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = install(tmp_path / "bin", "mpv")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", os.pathsep.join((".", "", "../bin")))
    with pytest.raises(PlayerError, match="install mpv, vlc or ffplay"):
        play(film, start=1)
    assert not (folder / "played").exists()


def test_a_player_that_fails_at_once_is_told(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(install(tmp_path / "bin", "mpv", then="exit 4")))
    with pytest.raises(PlayerError, match="mpv ended at once, with exit code 4"):
        play(film, start=1)


def test_a_file_that_is_gone_is_not_played(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="is not there"):
        play(tmp_path / "gone.mp4", start=1)
