"""What Python processes do, as they say: modules and their places, addresses, programs, files.

A `sitecustomize` module on PYTHONPATH makes every process of a command tell it, helpers included.
"""

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HOOK = """
import json, os, sys

_paths = set()
_watched = os.environ.get("VSEARCH_TEST_WATCHED")

def _tell(event, values, folder=os.environ["VSEARCH_TEST_RECORD"]):
    if event == "import":
        told = values[0]
        for place in set(map(str, values[2] or ())) - _paths:
            _paths.add(place)
            _write("path", place, folder)
    elif event in ("socket.connect", "socket.bind", "socket.sendto"):
        told = repr(values[1])
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        told = repr(values[0])
    elif event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"):
        told = repr(values[:2])
    elif event == "open" and _watched and isinstance(values[0], (str, bytes)):
        told = os.path.abspath(os.fsdecode(values[0]))
        if not told.startswith(_watched):
            return
    else:
        return
    _write(event, told, folder)

def _write(event, told, folder):
    line = json.dumps([event, told]) + "\\n"
    number = os.open(f"{folder}/{os.getpid()}", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(number, line.encode())
    os.close(number)

sys.addaudithook(_tell)
"""


@dataclass(frozen=True)
class Recorder:
    """A folder for the hook, and one for what it tells."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> "Recorder":
        (folder / "told").mkdir(parents=True)
        (folder / "sitecustomize.py").write_text(_HOOK)
        return cls(folder)

    @property
    def variables(self) -> dict[str, str]:
        """What a recorded process needs in its environment."""
        return {
            "PYTHONPATH": str(self.folder),
            "VSEARCH_TEST_RECORD": str(self.folder / "told"),
        }

    def processes(self) -> int:
        """How many processes told something."""
        return len(list((self.folder / "told").iterdir()))

    def told(self, *kinds: str) -> set[str]:
        """All that was told of events whose names begin with one of `kinds`."""
        events: list[list[Any]] = [
            json.loads(line)
            for process in (self.folder / "told").iterdir()
            for line in process.read_text().splitlines()
        ]
        return {what for event, what in events if event.startswith(kinds)}


@contextmanager
def counting_proxy() -> Iterator[tuple[dict[str, str], list[str]]]:
    """The variables that name a proxy, and the requests that it got; it serves none."""
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    asked.append(connection.recv(4096).partition(b"\r\n")[0].decode())
                    connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        names = ("http_proxy", "https_proxy", "all_proxy")
        yield {form: address for name in names for form in (name, name.upper())}, asked
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def without_proxies() -> dict[str, str]:
    """This environment without what says where requests go."""
    return {
        name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")
    }
