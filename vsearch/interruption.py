"""Ending a run from outside: Ctrl-C, SIGTERM and SIGHUP all end it in the same orderly way."""

import signal
from collections.abc import Callable
from types import FrameType

from vsearch.exit_codes import INTERRUPTED, REFUSED

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP


class Interruption:
    """What has asked this process to end.

    The first signal raises KeyboardInterrupt, so that what is finished stays and what goes on can
    be put away. A second one ends the process at once.
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
            code = INTERRUPTED
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

    def _end(self, number: int, _: FrameType | None) -> None:
        self._number = number
        for one in self._heeded:
            # A terminal that is closed sends SIGHUP twice, and some supervisors send it after
            # SIGTERM: that is no second wish.
            again = signal.SIG_IGN if one.name == "SIGHUP" else signal.SIG_DFL
            signal.signal(one, again)
        raise KeyboardInterrupt
