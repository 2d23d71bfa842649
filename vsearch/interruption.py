"""Ending a run from outside: Ctrl-C, SIGTERM and SIGHUP all end it in the same orderly way."""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from vsearch.exit_codes import INTERRUPTED, REFUSED
from vsearch.terminal import redraws

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
_SECONDS_TO_FINISH = 0.02  # then it is looked at again
_IMPORTS = "importlib._bootstrap>"  # the file of an import's frames, in CPython 3.11, 3.12 and 3.13
_SHOW_CURSOR = b"\x1b[?25h"


class Interruption:
    """What has asked this process to end.

    The first signal raises KeyboardInterrupt, so that what is finished stays and what goes on can
    be put away. A second one ends the process at once.

    An import is not broken off but waited for: Python's would keep the lock that it holds, and
    another thread that imports, as for a model that it loads, would wait for it forever.
    """

    def __init__(self) -> None:
        self._number: int | None = None
        self._heeded: tuple[signal.Signals, ...] = ()

    def exit_code_of(self, work: Callable[[], int]) -> int:
        """Do what has to be done, heeding signals; its exit code, or that of what ended it.

        The latter is what a shell expects of a process that a signal ended.
        """
        try:
            self._listen()
            code = work()
        except KeyboardInterrupt:
            code = INTERRUPTED
        except Exception:
            # Native code makes errors of its own of it, as PyTorch does while it loads a model.
            if self._number is None:
                raise
            _tell_traceback()
            code = INTERRUPTED
        finally:
            _alarm(0)
            # What comes while Python ends need not be told with a traceback.
            for one in self._heeded:
                signal.signal(one, signal.SIG_DFL)
        # A terminal that was closed leaves nowhere to print a result: no other fault than that.
        if self._number is None or code not in (INTERRUPTED, REFUSED):
            return code
        return 128 + self._number

    def _listen(self) -> None:
        """Heed all but those that whoever started us has us ignore."""
        every = (signal.Signals[name] for name in _NAMES if hasattr(signal, name))
        # `nohup` ignores SIGHUP, a shell ignores SIGINT for what it starts in the background.
        self._heeded = tuple(one for one in every if signal.getsignal(one) != signal.SIG_IGN)
        for one in self._heeded:
            signal.signal(one, self._end)

    def _end(self, number: int, frame: FrameType | None) -> None:
        self._number = number
        for one in self._heeded:
            # A terminal that is closed sends SIGHUP twice, and some supervisors send it after
            # SIGTERM: that is no second wish.
            again = signal.SIG_IGN if one.name == "SIGHUP" else signal.SIG_DFL
            signal.signal(one, again)
        # A progress bar hides the cursor, and a second signal leaves it no time to bring it back.
        with suppress(OSError, AttributeError, ValueError):
            if redraws(sys.stderr):
                os.write(sys.stderr.fileno(), _SHOW_CURSOR)
        self._interrupt(number, frame)

    def _interrupt(self, _: int, frame: FrameType | None) -> None:
        if not _has_to_finish(frame):
            raise KeyboardInterrupt
        signal.signal(signal.SIGALRM, self._interrupt)
        _alarm(_SECONDS_TO_FINISH)


def _tell_traceback() -> None:
    """With --verbose: it may be a fault of ours after all."""
    import traceback

    from vsearch.messages import log

    for line in traceback.format_exc().splitlines():
        log.debug("%s", line)


def _has_to_finish(frame: FrameType | None) -> bool:
    """Whether what was interrupted must not be broken off, and can be come back to."""
    if not hasattr(signal, "setitimer"):
        return False  # Windows
    while frame is not None:
        if frame.f_code.co_filename.endswith(_IMPORTS):
            return True
        frame = frame.f_back
    return False


def _alarm(seconds: float) -> None:
    """Have SIGALRM come then; 0 for never."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)
