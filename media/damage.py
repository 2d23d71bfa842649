"""What of a film could not be read, in words for the person whose film it is."""

import math
from dataclasses import dataclass, field

_SAME_PLACE = 1.0  # seconds within which two losses are one: a key frame's loss spoils what follows


@dataclass(slots=True)
class Losses:
    """Stretches of a film, in seconds, that could not be decoded; gathered in order of time.

    Only the first is kept in full, the rest is counted: a film may be damaged all over.
    """

    count: int = 0
    _first: tuple[float, float] = (0.0, 0.0)
    _latest_end: float = field(default=-math.inf)

    def add(self, start: float, *, end: float) -> None:
        """Note that nothing could be had of [start, end)."""
        if start > self._latest_end + _SAME_PLACE:
            self.count += 1
            if self.count == 1:
                self._first = (start, end)
        elif self.count == 1:
            self._first = (self._first[0], max(self._first[1], end))
        self._latest_end = max(self._latest_end, end)

    @property
    def sentence(self) -> str | None:
        """Where the first loss is and how many there are; None if there is none."""
        if self.count == 0:
            return None
        start, end = (clock_time(seconds) for seconds in self._first)
        where = f"at {start}" if start == end else f"from {start} to {end}"
        more = self.count - 1
        rest = f", nor at {more} more place{'s' * (more > 1)}" if more else ""
        return f"cannot be decoded {where}{rest}"


def clock_time(seconds: float) -> str:
    """`seconds` as a player shows them: 03:12, or 1:03:12 from an hour on."""
    minutes, second = divmod(max(0, int(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute:02}:{second:02}"
