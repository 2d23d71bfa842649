"""Ending a run from outside: Ctrl-C, SIGTERM and SIGHUP all end it in the same orderly way."""

import signal
from types import FrameType

from vsearch.exit_codes import INTERRUPTED

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP


class Interruption:
    """What has asked this process to end.

    The first signal raises KeyboardInterrupt, so that what is finished stays and what goes on can
    be put away. A second one ends the process at once.
    """

    def __init__(self) -> None:
        self._number: int | None = None
        self._heeded: tuple[signal.Signals, ...] = ()

    def listen(self) -> None:
        """Heed the signals from here on, but those that whoever started us has us ignore."""
        every = (signal.Signals[name] for name in _NAMES if hasattr(signal, name))
        # `nohup` ignores SIGHUP, a shell ignores SIGINT for what it starts in the background.
        self._heeded = tuple(one for one in every if signal.getsignal(one) != signal.SIG_IGN)
        for one in self._heeded:
            signal.signal(one, self._end)

    @property
    def asked(self) -> bool:
        """Whether a signal has come."""
        return self._number is not None

    @property
    def exit_code(self) -> int:
        """What a shell expects of a process that a signal ended."""
        return INTERRUPTED if self._number is None else 128 + self._number

    def _end(self, number: int, _: FrameType | None) -> None:
        self._number = number
        for one in self._heeded:
            # A terminal that is closed sends SIGHUP twice, and some supervisors send it after
            # SIGTERM: that is no second wish.
            again = signal.SIG_IGN if one.name == "SIGHUP" else signal.SIG_DFL
            signal.signal(one, again)
        raise KeyboardInterrupt
