"""Frame rates and timecode (SMPTE ST 12-1): exact fractions, frame numbers, labels."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

_NTSC = Fraction(1000, 1001)
_DROPPED_OF = 15  # frames in a second for each number that a minute leaves out: 2 of 30


@dataclass(frozen=True, slots=True)
class Rate:
    """Frames per second, and whether timecode leaves numbers out to keep up with the clock."""

    exact: Fraction
    drop: bool = False

    @property
    def base(self) -> int:
        """Frames in a second as timecode counts them."""
        return round(self.exact)

    @property
    def ntsc(self) -> bool:
        """Whether it is slower than it is counted, by 1 in 1001."""
        return self.exact.denominator == 1001

    @property
    def name(self) -> str:
        """As people write it: `29.97`, `29.97df`."""
        return f"{float(self.exact):.5g}{'df' if self.drop else ''}"

    @property
    def hour(self) -> int:
        """The number of the frame at 01:00:00:00."""
        return self.number(1, 0, 0, 0)

    def seconds(self, frames: int) -> Fraction:
        """How long so many frames last."""
        return frames / self.exact

    def number(self, hours: int, minutes: int, seconds: int, frames: int) -> int:
        """The number of the frame with a label, since 00:00:00:00."""
        passed = 60 * hours + minutes
        number = (60 * passed + seconds) * self.base + frames
        return number - self._dropped * (passed - passed // 10) if self.drop else number

    def parts(self, number: int) -> tuple[int, int, int, int]:
        """Hours, minutes, seconds and frames of a label, of which a day has each once."""
        number %= self.number(24, 0, 0, 0)
        if self.drop:
            minute = 60 * self.base - self._dropped
            tens, rest = divmod(number, 10 * minute + self._dropped)
            # The first minute of ten leaves nothing out.
            minutes = max(rest - self._dropped, 0) // minute
            number += self._dropped * (9 * tens + minutes)
        seconds, frames = divmod(number, self.base)
        minutes, second = divmod(seconds, 60)
        return minutes // 60, minutes % 60, second, frames

    def label(self, number: int) -> str:
        """The timecode of a frame: `01:00:00:00`, with drop frames `01:00:00;00`."""
        hours, minutes, seconds, frames = self.parts(number)
        return f"{hours:02}:{minutes:02}:{seconds:02}{';' if self.drop else ':'}{frames:02}"

    def with_label_of(self, number: int, of: "Rate") -> int:
        """The number of the frame that has the label of a frame of another rate.

        Hours, minutes and seconds stay; frames are counted anew.
        """
        hours, minutes, seconds, frames = of.parts(number)
        return self.number(hours, minutes, seconds, frames * self.base // of.base)

    @property
    def _dropped(self) -> int:
        return self.base // _DROPPED_OF


# What editing programs have timecode for.
_KNOWN = tuple(
    rate
    for base in (24, 25, 30, 50, 60)
    for rate in ([base * _NTSC, Fraction(base)] if base % 25 else [Fraction(base)])
)
LIST_RATES = {
    rate.name: rate
    for exact in _KNOWN
    for rate in (Rate(exact), Rate(exact, drop=True))
    if not rate.drop or (rate.ntsc and rate.base % 30 == 0)
}


def known_rate(exact: Fraction) -> bool:
    """Whether editing programs have timecode for it."""
    return exact in _KNOWN


def rate_of_list(sources: Iterable[Rate]) -> Rate:
    """The rate for a list with items of these rates: that of most of them, the first among equals.

    Of a rate without timecode it is the lowest known one that is a multiple or a part of it, else
    the nearest.
    """
    counted = Counter(_nearest(rate) for rate in sources)
    return counted.most_common(1)[0][0] if counted else Rate(Fraction(25))


def _nearest(rate: Rate) -> Rate:
    if known_rate(rate.exact):
        return rate
    fitting = (
        one
        for one in _KNOWN
        if (one / rate.exact).denominator == 1 or (rate.exact / one).denominator == 1
    )
    nearest = min(_KNOWN, key=lambda one: abs(one - rate.exact))
    return Rate(next(fitting, nearest))
