"""The processes that read videos for this one."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest


def reader_processes() -> list[int]:
    """The readers that live: what this process's server has forked."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("Linux tells who started whom")
    return [reader for server in server_processes() for reader in started_by(server)]


def server_processes() -> list[int]:
    """What this process has started to fork readers."""
    return [one for one in started_by(os.getpid()) if "fork_server" in command_of(one)]


def started_by(parent: int) -> Iterator[int]:
    """The processes that live and that `parent` has started."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            state, started_by = (process / "stat").read_text().rpartition(")")[2].split()[:2]
            if started_by == str(parent) and state != "Z":
                yield int(process.name)


def command_of(process: int) -> str:
    """The command line that it runs; empty when it has ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""
