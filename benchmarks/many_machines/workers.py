"""One worker and three, with a model that sleeps: what claims leave of three machines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.many_machines.servers import new_database
from media import write_video


def measured(server: str, *, films: int, seconds: float, rounds: int) -> str:
    """A table of the times of one worker and of three, and of their ratio, round by round."""
    lines = [
        f"{films} films of 20 clips, {seconds:g} s for each clip, until the last is committed.",
        "",
        "| round | one worker | three workers | ratio |",
        "|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder)
        write_films(library, films=films)
        for number in range(1, rounds + 1):
            one, three = (_run(server, library, workers=n, seconds=seconds) for n in (1, 3))
            lines.append(f"| {number} | {one:.1f} s | {three:.1f} s | {one / three:.2f} × |")
    return "\n".join(lines)


def write_films(folder: Path, *, films: int) -> None:
    """Write films that differ, of 21 seconds: 20 clips of 2 s, one a second."""
    for number in range(films):
        levels = [(number * 7 + step) % 256 for step in range(42)]
        pictures = (np.full((16, 16, 3), level, np.uint8) for level in levels)
        write_video(folder / f"{number:03}.mp4", pictures, frame_rate=2)


def _run(server: str, library: Path, *, workers: int, seconds: float) -> float:
    """Seconds from the first film that is begun to the last that is committed."""
    with new_database(server) as address:
        command = [sys.executable, "-m", "benchmarks.many_machines.worker", str(address)]
        command += [str(library), "--seconds", str(seconds)]
        logs = [address.views / f"worker {number}" for number in range(workers)]
        started = []
        for log in logs:
            with log.open("w") as output:
                home = os.environ | {"VSEARCH_HOME": f"{log} home"}
                started.append(subprocess.Popen(command, stdout=output, env=home))
        if {process.wait() for process in started} != {0}:
            raise SystemExit("the measurement is not valid: a worker has failed")
        told = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
    indexed = [one for one in told if one.get("outcome") == "indexed"]
    if len(indexed) != len([*library.iterdir()]):
        raise SystemExit(f"the measurement is not valid: {len(indexed)} films were indexed")
    begun = min(one["at"] for one in told if one["told"] == "started")
    return float(max(one["at"] for one in indexed) - begun)
