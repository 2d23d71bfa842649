"""Signals: Ctrl-C, SIGTERM and SIGHUP all end a command in the same orderly way."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from vsearch.exit_codes import INTERRUPTED, REFUSED
from vsearch.terminal import redraws

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SECONDS_TO_FINISH = 0.02  # then it is looked at again
_IMPORTS = "importlib._bootstrap>"  # the file of an import's frames, in CPython 3.11, 3.12 and 3.13
_SHOW_CURSOR = b"\x1b[?25h"


class Interruption:
    """Handler of the signals that end this process.

    The first signal raises KeyboardInterrupt, so that finished work stays and the rest is cleaned
    up. A second one ends the process at once.

    An import is not interrupted but waited for: Python would keep the import lock, and another
    thread that imports, for example to load a model, would wait for it forever.
    """

    def __init__(self) -> None:
        self._number: int | None = None
        self._handled: tuple[signal.Signals, ...] = ()

    def exit_code_of(self, work: Callable[[], int]) -> int:
        """Run `work` with the signals handled; its exit code, or 128 + N after signal N."""
        try:
            self._handle()
            code = work()
        except KeyboardInterrupt:
            code = INTERRUPTED
        except Exception:
            # Native code turns KeyboardInterrupt into other errors, as PyTorch does on loading.
            if self._number is None:
                raise
            _log_traceback()
            code = INTERRUPTED
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            # A signal while Python ends needs no traceback.
            for one in self._handled:
                signal.signal(one, signal.SIG_DFL)
        # After SIGHUP, a result that could not be printed is no other fault than the signal.
        if self._number is None or code not in (INTERRUPTED, REFUSED):
            return code
        return 128 + self._number

    def _handle(self) -> None:
        """Handle all signals but those that the parent process has set to be ignored."""
        # `nohup` ignores SIGHUP, a shell ignores SIGINT for what it starts in the background.
        self._handled = tuple(one for one in _SIGNALS if signal.getsignal(one) != signal.SIG_IGN)
        for one in self._handled:
            signal.signal(one, self._end)

    def _end(self, number: int, frame: FrameType | None) -> None:
        self._number = number
        for one in self._handled:
            # A closed terminal sends SIGHUP twice, and some supervisors send it after SIGTERM:
            # that is not a second request.
            again = signal.SIG_IGN if one.name == "SIGHUP" else signal.SIG_DFL
            signal.signal(one, again)
        # A progress bar hides the cursor, and a second signal leaves it no time to bring it back.
        with suppress(OSError, AttributeError, ValueError):
            if redraws(sys.stderr):
                os.write(sys.stderr.fileno(), _SHOW_CURSOR)
        _raise(KeyboardInterrupt, frame)


class LineInterrupt(KeyboardInterrupt):
    """Ctrl-C at a prompt: it ends the line, and what the line asked for."""


@contextmanager
def ctrl_c_ends_the_line() -> Iterator[None]:
    """Within the block, Ctrl-C raises LineInterrupt, as often as it comes.

    Other signals end the process as before.
    """

    def interrupt(_: int, frame: FrameType | None) -> None:
        _raise(LineInterrupt, frame)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _raise(kind: type[KeyboardInterrupt], frame: FrameType | None) -> None:
    """Raise it where the process stands, or after the import that is under way there."""
    if not _has_to_finish(frame):
        raise kind
    signal.signal(signal.SIGALRM, lambda _, frame: _raise(kind, frame))
    signal.setitimer(signal.ITIMER_REAL, _SECONDS_TO_FINISH)


def _log_traceback() -> None:
    """Log it, for --verbose: it may be a fault of vsearch after all."""
    import traceback

    from vsearch.messages import log

    for line in traceback.format_exc().splitlines():
        log.debug("%s", line)


def _has_to_finish(frame: FrameType | None) -> bool:
    """Whether an import is under way, which must not be interrupted."""
    while frame is not None:
        if frame.f_code.co_filename.endswith(_IMPORTS):
            return True
        frame = frame.f_back
    return False
