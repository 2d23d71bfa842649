"""Setting up from the Makefile: an environment that does not run is made anew, never a puzzle."""

import ensurepip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What setting up needs of the repository."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(REPOSITORY / name, folder)
    return folder


def make(
    checkout: Path, target: str = ".venv/environment.stamp", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run make with pip as Python brings it, so that nothing has to be fetched."""
    return subprocess.run(
        [
            "make",
            target,
            "UV=",
            f"PYTHON={Path(sys.base_prefix) / 'bin' / 'python3'}",
            f"PIP_VERSION={ensurepip.version()}",
        ],
        cwd=checkout,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def runs(command: Path) -> bool:
    done = subprocess.run([command, "--version"], capture_output=True, check=False)
    return done.returncode == 0


def test_an_environment_that_does_not_run_any_more_is_made_anew(checkout: Path) -> None:
    first = make(checkout)
    assert first.returncode == 0, first.stderr
    assert "Making the environment" in first.stdout
    assert "Making the environment" not in make(checkout).stdout

    checkout = checkout.rename(checkout.with_name("elsewhere"))
    pip = checkout / ".venv" / "bin" / "pip"
    assert not runs(pip)
    moved = make(checkout)
    assert moved.returncode == 0, moved.stderr
    assert runs(pip)

    for link in pip.parent.glob("python*"):
        link.unlink()
        link.symlink_to("/nowhere/python3")
    without_python = make(checkout)
    assert without_python.returncode == 0, without_python.stderr
    assert runs(pip)

    (installed,) = checkout.glob(".venv/lib/python*/site-packages/pip")
    shutil.rmtree(installed)
    without_pip = make(checkout)
    assert without_pip.returncode == 0, without_pip.stderr
    assert runs(pip)


def test_a_folder_of_other_things_is_left_as_it_is(checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "letter.txt").write_text("dear")
    done = make(checkout)
    assert done.returncode != 0
    assert "VENV=" in done.stderr
    assert (checkout / ".venv" / "letter.txt").read_text() == "dear"


def test_a_place_that_cannot_be_written_is_said_with_the_way_out(checkout: Path) -> None:
    (checkout / ".venv").write_text("not a folder")
    done = make(checkout)
    assert done.returncode != 0
    assert "VENV=" in done.stderr


def test_a_network_that_refuses_is_named_last(checkout: Path) -> None:
    make(checkout)
    refused = {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": "http://127.0.0.1:9/simple"}
    nothing_else = {"PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": "", "PIP_RETRIES": "0"}
    done = make(
        checkout,
        ".venv/application.stamp",
        PIP_CONFIG_FILE=os.devnull,
        **refused,
        **nothing_else,
    )
    assert done.returncode != 0
    assert "Installing vsearch" in done.stdout
    last = done.stderr.strip().splitlines()[-2:]
    assert any("https_proxy" in line and "TMPDIR" in line for line in last)
