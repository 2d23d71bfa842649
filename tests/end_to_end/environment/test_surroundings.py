"""What the command is started with: streams, a home folder, a current folder, or none of them."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

COMMAND = [sys.executable, "-m", "vsearch"]
NOBODY = ["unshare", "--user", "--map-user=12345", "--map-group=12345"]


def run(
    *arguments: object, within: Sequence[str] = (), variables: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*within, *COMMAND, *map(str, arguments)],
        env={**os.environ, "OMP_NUM_THREADS": "1", **(variables or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def without(*streams: str) -> list[str]:
    """What runs a command line with these streams closed."""
    return ["sh", "-c", f'exec "$@" {" ".join(streams)}', "sh"]


ALL = ("<&-", ">&-", "2>&-")


def test_a_library_is_indexed_without_any_stream(
    tmp_path: Path, library: Path, model: Path
) -> None:
    home = {"VSEARCH_HOME": str(tmp_path)}
    done = run("index", library, "--model", model, within=without(*ALL), variables=home)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert json.loads(run("status", "--json", variables=home).stdout)["videos"] == 3


@pytest.mark.parametrize("streams", [("<&-",), ("2>&-",), ("<&-", "2>&-")])
def test_a_result_needs_stdout_alone(indexed: Any, streams: tuple[str, ...]) -> None:
    home = {"VSEARCH_HOME": str(indexed[0].home)}
    for words in (["status", "--json"], ["query", "a red circle", "--all", "--json"]):
        done = run(*words, within=without(*streams), variables=home)
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout)


@pytest.mark.parametrize(
    "words", [["status", "--json"], ["query", "a", "--json"], ["query", "a", "--all", "--paths"]]
)
def test_a_result_for_a_program_that_cannot_be_written_is_told(
    indexed: Any, words: list[str]
) -> None:
    home = {"VSEARCH_HOME": str(indexed[0].home)}
    done = run(*words, within=without(">&-"), variables=home)
    assert done.returncode == 1
    assert done.stderr == "vsearch: there is no stdout to write the result to: it is closed\n"
    silent = run(*words, within=without(">&-", "2>&-"), variables=home)
    assert (silent.returncode, silent.stdout, silent.stderr) == (1, "", "")


@pytest.mark.parametrize("streams", [ALL, ("<&-",), (">&-", "2>&-")])
def test_a_file_that_is_opened_takes_the_place_of_no_stream(
    tmp_path: Path, streams: tuple[str, ...]
) -> None:
    look = (
        "import os, sys; from vsearch.startup import prepare_surroundings; prepare_surroundings();"
        "file = open(sys.argv[1], 'w'); print(file.fileno(), file=file);"
        "print(*(os.path.samestat(os.fstat(n), os.stat(os.devnull)) for n in range(3)), file=file)"
    )
    told = tmp_path / "told"
    run = [*without(*streams), sys.executable, "-c", look, told]
    subprocess.run(run, check=True, stdin=subprocess.PIPE, capture_output=True)
    number, *on_nothing = told.read_text().split()
    assert int(number) > 2
    closed = [{"<": "0", ">": "1", "2": "2"}[one[0]] for one in streams]
    assert [str(n) for n, nothing in enumerate(on_nothing) if nothing == "True"] == closed


def test_a_pipe_that_is_full_for_a_moment_is_waited_for() -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    process = subprocess.Popen([*COMMAND, "--help"], stdout=write, stderr=subprocess.PIPE)
    assert process.communicate()[1] == b""
    assert os.get_blocking(write)
    os.close(write)
    os.close(read)
    assert process.returncode == 0


def run_as_nobody(
    folder: Path, *arguments: object, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """In a container's way: a number without a name, and no HOME."""
    try:
        done = subprocess.run(
            [*NOBODY, *COMMAND, *map(str, arguments)],
            env={"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", **variables},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("needs NAMESPACES: this system has no unshare")
    if "unshare:" in done.stderr:
        pytest.skip(f"needs NAMESPACES: {done.stderr.strip()}")
    return done


@pytest.mark.parametrize(
    ("words", "home"),
    [
        (["status"], {}),
        (["index", "."], {"HOME": ""}),
        (["ui", "--no-browser"], {"HOME": "here"}),
    ],
)
def test_without_a_home_folder_a_sentence_names_the_variable(
    tmp_path: Path, words: list[str], home: dict[str, str]
) -> None:
    done = run_as_nobody(tmp_path, *words, **home)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "VSEARCH_HOME" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_a_home_folder_a_place_that_is_given_is_enough(
    tmp_path: Path, library: Path, model: Path
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    place = tmp_path / "place"
    index = ["index", library, "--model", model]
    for given, named in ((["--catalog", place], {}), ([], {"VSEARCH_HOME": str(place / "home")})):
        done = run_as_nobody(here, *index, *given, **named)
        assert done.returncode == 0, done.stderr
        asked = run_as_nobody(here, "query", "a red circle", "--json", *given, **named)
        assert json.loads(asked.stdout)["hits"]
    assert list(here.iterdir()) == []  # a folder named ~, as libraries make it


def test_without_a_home_folder_no_model_is_fetched_into_the_current_one(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    film = tmp_path / "a.mp4"
    film.touch()
    done = run_as_nobody(here, "index", film, "--catalog", tmp_path / "catalog")
    assert done.returncode == 1
    assert "VSEARCH_HOME" in done.stderr
    assert list(here.iterdir()) == []


def test_a_home_folder_that_cannot_be_made_leads_to_one_that_can(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    variables = {"HOME": str(tmp_path / "file"), "VSEARCH_HOME": "", "XDG_DATA_HOME": ""}
    done = run("index", tmp_path, "--model", "demo", variables=variables)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "VSEARCH_HOME" in done.stderr


GONE = ["sh", "-c", 'mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"']


def test_a_current_folder_that_was_deleted_stops_nothing(
    tmp_path: Path, library: Path, model: Path
) -> None:
    within = [*GONE, str(tmp_path / "gone")]
    home = {"VSEARCH_HOME": str(tmp_path / "home")}
    film = library / "short.mp4"
    for words in (
        ["index", film, "--model", model],
        ["query", "a red circle"],
        ["classify", film, "a", "b", "--model", model],
        ["forget", film],
    ):
        done = run(*words, within=within, variables=home)
        assert done.returncode == 0, (words, done.stderr)


@pytest.mark.parametrize(
    "words",
    [
        ["index", "films"],
        ["watch", "."],
        ["status", "--catalog", "c"],
        ["forget", "a.mp4"],
        ["relocate", "/old", "new"],
        ["classify", "a.mp4", "a", "b"],
    ],
)
def test_relative_paths_from_a_folder_that_was_deleted_are_refused(
    tmp_path: Path, words: list[str]
) -> None:
    done = run(*words, within=[*GONE, str(tmp_path / "gone")])
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert words[-1] in done.stderr or "a.mp4" in done.stderr
