"""What people and programs read on stdout: one JSON form and one human form of every result."""

from __future__ import annotations

import json
import math
import shutil
import sys
from typing import TYPE_CHECKING, Any

from machine.names import quoted, shown
from vsearch.errors import NoOutputError
from vsearch.startup import has_stdout
from vsearch.terminal import is_terminal, redraws, takes_styles, without_colours

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rich.console import Console
    from rich.text import Text

    from search import Hit, SearchResult
    from vsearch.wiring import Classification

# Players that can start in the middle of a film, by preference, and how each is told to.
_PLAYERS = (("mpv", "--start={}"), ("vlc", "--start-time={}"), ("ffplay", "-ss {}"))


def print_json(value: dict[str, Any]) -> None:
    """One document on one line; a name that is not Unicode survives as escaped surrogates.

    Raises NoOutputError.
    """
    _require_stdout()
    sys.stdout.write(json.dumps(value) + "\n")


def _require_stdout() -> None:
    if not has_stdout():
        raise NoOutputError("there is no stdout to write the result to: it is closed")


def console(*, stderr: bool = False) -> Console:
    """A console that never guesses at or wraps what it prints.

    `is_interactive` tells whether a bar can be drawn on it; see `vsearch.terminal`.
    """
    from rich.console import Console

    class OurConsole(Console):
        def on_broken_pipe(self) -> None:
            # As everywhere. Rich would end the process, whichever stream it was.
            raise BrokenPipeError

    stream = sys.stderr if stderr else sys.stdout
    return OurConsole(
        stderr=stderr,
        force_terminal=takes_styles(stream),
        force_interactive=redraws(stream),
        no_color=without_colours(),
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
    )


def clock(seconds: float, *, up: bool = False) -> str:
    """`mm:ss`, from an hour on `h:mm:ss`; whole seconds, rounded down or `up`."""
    whole = math.ceil(seconds) if up else math.floor(seconds)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute:02}:{second:02}"


def size(number_of_bytes: int) -> str:
    """A size in the largest unit that leaves a number of at least 1."""
    amount = float(number_of_bytes)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def count(number: int, noun: str) -> str:
    """`1 file`, `2 files`, `1,000 files`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


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
        **_notes_json(result.notes),
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
        (f"{clock(hit.start)}–{clock(hit.end, up=True)}  ", "green"),
        name,
    )


def print_paths(result: SearchResult, *, null: bool) -> tuple[Path, ...]:
    """The files of the answer, best first, each once and as it is, for a pipe.

    Each ends with a line break, or with NUL. Returns those that hold a line break themselves and
    were left out for that: whoever reads lines would take them for other files. A person at a
    terminal gets a name that cannot be shown as it is in the form in which it can be pasted.
    """
    end = "\0" if null else "\n"
    _require_stdout()
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


def classification_json(result: Classification) -> dict[str, Any]:
    """The probability of each label, most probable first."""
    return {
        "path": str(result.path),
        "model": result.model,
        "took_ms": round(result.took_ms, 1),
        "labels": [
            {
                "label": label,
                "probability": round(probability, 6),
                **_notes_json(result.notes.get(label, ())),
            }
            for label, probability in result.labels
        ],
    }


def _notes_json(notes: Sequence[str]) -> dict[str, Any]:
    """What is amiss with a question, if anything."""
    return {"notes": list(notes)} if notes else {}


def print_classification(result: Classification) -> None:
    """A line for each label, most probable first."""
    page = console()
    for label, probability in result.labels:
        page.print(f"{100 * probability:5.1f} %  {shown(label)}")
