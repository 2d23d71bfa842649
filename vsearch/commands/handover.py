"""Handover of a question to a server that runs already: the client's side of `vsearch query`.

A command that only hands over takes little more time than the start of Python, so that nothing is
imported here but small parts of the standard library.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import sys

from vsearch import __version__
from vsearch.caller import VARIABLES
from vsearch.errors import ServerError
from vsearch.startup import HOME_VARIABLE, has_current_folder, has_stdout, usual_home

TYPE_CHECKING = False  # `typing` takes time to load
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

SERVER_FILE = "server.json"
COMMAND_PATH = "/api/command"
SECRET_HEADER = "x-vsearch-secret"
TOKEN_VARIABLE = "VSEARCH_TOKEN"

_COMMANDS = ("query", "search")
_ANSWERED_HERE = ("-", "-h", "--help", "-v", "--verbose")
_ANSWERED_HERE_WITH_VALUE = ("--server", "--queries")
# What comes of a file or an answer that is none.
_STRANGE = (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError)
_MOST_BYTES = 65_536  # of the server's file
# Seconds without a sign of the server: it gives the first at once, and then one each second, but
# not while a library is being loaded.
_PATIENCE = 2.0
_PATIENCE_AFTER = 15.0


def handed_over(words: Sequence[str]) -> int | None:
    """The exit code of a command line that the running server has answered, printed and all.

    None where it is to be answered by this process: no server runs for this user, or it has another
    catalog, model or version, or what was asked is not for it.

    Raises what cannot be printed or played.
    """
    if not _is_for_a_server(words):
        return None
    home = os.environ.get(HOME_VARIABLE)
    home = os.path.abspath(os.path.expanduser(home)) if home else usual_home()  # noqa: PTH100, PTH111
    record = None if home is None else running_server(home)
    if record is None:
        return None
    asked = {**_request(words), "version": __version__, "home": home, "folder": os.getcwd()}  # noqa: PTH109
    try:
        place = record["host"], record["port"]
        answer = _exchange(place, asked, headers={SECRET_HEADER: record["secret"]})
        answered = answer["proof"] == record["proof"] and answer["answered"]
    except _STRANGE:
        return None
    return _delivered(answer) if answered else None


def ask_server(address: str, words: Sequence[str]) -> int:
    """The exit code of a command line that the server at an address has answered; it is printed.

    The address may have a token (`?token=…`), else that of $VSEARCH_TOKEN is taken.

    Raises ServerError, and what cannot be printed or played.
    """
    from urllib.parse import parse_qs, urlsplit

    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        parts, host, port = urlsplit(""), "", 0
    if parts.scheme not in ("http", "https") or not host:
        raise ServerError(f"{address} is no address of a server; give one as http://127.0.0.1:8600")
    token = parse_qs(parts.query).get("token", [os.environ.get(TOKEN_VARIABLE, "")])[0]
    headers = {"authorization": f"Bearer {token}"} if token else {}
    shown = f"{parts.scheme}://{host}:{port}"
    try:
        answer = _exchange((host, port), _request(words), headers=headers, tls=parts.scheme[4:])
    except OSError as error:
        raise ServerError(
            f"the server at {shown} cannot be reached ({error.strerror or error}); start it with"
            " `vsearch serve`, or give `--server none`"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ServerError(f"what answers at {shown} is no server of vsearch") from error
    if "detail" in answer:
        raise ServerError(f"the server at {shown} refuses: {answer['detail']}")
    return _delivered(answer)


def running_server(home: str) -> dict[str, Any] | None:
    """What the server of this user says of itself, if it seems to run and is of this version.

    Its file counts only as a plain one that belongs to this user, and that nobody else may read.
    """
    try:
        number = os.open(
            os.path.join(home, SERVER_FILE),  # noqa: PTH118
            os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC,
        )
        try:
            found = os.fstat(number)
            own = found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o077
            if not (own and stat.S_ISREG(found.st_mode) and found.st_size <= _MOST_BYTES):
                return None
            record: dict[str, Any] = json.loads(os.read(number, _MOST_BYTES))
        finally:
            os.close(number)
        os.kill(record["pid"], 0)  # raises for one that is gone, and for another user's
        return record if record["version"] == __version__ else None
    except _STRANGE:
        return None


def _is_for_a_server(words: Sequence[str]) -> bool:
    if not words or words[0] not in _COMMANDS or not has_stdout() or not has_current_folder():
        return False
    return not any(
        word in _ANSWERED_HERE or word.startswith(_ANSWERED_HERE_WITH_VALUE) for word in words
    )


def _request(words: Sequence[str]) -> dict[str, Any]:
    streams = {"out": sys.stdout, "err": sys.stderr}
    return {
        "words": list(words),
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
        "terminals": {name: stream.isatty() for name, stream in streams.items()},
        "encodings": {name: stream.encoding for name, stream in streams.items()},
    }


def _exchange(
    place: tuple[str, int], request: Mapping[str, Any], *, headers: Mapping[str, str], tls: str = ""
) -> dict[str, Any]:
    """Send a request, and read the answer to its end. HTTP/1.0: one that ends with the connection.

    Raises OSError, and ValueError for what is no answer.
    """
    host, port = place
    body = json.dumps(request).encode()
    lines = [
        f"POST {COMMAND_PATH} HTTP/1.0",
        f"host: {f'[{host}]' if ':' in host else host}:{port}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    # As bytes: for a text, Python loads what international names need.
    address: Any = host.encode() if host.isascii() else host
    connection = socket.create_connection((address, port), timeout=_PATIENCE)
    if tls:
        import ssl

        connection = ssl.create_default_context().wrap_socket(connection, server_hostname=host)
    with connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body)
        parts = []
        while part := connection.recv(_MOST_BYTES):
            parts.append(part)
            connection.settimeout(_PATIENCE_AFTER)
    head, _, told = b"".join(parts).partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1."):
        raise ValueError("no HTTP")
    answer: dict[str, Any] = json.loads(told)
    if not isinstance(answer, dict) or not {"detail", "proof"} & answer.keys():
        raise ValueError("no answer")
    return answer


def _delivered(answer: Mapping[str, Any]) -> int:
    """Print what was written for this process, and play what it is to play; the exit code."""
    streams = {"out": sys.stdout, "err": sys.stderr}
    for name, text in answer["written"]:
        streams[name].write(text)
    sys.stdout.flush()
    if answer["play"] is not None:
        from pathlib import Path

        from vsearch.messages import set_volume
        from vsearch.services.player import play_from

        path, start = answer["play"]
        set_volume(verbose=False, quiet=answer["quiet"])
        play_from(Path(path), start=start)
    return int(answer["code"])
