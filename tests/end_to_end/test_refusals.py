"""What cannot be done is refused in one sentence, with the exit code that belongs to it."""

from pathlib import Path
from typing import Any

import pytest

from tests.indexer.videos import write_padded


def assert_refused(run: Any, *, code: int, saying: tuple[str, ...]) -> None:
    assert run.code == code
    assert run.out == ""
    assert run.err.startswith("vsearch: ")
    assert run.err.count("\n") == 1
    for words in saying:
        assert words in run.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("query", ""), "empty"),
        (("query", " \t "), "empty"),
        (("query",), "TEXT"),
        (("query", "a red car", "-k", "-3"), "--limit"),
        (("query", "a red car", "-k", "0"), "--limit"),
        (("query", "a red car", "-k", "many"), "--limit"),
        (("query", "a red car", "-0", "--json"), "--json"),
        (("query", "a red car", "--in", ""), "empty"),
        (("query", "a red car", "--in", "a/../b"), "neither . nor .. in it; see"),
        (("query", "a red car", "--model", " "), "empty"),
        (("index",), "PATH"),
        (("index", ""), "empty"),
        (("watch", ".", ""), "empty"),
        (("forget", ""), "empty"),
        (("relocate", "/old", ""), "empty"),
        (("status", "--catalog", ""), "empty"),
        (("index", "/nowhere/at/all"), "/nowhere/at/all"),
        (("index", ".", "--device", "abacus"), "--device"),
        (("index", ".", "--workers", "0"), "--workers"),
        (("index", ".", "--hwaccel", "warp"), "give auto, none or one of amf, cuda"),
        (("index", ".", "--window", "-1"), "--window"),
        (("index", ".", "--stride", "0"), "--stride"),
        (("watch", ".", "--patience", "nan"), "--decode-timeout"),
        (("classify", "/nowhere.mp4", "a", "b"), "/nowhere.mp4"),
        (("classify", "", "a", "b"), "empty"),
        (("classify", "tests", "a", "b"), "is a folder"),
        (("classify", "README.md", "one label"), "two labels"),
        (("classify", "README.md", "a dog", " a dog"), "the same"),
        (("ui", "--port", "0"), "--port"),
        (("query", "a red car", "--nonsense"), "--nonsense"),
        (("nonsense",), "nonsense"),
    ],
)
def test_wrong_usage(vsearch: Any, arguments: tuple[str, ...], words: str) -> None:
    assert_refused(vsearch(*arguments), code=2, saying=(words,))
    assert vsearch("status").code == 1, "a catalog was made"


@pytest.mark.parametrize("command", [("query", "a red car"), ("status",)])
def test_where_nothing_was_ever_indexed(vsearch: Any, command: tuple[str, ...]) -> None:
    assert_refused(vsearch(*command), code=1, saying=("vsearch index PATH",))


def test_an_empty_catalog(vsearch: Any, tmp_path: Path, model: Path) -> None:
    (tmp_path / "no films").mkdir()
    assert vsearch("index", tmp_path / "no films", "--model", model).code == 0
    assert_refused(vsearch("query", "a red car"), code=1, saying=("`vsearch index PATH`",))


def test_the_advice_to_index_means_the_catalog_that_was_asked(
    vsearch: Any, tmp_path: Path, model: Path
) -> None:
    (tmp_path / "no films").mkdir()
    here = ("--catalog", tmp_path / "my own")
    advice = f"`vsearch index PATH --catalog '{tmp_path}/my own'`"
    for command in (
        ("query", "a red car"),
        ("status",),
        ("forget", "--all"),
        ("relocate", "/a", "/b"),
        ("verify",),
        ("verify", "--repair"),
    ):
        assert_refused(vsearch(*command, *here), code=1, saying=(advice,))
    assert vsearch("index", tmp_path / "no films", "--model", model, *here).code == 0
    assert_refused(vsearch("query", "a red car", *here), code=1, saying=(advice,))


