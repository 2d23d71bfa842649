"""The answer to a sentence, for people and programs."""

from __future__ import annotations

import math
import shutil
import sys
from typing import TYPE_CHECKING, Any

from machine.clock_text import clock_text
from machine.names import quoted, shown
from vsearch.show.output import console, require_stdout
from vsearch.terminal import is_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rich.text import Text

    from search import Hit, SearchResult

# Players that can start in the middle of a video, by preference, and the option for the start.
_PLAYERS = (("mpv", "--start={}"), ("vlc", "--start-time={}"), ("ffplay", "-ss {}"))


def play_command(path: Path, *, start: float, which: Callable[[str], object] = shutil.which) -> str:
    """The command line that plays `path` from `start` seconds, for a player that is installed."""
    player, option = next((entry for entry in _PLAYERS if which(entry[0])), _PLAYERS[0])
    return f"{player} {option.format(f'{_begins(start):.10g}')} {quoted(path)}"


def _begins(seconds: float) -> float:
    """Whole milliseconds, not later than `seconds`: a later start would miss the first picture."""
    return math.floor(seconds * 1000 + 1e-3) / 1000


def hit_json(hit: Hit) -> dict[str, Any]:
    """One ranked moment; times in seconds; `also` are further places of the content, if any."""
    also = {"also": [str(place) for place in hit.other_paths]} if hit.other_paths else {}
    return {
        "rank": hit.rank,
        "score": round(hit.score, 6),
        "path": str(hit.path),
        "start": _begins(hit.start),
        "end": round(hit.end, 3),
        "duration": round(hit.duration, 3),
        "clip_id": hit.clip_id,
        **also,
    }


def search_json(result: SearchResult) -> dict[str, Any]:
    """The answer to one sentence."""
    return {
        "query": result.query,
        "model": result.model,
        "took_ms": round(result.took_ms, 1),
        "hits": [hit_json(hit) for hit in result.hits],
        **notes_json(result.notes),
    }


def print_search(result: SearchResult) -> None:
    """Two lines a moment: rank, score, when and where; then how to play it from there."""
    page = console()
    for hit in result.hits:
        page.print(moment_line(hit, name=shown(hit.path)))
        page.print(f"     {play_command(hit.path, start=hit.start)}", style="dim")
        for place in hit.other_paths:
            page.print(f"     also at {shown(place)}", style="dim")


def moment_line(hit: Hit, *, name: str) -> Text:
    """A moment in a line: rank, score, when and where."""
    from rich.text import Text

    return Text.assemble(
        (f"{hit.rank:3}. ", "bold"),
        (f"{hit.score:6.3f}  ", "cyan"),
        (f"{clock_text(hit.start)}–{clock_text(hit.end, up=True)}  ", "green"),
        name,
    )


def print_paths(result: SearchResult, *, null: bool) -> tuple[Path, ...]:
    """The files of the answer, best first, each once and as it is, for a pipe.

    Each ends with a line break, or with NUL. Returns those that hold a line break themselves and
    were left out for that: a reader of lines would take them for other files. A person at a
    terminal gets a name that cannot be shown as it is in the form in which it can be pasted.
    """
    end = "\0" if null else "\n"
    require_stdout()
    for_people = not null and is_terminal(sys.stdout)
    left_out = []
    for path in dict.fromkeys(hit.path for hit in result.hits):
        if for_people and shown(path) != str(path):
            sys.stdout.write(f"{quoted(path)}\n")
        elif end in str(path):
            left_out.append(path)
        else:
            sys.stdout.write(f"{path}{end}")
    return tuple(left_out)


def notes_json(notes: Sequence[str]) -> dict[str, Any]:
    """The notes about a question as JSON; empty if there are none."""
    return {"notes": list(notes)} if notes else {}
