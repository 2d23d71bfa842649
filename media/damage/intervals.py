"""Damaged intervals of a video, merged where they touch, and sentences about them."""

import math
from dataclasses import dataclass, field

from machine.clock_text import clock_text

_MERGED = 1.0  # seconds between intervals that become one: damage spreads from a key frame
_CUT, _END = 0.2, 1.0  # seconds before a key frame and the end in which a cut may tear frames


@dataclass(slots=True)
class DamagedIntervals:
    """Damaged intervals in seconds, added in order of time.

    Only the first is kept, the others are counted: a video may have damage everywhere.
    """

    count: int = 0
    first: tuple[float, float] = (0.0, 0.0)
    _latest_end: float = field(default=-math.inf)

    def add(self, start: float, *, end: float) -> None:
        """Add [start, end)."""
        if start > self._latest_end + _MERGED:
            self.count += 1
            if self.count == 1:
                self.first = (start, end)
        elif self.count == 1:
            self.first = (self.first[0], max(self.first[1], end))
        self._latest_end = max(self._latest_end, end)

    def sentence(self, what: str, *, origin: float = 0.0) -> str | None:
        """Say `what` is wrong, where, in seconds after `origin`, and how often, or None."""
        if self.count == 0:
            return None
        start, end = (clock_text(seconds - origin) for seconds in self.first)
        where = f"at {start}" if start == end else f"from {start} to {end}"
        return f"{what} {where}{_and_more(self.count - 1)}"


@dataclass(slots=True)
class PendingIntervals:
    """Intervals that are added to `damaged` unless the video was probably cut there.

    Recordings of broadcasts are cut and joined at any byte: a torn frame just before a key frame or
    at the end is no damage.
    """

    damaged: DamagedIntervals
    _pending: list[tuple[float, float]] = field(default_factory=list)
    _latest: float = -math.inf

    def add(self, start: float, *, end: float) -> None:
        """Add [start, end) to those that are pending."""
        self._pending.append((start, end))

    def watch(self, time: float, *, is_key: bool) -> None:
        """Judge what is pending by a packet that is displayed at `time` seconds."""
        if is_key:
            self._pending = [(a, b) for a, b in self._pending if b < self._latest - _CUT]
        self._latest = max(self._latest, time)
        while self._pending and self._pending[0][1] + _MERGED < time:
            start, end = self._pending.pop(0)
            self.damaged.add(start, end=end)

    def finish(self) -> None:
        """Judge what is pending at the end of the video."""
        for start, end in self._pending:
            if end < self._latest - _END:
                self.damaged.add(start, end=end)
        self._pending.clear()


def restarts_sentence(times: list[float]) -> str | None:
    """Say that the clock restarts at the first of `times`, in seconds, and how often after that."""
    if not times:
        return None
    return f"its clock restarts at {clock_text(times[0])}{_and_more(len(times) - 1)}"


def _and_more(places: int) -> str:
    return f" and at {places} more place{'s' * (places > 1)}" if places else ""