def test_the_advice_to_forget_what_is_left_out_means_the_catalog_that_is_indexed(
    vsearch: Any, tmp_path: Path, model: Path
) -> None:
    here = ("--catalog", tmp_path / "own")
    film = write_padded(tmp_path / "films" / "a.mp4", seed=1)
    assert vsearch("index", film.parent, "--model", model, *here).code == 0
    told = vsearch("index", film.parent, "--exclude", "a.mp4", *here)
    command = told.err.split("`vsearch ")[1].split("`")[0]
    assert vsearch(*command.split(), "--json").json["files"] == 1


def test_a_catalog_that_is_something_else(vsearch: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a catalog")
    run = vsearch("query", "a red car", "--catalog", tmp_path / "file")
    assert_refused(run, code=1, saying=(str(tmp_path / "file"),))


def test_a_query_with_another_model_by_name_is_refused_before_anything_is_fetched(
    indexed: tuple[Any, Any], model: Path
) -> None:
    vsearch, _ = indexed
    run = vsearch("query", "a red car", "--model", "microsoft/xclip-base-patch16")
    assert_refused(
        run, code=1, saying=(str(model), "microsoft/xclip-base-patch16", "`vsearch forget --all ")
    )


@pytest.mark.parametrize("command", ["query", "index"])
def test_other_weights_are_refused_with_both_sides_named(
    indexed: tuple[Any, Any], library: Path, model: Path, other_model: Path, command: str
) -> None:
    vsearch, _ = indexed
    argument = library if command == "index" else "a red car"
    run = vsearch(command, argument, "--model", other_model)
    mends = (f"`--model {model}", "`vsearch forget --all --catalog ")
    assert_refused(run, code=1, saying=(str(model), str(other_model), *mends))


def test_the_same_weights_in_another_folder_are_the_same_model(
    indexed: tuple[Any, Any], tmp_path: Path, model: Path
) -> None:
    vsearch, _ = indexed
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in model.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    assert vsearch("query", "a red car", "--model", copy).code == 0


def test_a_hub_out_of_reach(tmp_path: Path, library: Path, run_from: Any) -> None:
    vsearch = run_from(tmp_path / "home", HF_ENDPOINT="http://127.0.0.1:9")
    run = vsearch("index", library, "--model", "microsoft/xclip-base-patch32")
    assert_refused(run, code=1, saying=("microsoft/xclip-base-patch32", "connect and try again"))
    assert "demo" not in run.err, "the toy model knows nothing of one's own films"
    assert not (vsearch.home / "catalog").exists()


def test_a_folder_that_holds_no_model(vsearch: Any, library: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    run = vsearch("index", library, "--model", tmp_path / "empty")
    assert_refused(run, code=1, saying=("config.json",))


def test_a_text_that_is_no_film_is_not_classified(vsearch: Any, model: Path) -> None:
    run = vsearch("classify", "README.md", "a cat", "a dog", "--model", model)
    assert_refused(run, code=1, saying=("README.md",))


def test_who_relocates_to_a_folder_with_none_of_the_files_gets_exit_code_3(
    vsearch: Any, tmp_path: Path, model: Path
) -> None:
    film = write_padded(tmp_path / "films" / "a.mp4", seed=1)
    assert vsearch("index", film.parent, "--model", model).code == 0
    (tmp_path / "other").mkdir()
    assert vsearch("relocate", film.parent, tmp_path / "other").code == 3
    assert vsearch("relocate", tmp_path / "other", tmp_path / "not mounted").code == 0


def test_a_repair_that_keeps_no_video_gets_exit_code_3(
    vsearch: Any, tmp_path: Path, model: Path
) -> None:
    here = ("--catalog", tmp_path / "own")
    film = write_padded(tmp_path / "films" / "a.mp4", seed=1)
    assert vsearch("index", film.parent, "--model", model, *here).code == 0
    with (tmp_path / "own" / "catalog.sqlite").open("r+b") as file:
        file.write(bytes(100))
    repaired = vsearch("verify", "--repair", *here)
    assert repaired.code == 3
    assert "no video is left in the catalog" in repaired.err
