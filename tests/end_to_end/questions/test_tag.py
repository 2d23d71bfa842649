"""Labels for all moments, kept as tags that questions filter by, as a user gives them."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from toyworld.library import make_library


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return make_library(tmp_path_factory.mktemp("toys") / "films", films=2)


@pytest.fixture(scope="module")
def vsearch(films: Any, run_from: Any) -> Any:
    command = run_from(films[0].path.parents[1] / "home")
    assert command("index", films[0].path.parent, "--model", "demo").code == 0
    return command


@pytest.fixture(scope="module")
def labels(films: Any) -> Path:
    """One event of each film, the second in two wordings, and something that is nowhere."""
    one, other = films[0].events[0], films[1].events[0]
    file = films[0].path.parents[1] / "labels.txt"
    said = f"the {other.caption.removeprefix('a ')}"
    file.write_text(f"# toys\nFirst: {one.caption}\n{other.caption} | {said}\na plumber\n")
    return file


def test_moments_as_a_summary_as_json_lines_and_as_csv(
    vsearch: Any, films: Any, labels: Path
) -> None:
    text = vsearch("tag", "--labels", labels)
    lines = text.out.splitlines()
    assert text.code == 0
    assert len(lines) == 3
    assert lines[0].startswith("First")
    assert "best: strong, " in lines[0]
    assert lines[0].endswith(f" in {films[0].path}")
    assert lines[2].split() == ["a", "plumber", "nothing"]
    assert "1 label without a moment; --min-confidence weak finds more" in text.err
    lined = vsearch("tag", "--labels", labels, "--json")
    moments = [json.loads(line) for line in lined.out.splitlines()]
    assert [moments[0][key] for key in ("label", "rank", "confidence")] == ["First", 1, "strong"]
    event = films[0].events[0]
    assert moments[0]["path"] == str(films[0].path)
    assert moments[0]["start"] < event.end
    assert event.start < moments[0]["end"]
    assert "First" in lined.err
    rows = list(csv.DictReader(io.StringIO(vsearch("tag", "--labels", labels, "--csv").out)))
    assert [(row["label"], float(row["start"])) for row in rows] == [
        (moment["label"], moment["start"]) for moment in moments
    ]
    assert vsearch("tag", "--list").out == ""


def test_tags_are_kept_asked_for_replaced_and_removed(
    vsearch: Any, films: Any, labels: Path
) -> None:
    kept = vsearch("tag", "--labels", labels, "--min-confidence", "strong", "--write", "--json")
    assert kept.code == 0
    first = [one for one in map(json.loads, kept.out.splitlines()) if one["label"] == "First"]
    for _ in range(2):
        listed = vsearch("tag", "--list", "--json").json["tags"]
        assert ["First", len(first)] in [[one["name"], one["moments"]] for one in listed]
        assert vsearch("tag", "--labels", labels, "--write", "-q").out  # to replace is no doubling
        vsearch("tag", "--labels", labels, "--min-confidence", "strong", "--write", "-q")
    assert vsearch("status", "--json").json["tags"] == len(listed)
    assert f"tags     {len(listed)}; " in vsearch("status").out
    other = films[1].events[0].caption
    for words in ((), ("--in", "!nowhere")):
        asked = vsearch("query", other, "--all", "--json", "--tag", "FIRST", *words).json
        assert asked["asked"]["filters"]["tags"] == ["FIRST"]
        assert asked["hits"]
        assert {hit["path"] for hit in asked["hits"]} == {one["path"] for one in first}
    without = vsearch("query", films[0].events[0].caption, "--all", "--json", "--tag", "!first")
    clips = {hit["clip_id"] for hit in without.json["hits"]}
    assert clips
    assert not clips & {one["clip_id"] for one in first}
    among = vsearch("tag", "--labels", labels, "--tag", "first", "--json")
    assert {json.loads(line)["path"] for line in among.out.splitlines()} == {first[0]["path"]}
    removed = vsearch("tag", "--remove", "first", "--json")
    assert removed.json == {"removed": 1, "moments": len(first)}
    assert [one["name"] for one in vsearch("tag", "--list", "--json").json["tags"]] == [other]
    refused = vsearch("query", other, "--tag", "first")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == f"vsearch: there is no tag 'first'; the tags are {other}\n"
    assert vsearch("tag", "--remove", other).out == "Removed 1 tag from 1 moment\n"
    assert "there are no tags yet" in vsearch("tag", "--list").err


def test_nothing_is_kept_where_nothing_was_found(vsearch: Any, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("a plumber repairs a sink\n")
    run = vsearch("tag", "--labels", tmp_path / "labels.txt", "--write")
    assert run.code == 0
    assert "embedding the sentence of the labels" in run.err
    assert "there is nothing to keep as a tag" in run.err
    assert "kept as tags" not in run.err


def test_labels_from_stdin_and_of_sentences_that_are_too_long(vsearch: Any, films: Any) -> None:
    caption = films[0].events[0].caption
    process = vsearch.start("tag", "--labels", "-", "--json", stdin=-1)
    out, err = process.communicate(f"{caption}\nlong: {'a red circle ' * 60}\n", timeout=120)
    assert process.returncode == 0, err
    assert json.loads(out.splitlines()[0])["label"] == caption
    assert "“a red circle a red circle a red circle a…”: " in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--labels, --list or --remove: give one of the three"),
        (("--list", "--remove", "dog"), "give one of the three"),
        (("--labels", "README.md", "--csv", "--json"), "--csv"),
        (("--list", "--csv"), "--csv"),
        (("--list", "--write"), "--write"),
        (("--labels", "/nowhere.txt"), "/nowhere.txt cannot be read"),
        (("--labels", "vsearch"), "vsearch cannot be read: Is a directory"),
        (("--labels", "README.md", "--min-confidence", "sure"), "strong, likely or weak"),
        (("--labels", "README.md", "--tag", "!"), "--tag"),
        (("--remove", "dog"), "there is no tag 'dog', nor any other"),
    ],
)
def test_wrong_usage(vsearch: Any, arguments: tuple[str, ...], words: str) -> None:
    run = vsearch("tag", *arguments)
    assert (run.code, run.out) == (2, "")
    assert words in run.err
    assert run.err.count("\n") == 1
