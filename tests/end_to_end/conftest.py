"""Real runs of the command: a process of its own, real films, a real (small) model."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from media import write_video
from tests.forked import forked_module
from tests.tiny_xclip import save_tiny_xclip

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """What one command line left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Vsearch:
    """Runs `vsearch` with a home of its own."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def start(
        self, *arguments: object, within: Sequence[str] = (), **options: Any
    ) -> "subprocess.Popen[str]":
        """Begin a command line, run by the one `within` where there is one."""
        return subprocess.Popen(
            [*within, sys.executable, "-m", "vsearch", *map(str, arguments)],
            cwd=REPOSITORY,
            env=self._variables(),
            text=True,
            errors="surrogateescape",
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )

    def __call__(self, *arguments: object) -> Run:
        """Run a command line, forked but where variables matter to how a process starts."""
        if self.environment or sys.platform != "linux":
            process = self.start(*arguments)
            out, err = process.communicate(timeout=300)
            return Run(process.returncode, out, err)
        return Run(*forked_module("vsearch", *arguments, environment=self._variables()))

    def _variables(self) -> dict[str, str]:
        return {
            **os.environ,
            "VSEARCH_HOME": str(self.home),
            "HF_HUB_CACHE": str(self.home / "hub"),
            "OMP_NUM_THREADS": "1",
            **self.environment,
        }


@pytest.fixture(scope="session")
def run_from() -> Callable[..., Vsearch]:
    """Makes the command for a home and, by keywords, variables of the environment."""
    return lambda home, **environment: Vsearch(home, environment)


@pytest.fixture
def vsearch(tmp_path: Path) -> Vsearch:
    """The command, with nothing indexed."""
    return Vsearch(tmp_path / "home")


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small model."""
    return save_tiny_xclip(tmp_path_factory.mktemp("models") / "first", seed=1)


@pytest.fixture(scope="session")
def other_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model of the same architecture with other weights."""
    return save_tiny_xclip(tmp_path_factory.mktemp("models") / "second", seed=2)


def _noise(seconds: float, *, seed: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(seed)
    for _ in range(round(10 * seconds)):
        coarse = rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)
        yield coarse.repeat(16, axis=0).repeat(16, axis=1)


MakeFilm = Callable[..., Path]


@pytest.fixture(scope="session")
def make_film() -> MakeFilm:
    """Writes a film of noise; another seed makes another film."""

    def make(path: Path, *, seconds: float = 3.0, seed: int = 0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_video(path, _noise(seconds, seed=seed), frame_rate=10)
        return path

    return make


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory, make_film: MakeFilm) -> Path:
    """Three films, one of them long enough for several clips, in two folders."""
    folder = tmp_path_factory.mktemp("library")
    make_film(folder / "short.mp4", seconds=3, seed=1)
    make_film(folder / "two words.mp4", seconds=5, seed=2)
    make_film(folder / "holidays" / "long.mp4", seconds=30, seed=3)
    return folder


@pytest.fixture(scope="session")
def indexed(
    tmp_path_factory: pytest.TempPathFactory, library: Path, model: Path
) -> tuple[Vsearch, Run]:
    """The command with the library indexed, and what the index run said. Only for reading."""
    vsearch = Vsearch(tmp_path_factory.mktemp("home"))
    return vsearch, vsearch("index", library, "--model", model, "--json")
