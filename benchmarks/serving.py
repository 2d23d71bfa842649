"""Many askers: `vsearch serve` with one and with eight, and `vsearch query` with and without it.

`python -m benchmarks.serving`, or as a part of `make bench`. The catalog holds 100,000 random
clips; sentences are never the same twice. Askers are threads that ask over HTTP, each one question
after the other, in turns of some seconds: one asker, then eight, then one again.
"""

from __future__ import annotations

import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.inputs.catalogs import CLIPS_OF_EACH, catalog_of
from benchmarks.inputs.models import base_patch32
from benchmarks.measure.machine import describe_machine
from benchmarks.measure.section import Row, Section, as_markdown
from benchmarks.measure.timing import figure_of, ratio, side_by_side
from benchmarks.query import FILMS, sentences
from machine import prepare_process, usable_cores
from xclip_core.inputs.tokenizer import Tokenizer

ASKERS = 8
ROUNDS = 9
SECONDS = 3.0  # of a turn
COLD_ROUNDS = 9
_FASTER, _WAITS, _COLD_MS = 3.0, 5.0, 150
_REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of some seconds: seconds of each question, and of the server's processor."""

    answered: tuple[float, ...]
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        """Questions a second."""
        return len(self.answered) / self.seconds

    @property
    def cost(self) -> float:
        """Milliseconds of the server's processor for a question."""
        return 1000 * self.cpu / len(self.answered)

    def percentile(self, share: float) -> float:
        """Milliseconds that so many in a hundred questions took at most."""
        return float(1000 * np.percentile(self.answered, share))


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, its home, and what to ask."""

    process: subprocess.Popen[str]
    port: int
    home: Path
    catalog: Path
    asked: Iterator[str]

    def turn(self, askers: int, *, seconds: float = SECONDS) -> Turn:
        """Let so many ask for so long."""
        lists: list[list[float]] = [[] for _ in range(askers)]
        texts = [[next(self.asked) for _ in range(int(200 * seconds))] for _ in range(askers)]
        before, begin = self.cpu(), time.perf_counter()
        threads = [
            threading.Thread(target=self._ask, args=(mine, found, begin + seconds))
            for mine, found in zip(texts, lists, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        answered = tuple(one for found in lists for one in found)
        return Turn(answered, time.perf_counter() - begin, self.cpu() - before)

    def cpu(self) -> float:
        """Seconds of processor time that it has taken so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ask_in_a_process(self, *flags: str) -> None:
        """A cold `vsearch query`, which finds the server."""
        words = ["query", next(self.asked), "--catalog", str(self.catalog), "--json", *flags]
        _vsearch(*words, home=self.home)

    def _ask(self, texts: list[str], found: list[float], until: float) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        for text in texts:
            begin = time.perf_counter()
            if begin > until:
                break
            told = {"Content-Type": "application/json"}
            connection.request("POST", "/api/search", json.dumps({"text": text}), told)
            if connection.getresponse().read()[:1] != b"{":
                raise RuntimeError("no answer")
            found.append(time.perf_counter() - begin)
        connection.close()


def measure() -> Section:
    """All figures of this part, in about three minutes once model and catalog are made."""
    model = base_patch32()
    catalog = catalog_of(model, films=FILMS)
    with (
        tempfile.TemporaryDirectory() as home,
        _serving(catalog, Path(home), sentences(Tokenizer.load(model))) as server,
    ):
        server.turn(ASKERS)  # warm up
        turns = [(server.turn(1), server.turn(ASKERS)) for _ in range(ROUNDS)]
        rows = [*_rows_of_turns(turns), *_cold_rows(server)]
    return Section(
        title="Many askers",
        setting=(
            f"`vsearch serve` over {FILMS * CLIPS_OF_EACH:,} clips on {usable_cores()} cores, "
            f"base-patch32's text encoder, sentences of 8 words, each new, asked over HTTP by "
            f"threads of one other process on the same machine; {ROUNDS} rounds of {SECONDS:g} s "
            f"with one asker and as long with {ASKERS}. Cold: whole processes, {COLD_ROUNDS} "
            "rounds."
        ),
        rows=tuple(rows),
        notes=(
            "Processor time for a question bounds what a machine answers: a second of each core "
            "by it.",
        ),
    )


