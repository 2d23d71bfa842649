"""Whether an output is a terminal or a log: the one place that decides.

Colours and redrawing are two questions: a log can be read in colours, but nothing is taken back in
it. Followed are the variables that other programs go by: NO_COLOR and FORCE_COLOR for colours,
TTY_COMPATIBLE and TTY_INTERACTIVE as Rich has them, TERM, and CI, which build servers set.
"""

from __future__ import annotations

import os
import re
from typing import IO

from vsearch import caller

_NOTHING = ("", "0", "false")


def drop_sizes_that_are_none() -> None:
    """Remove COLUMNS and LINES unless they are sizes: libraries take them for numbers."""
    for name in ("COLUMNS", "LINES"):
        if not re.fullmatch(r"[1-9][0-9]{0,4}", os.environ.get(name, "")):
            os.environ.pop(name, None)


def redraws(stream: IO[str] | None) -> bool:
    """Whether a progress bar can be drawn there: a terminal that can move its cursor.

    Everything else gets lines.
    """
    return (
        is_terminal(stream)
        and _variable("TERM") not in ("dumb", "unknown")
        and _variable("CI") in _NOTHING
        and "0" not in (_variable("TTY_INTERACTIVE"), _variable("TTY_COMPATIBLE"))
    )


def takes_styles(stream: IO[str] | None) -> bool:
    """Whether codes for colours may be written there."""
    compatible = _variable("TTY_COMPATIBLE")
    if compatible in ("0", "1"):
        return compatible == "1"
    return is_terminal(stream) or _variable("FORCE_COLOR") not in _NOTHING


def without_colours() -> bool:
    """Whether colours are switched off."""
    return bool(_variable("NO_COLOR")) or _variable("FORCE_COLOR") in _NOTHING[1:]


def is_terminal(stream: IO[str] | None) -> bool:
    """Whether the stream is a terminal."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # it was closed
        return False


def _variable(name: str) -> str:
    return caller.variables().get(name, "").strip().lower()
