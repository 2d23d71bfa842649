"""Times of a video as text."""

import math


def clock_text(seconds: float, *, up: bool = False) -> str:
    """`mm:ss`, from an hour on `h:mm:ss`; whole seconds, rounded down or `up`."""
    whole = max(0, math.ceil(seconds) if up else math.floor(seconds))
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute:02}:{second:02}"