def _rows_of_turns(turns: list[tuple[Turn, Turn]]) -> list[Row]:
    ones, many = [one for one, _ in turns], [of_many for _, of_many in turns]
    faster = figure_of([b.rate / a.rate for a, b in turns], unit="×")
    middle, last = (
        figure_of([turn.percentile(share) for turn in many], unit="ms") for share in (50, 99)
    )
    waits = figure_of([turn.percentile(99) / turn.percentile(50) for turn in many], unit="×")
    return [
        Row("questions a second, 1 asker", figure_of([t.rate for t in ones], unit="1/s")),
        Row(f"questions a second, {ASKERS} askers", figure_of([t.rate for t in many], unit="1/s")),
        Row(
            f"{ASKERS} askers / 1 asker",
            faster,
            f"≥ {_FASTER:g} × (on 4 cores)",
            faster.median >= _FASTER,
        ),
        Row("a question, 1 asker, p50", figure_of([t.percentile(50) for t in ones], unit="ms")),
        Row(f"a question, {ASKERS} askers, p50", middle),
        Row(f"a question, {ASKERS} askers, p99", last),
        Row("p99 / p50", waits, f"≤ {_WAITS:g} ×", waits.median <= _WAITS),
        Row("processor time of a question, 1 asker", figure_of([t.cost for t in ones], unit="ms")),
        Row(
            f"processor time of a question, {ASKERS} askers",
            figure_of([t.cost for t in many], unit="ms"),
        ),
    ]


def _cold_rows(server: Server) -> list[Row]:
    ways = {
        "served": server.ask_in_a_process,
        "alone": lambda: server.ask_in_a_process("--server", "none"),
        "python": lambda: _run([sys.executable, "-c", "pass"], home=server.home),
    }
    wall = side_by_side(ways, rounds=COLD_ROUNDS)
    cpu = side_by_side(ways, rounds=COLD_ROUNDS, clock=_cpu_of_children)
    return [
        Row(
            "`vsearch query` from cold, with a server",
            wall["served"].figure,
            f"≤ {_COLD_MS} ms",
            1000 * wall["served"].median <= _COLD_MS,
        ),
        Row("`vsearch query` from cold, without", wall["alone"].figure),
        Row("without / with", ratio(wall["alone"], wall["served"])),
        Row("`python -c pass`", wall["python"].figure),
        Row("with a server, processor time of the command", cpu["served"].figure),
        Row("without, processor time of the command", cpu["alone"].figure),
        Row("`python -c pass`, processor time", cpu["python"].figure),
    ]


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def _serving(catalog: Path, home: Path, asked: Iterator[str]) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    words = ["serve", "--catalog", str(catalog), "--port", str(port), "--json", "-q"]
    command = [sys.executable, "-m", "vsearch", *words]
    with subprocess.Popen(
        command, cwd=_REPOSITORY, env=_environment(home), stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdout is None or not process.stdout.readline():
            raise RuntimeError("the server does not start")
        yield Server(process, port, home, catalog, asked)
        process.send_signal(signal.SIGTERM)


def _vsearch(*words: str, home: Path) -> None:
    _run([sys.executable, "-m", "vsearch", *words], home=home)


def _run(command: list[str], *, home: Path) -> None:
    subprocess.run(
        command, cwd=_REPOSITORY, env=_environment(home), check=True, capture_output=True
    )


def _environment(home: Path) -> dict[str, str]:
    variables = {**os.environ, "VSEARCH_HOME": str(home)}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its bytecode
    return variables


def main() -> None:
    """Measure, and print the table."""
    prepare_process()  # like the product
    print(f"{describe_machine()}\n\n{as_markdown(measure())}")


if __name__ == "__main__":
    main()
