"""Number of cores that this process may use, which may be fewer than the machine has."""

import math
import os
from pathlib import Path

_OWN_GROUP = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")
_MEMORY_THREADS = 4  # more read it no faster, and others want to work too


def usable_cores(*, own_group: Path = _OWN_GROUP, groups: Path = _GROUPS) -> int:
    """Number of cores for this process, at least 1: its affinity, or its containers' share of time.

    A container with `--cpus 2` on 64 cores sees all of them; 64 threads would use up its share of
    each period at once and wait for the rest of it.
    """
    return max(int(min(_cores(), _quota(own_group, groups))), 1)


def memory_threads() -> int:
    """Number of threads for work that is bounded by reading memory."""
    return min(_MEMORY_THREADS, usable_cores())


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # Linux
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _quota(own_group: Path, groups: Path) -> float:
    """Number of cores that the control groups (version 2) of this process allow."""
    try:
        lines = own_group.read_text(encoding="utf-8").splitlines()
    except OSError:
        return math.inf  # not Linux
    # The lines of the older version begin with other numbers.
    own = next((Path(line[4:]) for line in lines if line.startswith("0::/")), Path())
    return min(_quota_of(groups / folder) for folder in (own, *own.parents))


def _quota_of(group: Path) -> float:
    try:
        allowed, period = (group / "cpu.max").read_text(encoding="utf-8").split()
        return math.inf if allowed == "max" else int(allowed) / int(period)
    except (OSError, ValueError, ArithmeticError):
        return math.inf
