"""The page's server as a process, with its memory."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from catalog import Catalog
from vsearch.settings import Settings, page_environment


@dataclass(frozen=True, slots=True)
class Server:
    """The page's server, and the ids of the films in its catalog."""

    port: int
    process: subprocess.Popen[bytes]
    ids: dict[Path, int]

    @property
    def address(self) -> str:
        """The URL of the page."""
        return f"http://127.0.0.1:{self.port}/"

    def seconds(self, address: str, *, first: int | None = None, offset: int = 0) -> float:
        """Time until the `first` bytes from `offset` on are there, or all; then hang up."""
        begin = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request("GET", address, headers={"Range": f"bytes={offset}-"} if offset else {})
        answer = connection.getresponse()
        if answer.status not in (200, 206):
            raise RuntimeError(f"{address}: {answer.status} {answer.read()!r}")
        got = answer.read(first)
        taken = time.perf_counter() - begin
        connection.close()
        if not got:
            raise RuntimeError(f"{address} sent nothing")
        return taken

    def memory(self) -> float:
        """Resident memory in MiB, once it has come to rest."""
        time.sleep(1)
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(resident.split()[1]) / 1024

    def wait_until_at_rest(self) -> None:
        """Wait until its memory changes no more: it has loaded what it loads, or ended films."""
        before, now = 0.0, self.memory()
        while abs(now - before) > 1:
            time.sleep(3)
            before, now = now, self.memory()

    def cpu(self) -> float:
        """Processor seconds so far, which other work on the machine hardly changes."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8")
        user, system = fields.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(settings: Settings) -> Iterator[Server]:
    """Serve the page on this machine, for the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Catalog.open(settings.catalog) as catalog:
        ids = {path: video.video_id for video in catalog.videos() for path in video.paths}
    with subprocess.Popen(
        [sys.executable, "-m", "ui.serve", "--port", str(port), "--quiet"],
        env={**os.environ, **page_environment(settings)},
    ) as process:
        try:
            server = Server(port, process, ids)
            _wait_for(server)
            yield server
        finally:
            process.terminate()


def _wait_for(server: Server) -> None:
    for _ in range(600):
        try:
            server.seconds("/_stcore/health")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the page did not answer within a minute")
