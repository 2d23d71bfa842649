"""Resources of a command with all its child processes: wall time, CPU time, memory."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")
_EVERY = 0.1  # seconds between two samples


@dataclass(frozen=True, slots=True)
class Taken:
    """Wall seconds, CPU seconds, peak memory in bytes, and the text on stdout.

    Memory is the sum of proportional set sizes: shared memory is counted once.
    """

    wall: float
    cpu: float
    peak: int
    out: str


@dataclass(slots=True)
class _Tree:
    root: int
    peak: int = 0
    _cpu: dict[int, float] = field(default_factory=dict)

    def look(self) -> None:
        stats = dict(_stats())
        tree = {self.root}
        while grown := {pid for pid, (parent, _) in stats.items() if parent in tree} - tree:
            tree |= grown
        self._cpu |= {pid: stats[pid][1] for pid in tree if pid in stats}
        self.peak = max(self.peak, sum(map(_memory, tree)))

    @property
    def cpu(self) -> float:
        return sum(self._cpu.values())


def watched(command: Sequence[str], *, environment: dict[str, str] | None = None) -> Taken:
    """Run a command to its end and measure it.

    Raises:
        CalledProcessError: the command failed.
    """
    began = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})}
    ) as process:
        tree = _Tree(process.pid)
        while True:
            tree.look()
            try:
                out, _ = process.communicate(timeout=_EVERY)
            except subprocess.TimeoutExpired:
                continue
            break
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Taken(time.perf_counter() - began, tree.cpu, tree.peak, out)


def _stats() -> list[tuple[int, tuple[int, float]]]:
    """Parent and CPU seconds of every process."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue  # the process has ended
        seconds = (int(fields[11]) + int(fields[12])) * _TICK
        found.append((int(folder.name), (int(fields[1]), seconds)))
    return found


def _memory(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
