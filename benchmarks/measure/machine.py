"""Description of the machine and the versions of libraries."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from machine import usable_cores

_LIBRARIES = ("torch", "faiss-gpu", "av", "numpy", "transformers", "tokenizers", "sqlalchemy")
# Instruction sets that decide the speed of matrix products and vector scans.
_INSTRUCTIONS = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "avx_vnni", "amx_bf16")


def describe_machine() -> str:
    """Describe processor, memory, system and versions, in two lines."""
    cores = usable_cores()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return (
        f"{_processor()}, {cores} cores, {memory:.0f} GiB, {platform.system()} "
        f"({platform.machine()}), load {load} at the start, {datetime.now(UTC):%Y-%m-%d}.\n"
        f"Python {platform.python_version()}, {libraries}."
    )


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    if not facts.exists():
        return platform.processor() or platform.machine()
    pairs = (line.partition(":") for line in facts.read_text(encoding="utf-8").splitlines())
    known = {name.strip(): value.strip() for name, _, value in pairs}
    flags = known.get("flags", "").split()
    has = [name for name in _INSTRUCTIONS if name in flags]
    return f"{known.get('model name', platform.machine())} with {' '.join(has) or 'plain SSE'}"
