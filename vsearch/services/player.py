"""The player of this system, which plays a moment from its start."""

from __future__ import annotations

import logging
import math
import os
import shutil
import sys
from functools import partial
from typing import TYPE_CHECKING

from machine.child import start_detached
from machine.clock_text import clock_text
from machine.names import command_line, shown
from machine.presence import is_regular_file
from vsearch import caller
from vsearch.errors import MomentMissingError, PlayerError, VideoError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from search import Hit

log = logging.getLogger("vsearch")

# Players that can start in the middle of a video, by preference, and the option for the start.
_PLAYERS = (("mpv", ("--start={}",)), ("vlc", ("--start-time={}",)), ("ffplay", ("-ss", "{}")))
_OPENER = "open" if sys.platform == "darwin" else "xdg-open"
_SECONDS_TO_FAIL = 0.3


def playable(seconds: float) -> float:
    """Whole milliseconds, not later than `seconds`: a later start would miss the first picture."""
    return math.floor(seconds * 1000 + 1e-3) / 1000


def play_command(path: Path, *, start: float, which: Callable[[str], object] | None = None) -> str:
    """The command line that plays `path` from `start` seconds, for a player that is installed."""
    which = which or partial(shutil.which, path=caller.variables().get("PATH"))
    player = next((name for name, _ in _PLAYERS if which(name)), _PLAYERS[0][0])
    return command_line(player, *_start_option(player, start), path)


def play(path: Path, *, start: float) -> str:
    """Start a player with `path` from `start` seconds; returns the player's name.

    It goes on by itself. Where there is no player that can start in the middle, the system's usual
    program for the file begins at the start of it: its name is `xdg-open` or `open`.

    Raises:
        VideoError: the file is not there.
        PlayerError: no player is installed, or it ended at once.
    """
    if not is_regular_file(path):
        raise VideoError(
            f"{shown(path)} is not there; connect its disk, or run `vsearch index` on its folder"
        )
    name, program = _installed()
    options = [] if name == _OPENER else _start_option(name, start)
    try:
        code = start_detached([program, *options, path], seconds=_SECONDS_TO_FAIL)
    except OSError as error:
        raise PlayerError(
            f"{name} cannot be started ({error.strerror}); install it anew, or remove it"
        ) from error
    if code:
        raise PlayerError(
            f"{name} ended at once, with exit code {code}; to see why, run"
            f" `{command_line(name, *options, path)}`"
        )
    return name


def moment_of(number: int, moments: Iterable[Hit]) -> Hit:
    """The moment of this rank. Raises MomentMissingError."""
    found = {hit.rank: hit for hit in moments}
    if number not in found:
        ranks = f"give a number from {min(found)} to {max(found)}" if found else "none was shown"
        raise MomentMissingError(f"there is no moment {number}; {ranks}")
    return found[number]


def play_moment(number: int, moments: Iterable[Hit]) -> None:
    """Play the moment of this rank, and say with what; a caller elsewhere plays it itself.

    Raises MomentMissingError, and what `play` raises.
    """
    hit = moment_of(number, moments)
    remote = caller.current()
    if remote is None:
        play_from(hit.path, start=hit.start)
    else:
        remote.play = hit.path, hit.start


def play_from(path: Path, *, start: float) -> None:
    """Play a file from `start` seconds, and say with what; raises what `play` raises."""
    player = play(path, start=start)
    begins = (
        f"from {clock_text(start)}"
        if player != _OPENER
        else (f"from the beginning; the moment is at {clock_text(start)}")
    )
    log.info("%s plays %s %s", player, shown(path), begins)


def _start_option(player: str, start: float) -> list[str]:
    return [part.format(f"{playable(start):.10g}") for part in dict(_PLAYERS)[player]]


def _installed() -> tuple[str, str]:
    """Name and whole path of the first program that is installed."""
    # An entry of PATH relative to the current folder may hold anybody's programs.
    places = os.pathsep.join(filter(os.path.isabs, os.get_exec_path()))
    for name in (*dict(_PLAYERS), _OPENER):
        if program := shutil.which(name, path=places):
            return name, program
    raise PlayerError("no player is installed that vsearch knows; install mpv, vlc or ffplay")
