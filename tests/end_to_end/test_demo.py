"""`vsearch demo`: the main job on films whose truth is known, without network."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
PYTHON = REPOSITORY.joinpath("docs", "python.md").read_text(encoding="utf-8")
README = REPOSITORY.joinpath("README.md").read_text(encoding="utf-8")
AGENTS = README.split("\n## Agents\n")[1].split("\n## ")[0]


@pytest.fixture(scope="module")
def home_after_demo(
    tmp_path_factory: pytest.TempPathFactory, run_from: Any
) -> tuple[Any, dict[str, Any]]:
    # No address answers there: whatever asked the network would fail.
    vsearch = run_from(
        tmp_path_factory.mktemp("home"),
        HF_ENDPOINT="http://127.0.0.1:9",
        HTTPS_PROXY="http://127.0.0.1:9",
    )
    run = vsearch("demo", "--json")
    assert run.code == 0, run.err
    return vsearch, run.json


def test_the_demo_finds_most_of_what_it_asks_for_at_rank_one(
    home_after_demo: tuple[Any, dict[str, Any]],
) -> None:
    _, shown = home_after_demo
    right = 0
    for answer in shown["answers"]:
        best, truth = answer["hits"][0], answer["truth"]
        shared = min(best["end"], truth["end"]) - max(best["start"], truth["start"])
        right += best["path"] == truth["path"] and shared >= 4.0  # half of the shortest event
    assert len(shown["answers"]) >= 4
    assert right / len(shown["answers"]) > 0.5


def test_the_demo_indexes_its_library_once(home_after_demo: tuple[Any, dict[str, Any]]) -> None:
    vsearch, first = home_after_demo
    assert first["index"]["indexed"] >= 4
    assert first["index"]["failed"] == []
    again = vsearch("demo", "--json").json
    assert again["index"]["indexed"] == 0
    assert again["index"]["unchanged"] == first["index"]["indexed"]
    assert [answer["hits"] for answer in again["answers"]] == [
        answer["hits"] for answer in first["answers"]
    ]


def test_a_person_sees_answers_beside_the_truth_and_what_to_do_next(
    home_after_demo: tuple[Any, dict[str, Any]],
) -> None:
    vsearch, shown = home_after_demo
    text = vsearch("demo", "-q").out
    assert text.count("truth:") == len(shown["answers"])
    assert all(answer["query"] in text for answer in shown["answers"])
    for step in ("ui --catalog", "index FOLDER", 'query "person cooking pasta"'):
        assert step in text


def test_the_demo_s_catalog_can_be_asked_like_any_other(
    home_after_demo: tuple[Any, dict[str, Any]],
) -> None:
    vsearch, shown = home_after_demo
    question = shown["answers"][0]
    run = vsearch("query", question["query"], "--catalog", shown["catalog"], "--json")
    hits = run.json["hits"]
    assert "coloured shapes that move, and nothing else" in run.err
    assert hits[: len(question["hits"])] == question["hits"]


@pytest.mark.parametrize("text", [PYTHON, AGENTS], ids=["python", "agents"])
def test_the_python_of_the_documents_runs_as_it_stands(
    home_after_demo: tuple[Any, dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    text: str,
) -> None:
    """Block after block; what is shown below one is what it prints."""
    for variable in ("VSEARCH_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".local" / "share").mkdir(parents=True)
    (tmp_path / ".local" / "share" / "vsearch").symlink_to(home_after_demo[0].home)
    command = tmp_path / ".venv" / "bin" / "vsearch"
    command.parent.mkdir(parents=True)
    command.write_text(f'#!/bin/sh\ncd {REPOSITORY}\nexec {sys.executable} -m vsearch "$@"\n')
    command.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    parts = re.findall(r"^```(python|text)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    printed: list[str] = []
    for kind, block in parts:
        if kind == "python":
            exec(block, names)
            printed.append(capfd.readouterr().out)
        else:
            assert printed[-1] == block
    assert all(printed)
    assert len(printed) == text.count("```python") > 0
