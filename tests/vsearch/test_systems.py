"""A system that lacks what vsearch needs is told so, before anything else fails."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("module", ["resource", "fcntl"])
@pytest.mark.parametrize("arguments", [["status"], ["index", "."], ["--version"], []])
def test_a_system_without_it_gets_one_sentence(module: str, arguments: list[str]) -> None:
    code = (
        f"import sys; sys.modules[{module!r}] = None; sys.argv[1:] = {arguments!r}\n"
        "from vsearch.__main__ import main\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=REPOSITORY
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("vsearch: this system is not supported; vsearch runs on Linux")
    assert done.stderr.count("\n") == 1
