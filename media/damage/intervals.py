"""What of a film could not be read, in words for the person whose film it is."""

import math
from dataclasses import dataclass, field

_SAME_PLACE = 1.0  # seconds within which two losses are one: a key frame's loss spoils what follows
_CUT, _END = 0.2, 1.0  # seconds before a key frame and the end in which a cut may tear pictures


@dataclass(slots=True)
class DamagedIntervals:
    """Stretches of a film, in seconds, of which nothing could be had; gathered in order of time.

    Only the first is kept in full, the rest is counted: a film may be damaged all over.
    """

    count: int = 0
    first: tuple[float, float] = (0.0, 0.0)
    _latest_end: float = field(default=-math.inf)

    def add(self, start: float, *, end: float) -> None:
        """Note that nothing could be had of [start, end)."""
        if start > self._latest_end + _SAME_PLACE:
            self.count += 1
            if self.count == 1:
                self.first = (start, end)
        elif self.count == 1:
            self.first = (self.first[0], max(self.first[1], end))
        self._latest_end = max(self._latest_end, end)

    def sentence(self, what: str, *, origin: float = 0.0) -> str | None:
        """`what` is the matter, where, counted from `origin`, and how often; None if never."""
        if self.count == 0:
            return None
        start, end = (clock_time(seconds - origin) for seconds in self.first)
        where = f"at {start}" if start == end else f"from {start} to {end}"
        return f"{what} {where}{_and_more(self.count - 1)}"


@dataclass(slots=True)
class PendingIntervals:
    """Damaged intervals that count unless it seems that somebody cut the film there.

    Recordings of a broadcast are cut and joined anywhere: a torn picture just before a key frame or
    at the end is no damage.
    """

    losses: DamagedIntervals
    _open: list[tuple[float, float]] = field(default_factory=list)
    _latest: float = -math.inf

    def add(self, start: float, *, end: float) -> None:
        """Suspect [start, end)."""
        self._open.append((start, end))

    def watch(self, time: float, *, is_key: bool) -> None:
        """Judge what is suspected by a packet of the picture at `time` seconds."""
        if is_key:
            self._open = [(a, b) for a, b in self._open if b < self._latest - _CUT]
        self._latest = max(self._latest, time)
        while self._open and self._open[0][1] + _SAME_PLACE < time:
            start, end = self._open.pop(0)
            self.losses.add(start, end=end)

    def finish(self) -> None:
        """Judge the rest: the film is over."""
        for start, end in self._open:
            if end < self._latest - _END:
                self.losses.add(start, end=end)
        self._open.clear()


def restarts_sentence(times: list[float]) -> str | None:
    """That the clock restarts at the first of `times`, in seconds, and how often else."""
    if not times:
        return None
    return f"its clock restarts at {clock_time(times[0])}{_and_more(len(times) - 1)}"


def clock_time(seconds: float) -> str:
    """`seconds` as a player shows them: 03:12, or 1:03:12 from an hour on."""
    minutes, second = divmod(max(0, int(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute:02}:{second:02}"


def _and_more(places: int) -> str:
    return f" and at {places} more place{'s' * (places > 1)}" if places else ""
