"""The prompt of the shell: lines that are edited, completed and remembered, or come from a pipe."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from vsearch.commands.questions.lines import raw_lines, text_of
from vsearch.terminal import is_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PROMPT = "vsearch> "
_MOST_LINES = 1000  # of the history


class Prompt:
    """Reads lines: at a terminal with a prompt, from anything else as they come.

    Args:
        history: the file that keeps the lines of a terminal.
        commands: what the Tab key completes at the beginning of a line.
    """

    def __init__(self, history: Path, *, commands: Sequence[str]) -> None:
        self._history = history
        self._commands = commands
        self._at_terminal = is_terminal(sys.stdin) and is_terminal(sys.stdout)
        self._piped = raw_lines(sys.stdin.buffer)
        self._readline = _readline() if self._at_terminal else None
        if self._at_terminal:
            # Bytes that are no text arrive as they do on a command line.
            sys.stdin.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
        if self._readline:
            self._prepare_editing(self._readline)

    def read(self) -> str | None:
        """The next line; None at the end of the input.

        Raises ValueError for a line that is no text, and LineInterrupt after Ctrl-C.
        """
        if not self._at_terminal:
            raw = next(self._piped, None)
            return None if raw is None else text_of(raw)
        try:
            line = input(_PROMPT)
        except EOFError:
            print()
            return None
        self._remember(line)
        return line

    def _prepare_editing(self, readline: Any) -> None:
        readline.set_auto_history(False)
        readline.set_history_length(_MOST_LINES)
        readline.set_completer(self._completion)
        readline.set_completer_delims(" ")
        on_macos = "libedit" in (readline.__doc__ or "")
        readline.parse_and_bind("bind ^I rl_complete" if on_macos else "tab: complete")
        with suppress(OSError):
            self._history.parent.mkdir(parents=True, exist_ok=True)
            # It may hold what concerns nobody else.
            os.close(os.open(self._history, os.O_CREAT | os.O_WRONLY, 0o600))
            self._history.chmod(0o600)
            readline.read_history_file(self._history)

    def _remember(self, line: str) -> None:
        readline = self._readline
        if readline is None or not line.strip():
            return
        latest = readline.get_current_history_length()
        if latest and readline.get_history_item(latest) == line:
            return
        readline.add_history(line)
        with suppress(OSError):  # a home that cannot be written: they last as long as the shell
            readline.append_history_file(1, self._history)

    def _completion(self, text: str, number: int) -> str | None:
        fitting = [name for name in self._commands if text and name.startswith(text)]
        return f"{fitting[number]} " if number < len(fitting) else None


def _readline() -> Any:
    """Python's module for editing lines; None in builds that have none."""
    try:
        import readline
    except ImportError:
        return None
    return readline
