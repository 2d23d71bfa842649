"""The caller of a command: whose streams it writes to, and whose surroundings it goes by.

Mostly that is the process of the command. A server answers command lines of many callers at a time:
each has a context of its own (`contextvars`), in which `answering` puts the caller.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager
from contextvars import ContextVar

TYPE_CHECKING = False  # a client imports this, and has no time to lose
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import TextIO

# Those that decide how an answer is written, or what a word of a question means.
VARIABLES = (
    "CI",
    "COLORTERM",
    "FORCE_COLOR",
    "HOME",
    "NO_COLOR",
    "PATH",
    "PGDATABASE",
    "PGHOST",
    "PGOPTIONS",
    "PGPORT",
    "PGSERVICE",
    "PGSERVICEFILE",
    "PGUSER",
    "TERM",
    "TTY_COMPATIBLE",
    "TTY_INTERACTIVE",
    "TZ",
)


class Caller:
    """A caller that a server answers.

    Attributes:
        written: what was written for it: pairs of a stream ("out" or "err") and a text, in order.
        folder: where it stands; None if it may name files that are indexed only.
        variables: its environment, as far as it counts for an answer.
        level: messages of this level (of `logging`) or above are for it.
        refusal: the sentence with which it was refused.
        play: path and start, in seconds, of the moment that it is to play.
    """

    def __init__(
        self,
        *,
        folder: str | None = None,
        variables: Mapping[str, str] | None = None,
        terminals: Mapping[str, bool] | None = None,
        encodings: Mapping[str, str] | None = None,
    ) -> None:
        at, written_as = terminals or {}, encodings or {}
        self.written: list[tuple[str, str]] = []
        self.folder = folder
        self.variables = variables or {}
        self.level = 0
        self.refusal: str | None = None
        self.play: tuple[Path, float] | None = None
        self.streams = {
            name: _Written(
                self.written,
                name,
                terminal=at.get(name, False),
                encoding=written_as.get(name, "utf-8"),
            )
            for name in ("out", "err")
        }

    @property
    def is_quiet(self) -> bool:
        """Whether it wants no messages but warnings and errors."""
        return self.level >= 30  # of `logging`, which takes time to load

    def text(self, name: str) -> str:
        """All that was written to a stream."""
        return "".join(text for stream, text in self.written if stream == name)


class _Written(io.TextIOBase):
    """A stream of a caller: keeps what is written to it."""

    def __init__(
        self, written: list[tuple[str, str]], name: str, *, terminal: bool, encoding: str
    ) -> None:
        self._written = written
        self._name = name
        self._terminal = terminal
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return self._terminal

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._written.append((self._name, text))
        return len(text)


_caller: ContextVar[Caller | None] = ContextVar("caller", default=None)


def current() -> Caller | None:
    """The caller that is answered in this context; None for the process itself."""
    return _caller.get()


@contextmanager
def answering(one: Caller) -> Iterator[None]:
    """Within the block, commands in this context are those of a caller."""
    before = _caller.set(one)
    try:
        yield
    finally:
        _caller.reset(before)


def stdout() -> TextIO:
    """Where results go."""
    one = _caller.get()
    return sys.stdout if one is None else one.streams["out"]  # type: ignore[return-value]


def stderr() -> TextIO:
    """Where messages go: as it is now, as a progress bar puts itself in its place."""
    one = _caller.get()
    return sys.stderr if one is None else one.streams["err"]  # type: ignore[return-value]


def folder() -> str | None:
    """The folder that relative paths of a caller begin in; None: the current one, or none."""
    one = _caller.get()
    return None if one is None else one.folder


def sees_files() -> bool:
    """Whether the caller may be told of files that are not indexed."""
    one = _caller.get()
    return one is None or one.folder is not None


def variables() -> Mapping[str, str]:
    """The environment."""
    one = _caller.get()
    return os.environ if one is None else one.variables
