"""Another model for a catalog: refused while it holds videos, welcome when it holds none."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog import Catalog, ClipSpan, FileLocation, Provenance


@pytest.fixture
def films(tmp_path: Path, library: Path) -> Path:
    (tmp_path / "films").mkdir()
    shutil.copy(library / "short.mp4", tmp_path / "films")
    return tmp_path / "films"


def test_the_command_that_a_refusal_names_lets_another_model_in(
    vsearch: Any, films: Path, model: Path, other_model: Path
) -> None:
    assert vsearch("index", films, "--model", model).code == 0
    refused = vsearch("index", films, "--model", other_model)
    assert refused.code == 1
    command = refused.err.split("`vsearch forget")[1].split("`")[0]
    assert vsearch("forget", *command.split()).code == 0
    assert vsearch("status", "--json").json["model"] is None
    assert vsearch("query", "a red circle").code == 1
    run = vsearch("index", films, "--model", other_model, "--json")
    assert (run.json["indexed"], run.json["model"]) == (1, str(other_model))
    assert vsearch("query", "a red circle", "--json").json["model"] == str(other_model)


def test_what_another_model_has_only_begun_is_in_nobodys_way(
    vsearch: Any, films: Path, model: Path
) -> None:
    with Catalog.open(vsearch.home / "catalog", create=True) as catalog:
        catalog.bind(Provenance("some/body's", None, "ab" * 32, 32, 4, 8.0, 4.0))
        catalog.add_to_partial(
            "content",
            location=FileLocation(films, films / "long.mp4", 1, 1),
            duration=99.0,
            clips=[ClipSpan(0.0, 8.0)],
            vectors=np.eye(32, dtype=np.float32)[:1],
        )
    run = vsearch("index", films, "--model", model, "--json")
    assert (run.code, run.json["indexed"]) == (0, 1), run.err
    status = vsearch("status", "--json").json
    assert (status["model"], status["unfinished"]) == (str(model), 0)


def test_a_first_run_that_failed_binds_to_nothing(
    vsearch: Any, films: Path, model: Path, other_model: Path, tmp_path: Path
) -> None:
    broken = shutil.copytree(model, tmp_path / "broken")
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    assert vsearch("index", films, "--model", broken).code == 1
    assert vsearch("index", films, "--model", other_model).code == 0


@pytest.mark.parametrize("arguments", [(), ("--all", "/films")])
def test_forgetting_takes_paths_or_all(vsearch: Any, arguments: tuple[str, ...]) -> None:
    run = vsearch("forget", *arguments)
    assert run.code == 2
    assert "--all" in run.err


def test_all_of_nothing_is_forgotten_without_a_word(vsearch: Any, films: Path, model: Path) -> None:
    assert vsearch("index", films, "--model", model).code == 0
    for files in (1, 0):
        run = vsearch("forget", "--all", "--json")
        assert (run.code, run.json["files"], run.json["present"]) == (0, files, [])


def test_the_toy_model_is_told_by_what_made_the_catalog(vsearch: Any, films: Path) -> None:
    asked = ("index", films, "--model", "demo")
    for arguments in (asked, ("index", films)):  # the second time by the catalog's own
        run = vsearch(*arguments)
        assert "Model: demo" in run.out
        assert "coloured shapes" in run.err
    assert "coloured shapes" in vsearch("status").out
