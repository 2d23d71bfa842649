"""A PostgreSQL server for tests: a cluster of its own in a temporary folder, on a free port."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

import pytest

# What a server is asked to do without lasts no longer than the tests.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "listen_addresses": "127.0.0.1",
    "log_min_messages": "warning",
}


# A role: its members are asked for a password.
ASKED = "asked"


class Server:
    """A server that runs: its port on 127.0.0.1, and the folder of its cluster."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self._programs = programs
        self._numbers = count(1)

    def url(self, name: str, *, user: str = "postgres") -> str:
        """The URL of a database."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{name}"

    def new_database(self, *, template: str = "template0") -> str:
        """The name of a new database, a copy of `template`."""
        name = f"d{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def execute(self, command: str, *, database: str = "postgres") -> list[tuple]:
        """Run a command as the superuser; its rows."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            found = connection.execute(command)
            return found.fetchall() if found.description else []

    def start(self) -> None:
        """Start the server; it returns when it can be asked."""
        given = {**SETTINGS, "port": str(self.port), "unix_socket_directories": str(self.folder)}
        options = " ".join(f"-c {name}={value}" for name, value in given.items())
        self._run("pg_ctl", "-w", "-l", self.folder / "log", "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop the server, as if its machine had failed, or by another of its modes."""
        self._run("pg_ctl", "-m", mode, "stop")

    def make(self) -> None:
        """Make the cluster."""
        wishes = ["--auth=trust", "--username=postgres", "--no-sync", "--locale=C.UTF-8"]
        self._run("initdb", *wishes, "--encoding=UTF8")
        rules = self.folder / "data" / "pg_hba.conf"
        rules.write_text(f"host all +{ASKED} 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")

    def _run(self, program: str, *words: str | Path) -> None:
        command = [self._programs / program, "-D", self.folder / "data", *words]
        # A server refuses to run as root.
        user = {"user": "postgres", "group": "postgres", "extra_groups": []}
        subprocess.run(
            command,
            check=True,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **(user if os.geteuid() == 0 else {}),
        )


@contextmanager
def running_server() -> Iterator[Server]:
    """A server that runs as long as the block; a test is skipped where there is no PostgreSQL."""
    pytest.importorskip("psycopg", reason="POSTGRESQL: psycopg is not installed")
    programs = _programs()
    if programs is None:
        pytest.skip("POSTGRESQL: it is not installed (apt-get install postgresql)")
    folder = Path(mkdtemp(prefix="pg-", dir="/tmp"))  # the name of a socket is short
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        server = Server(folder, programs)
        server.make()
        server.start()
        try:
            server.execute(f"CREATE ROLE {ASKED}")
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    """The folder of the newest server that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if found:
        return found[-1].parent
    other = shutil.which("initdb")
    return Path(other).parent if other else None


def _version(program: Path) -> int:
    number = program.parts[-3]
    return int(number) if number.isdecimal() else 0


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])
