"""The start of a question: it imports no library that only indexing or the page needs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HUB_NAME = "someone/small-xclip"

NEEDLESS = {
    "PIL",
    "av",
    "catalog.verify",
    "faiss",
    "httpx",
    "huggingface_hub",
    "indexer",
    "media",
    "pydantic",
    "rich",
    "safetensors",
    "sqlalchemy.orm",
    "streamlit",
    "torch",
    "toyworld",
    "transformers",
    "ui",
    "watchdog",
}

ASK = """
import sys
from vsearch.__main__ import run

code = run(["query", "a red circle", "--json"])
print(code, *sys.modules)
"""


def named_by_the_hub(model: Path, home: Path) -> str:
    """Put the model into the Hub's cache, as its client does; its name."""
    cached = home / "hub" / "models--someone--small-xclip"
    shutil.copytree(model, cached / "snapshots" / COMMIT)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text(COMMIT)
    return HUB_NAME


def named_by_its_folder(model: Path, home: Path) -> str:
    return str(model)


@pytest.mark.parametrize("named", [named_by_the_hub, named_by_its_folder])
def test_a_question_imports_what_it_needs_alone(
    named: Callable[..., str], library: Path, model: Path, vsearch: Any
) -> None:
    name = named(model, vsearch.home)
    run = vsearch("index", library / "short.mp4", "--model", name, "--json")
    assert (run.code, run.json["indexed"]) == (0, 1), run.err
    environment = {
        **os.environ,
        "VSEARCH_HOME": str(vsearch.home),
        "HF_HUB_CACHE": str(vsearch.home / "hub"),
    }
    asked = subprocess.run(
        [sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True
    )
    code, *modules = asked.stdout.splitlines()[-1].split()
    assert code == "0", asked.stderr
    assert NEEDLESS.isdisjoint(modules)
