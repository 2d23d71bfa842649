"""What people and programs read on stdout: one JSON form and one human form of every result."""

from __future__ import annotations

import json
import math
import shlex
import shutil
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from rich.console import Console
    from rich.text import Text

    from catalog import CatalogStatus, Failure
    from indexer import FailedFile, IndexReport
    from search import Hit, SearchResult
    from vsearch.demo import DemoRun
    from vsearch.wiring import Classification

# Players that can start in the middle of a film, by preference, and how each is told to.
_PLAYERS = (("mpv", "--start={}"), ("vlc", "--start-time={}"), ("ffplay", "-ss {}"))


def print_json(value: dict[str, Any]) -> None:
    """One document on one line; a name that is not Unicode survives as escaped surrogates."""
    sys.stdout.write(json.dumps(value) + "\n")


def console(*, stderr: bool = False) -> Console:
    """A console that colours on a terminal only, and never guesses at or wraps what it prints."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


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


def shown(path: Path) -> str:
    """A path for a person: control characters are escaped, so that a name cannot write on screen.

    A byte that is not Unicode stays as it is.
    """
    return "".join(_shown(letter) for letter in str(path))


def _shown(letter: str, *, quoted: bool = False) -> str:
    if quoted and letter in "\\'":
        return "\\" + letter
    if letter.isprintable() or "\udc80" <= letter <= "\udcff":
        return letter
    return repr(letter)[1:-1]


def play_command(path: Path, *, start: float, which: Callable[[str], object] = shutil.which) -> str:
    """The command line that plays `path` from `start` seconds, for a player that is installed."""
    player, option = next((entry for entry in _PLAYERS if which(entry[0])), _PLAYERS[0])
    return f"{player} {option.format(f'{round(start, 3):.10g}')} {_quoted(path)}"


def _quoted(path: Path) -> str:
    """The path as a shell reads it back, also where it has to be escaped to be shown."""
    text = str(path)
    if shown(path) == text:
        return shlex.quote(text)
    return "$'" + "".join(_shown(letter, quoted=True) for letter in text) + "'"


def hit_json(hit: Hit) -> dict[str, Any]:
    """One ranked moment; times in seconds."""
    return {
        "rank": hit.rank,
        "score": round(hit.score, 6),
        "path": str(hit.path),
        "start": round(hit.start, 3),
        "end": round(hit.end, 3),
        "duration": round(hit.duration, 3),
        "clip_id": hit.clip_id,
    }


def search_json(result: SearchResult) -> dict[str, Any]:
    """The answer to one sentence."""
    return {
        "query": result.query,
        "model": result.model,
        "took_ms": round(result.took_ms, 1),
        "hits": [hit_json(hit) for hit in result.hits],
    }


def print_search(result: SearchResult) -> None:
    """Two lines a moment: rank, score, when and where; then how to play it from there."""
    page = console()
    for hit in result.hits:
        page.print(_moment(hit, name=shown(hit.path)))
        page.print(f"     {play_command(hit.path, start=hit.start)}", style="dim")
        for place in hit.other_paths:
            page.print(f"     also at {shown(place)}", style="dim")


def _moment(hit: Hit, *, name: str) -> Text:
    from rich.text import Text

    return Text.assemble(
        (f"{hit.rank:3}. ", "bold"),
        (f"{hit.score:6.3f}  ", "cyan"),
        (f"{clock(hit.start)}–{clock(hit.end, up=True)}  ", "green"),
        name,
    )


def print_paths(result: SearchResult) -> None:
    """The files of the answer, best first, each once and as it is, for a pipe."""
    for path in dict.fromkeys(hit.path for hit in result.hits):
        sys.stdout.write(f"{path}\n")


def index_json(report: IndexReport) -> dict[str, Any]:
    """What an index run did; counts are files, times are seconds."""
    return {
        "indexed": report.indexed,
        "unchanged": report.unchanged,
        "moved": report.moved,
        "removed": report.removed,
        "failed": failures_json(report.failed),
        "clips": report.clips,
        "video_seconds": round(report.video_seconds, 3),
        "took_seconds": round(report.took_seconds, 3),
    }


def failures_json(failures: Iterable[Failure | FailedFile]) -> list[dict[str, str]]:
    """Files that are not in the index, each with its reason."""
    return [{"path": str(failure.path), "error": failure.error} for failure in failures]


def print_index(report: IndexReport) -> None:
    """The summary of an index run."""
    page = console()
    speed = report.video_seconds / report.took_seconds if report.took_seconds else 0.0
    if report.indexed:
        page.print(
            f"Indexed {count(report.indexed, 'video')} ({clock(report.video_seconds)} of video, "
            f"{count(report.clips, 'clip')}) in {report.took_seconds:.1f} s, {speed:.1f} × realtime"
        )
    rest = {
        "unchanged": report.unchanged,
        "moved or copied": report.moved,
        "removed": report.removed,
        "failed": len(report.failed),
    }
    told = ", ".join(f"{number:,} {what}" for what, number in rest.items() if number)
    if told:
        page.print(told)
    elif not report.indexed and not report.interrupted:
        page.print("Nothing to index: no video files were found")


def print_failures(failures: Iterable[FailedFile]) -> None:
    """On stderr: every file that is not in the index, its reason, and how to try again."""
    page = console(stderr=True)
    page.print("Not indexed:", style="bold red")
    for failure in failures:
        page.print(f"  {shown(failure.path)}: {failure.error}")
    page.print("They are tried again when they change, or with `vsearch index --retry-failed`.")


def status_json(status: CatalogStatus) -> dict[str, Any]:
    """What is in the catalog; `model` and what belongs to it are null before the first index."""
    made_by = status.provenance
    return {
        "catalog": str(status.folder),
        "model": made_by.model if made_by else None,
        "revision": made_by.revision if made_by else None,
        "weights_digest": made_by.weights_digest if made_by else None,
        "dimension": made_by.dimension if made_by else None,
        "frames_per_clip": made_by.frames_per_clip if made_by else None,
        "window": made_by.window if made_by else None,
        "stride": made_by.stride if made_by else None,
        "videos": status.videos,
        "files": status.files,
        "clips": status.clips,
        "video_seconds": round(status.video_seconds, 3),
        "database_bytes": status.database_bytes,
        "snapshot_bytes": status.snapshot_bytes,
        "generation": status.generation,
        "schema_version": status.schema_version,
        "failed": failures_json(status.failures),
    }


def print_status(status: CatalogStatus) -> None:
    """What is in the catalog, a line each."""
    page = console()
    made_by = status.provenance
    lines = {
        "catalog": shown(status.folder),
        "model": _model_line(status),
        "clips": f"{status.clips:,}"
        + (f", {made_by.window:g} s every {made_by.stride:g} s" if made_by else ""),
        "videos": f"{status.videos:,} in {count(status.files, 'file')}, "
        f"{clock(status.video_seconds)} of video",
        "on disk": f"{size(status.database_bytes)} database, "
        f"{size(status.snapshot_bytes)} vector snapshot",
        "failed": count(len(status.failures), "file"),
    }
    for name, value in lines.items():
        page.print(f"{name:8} {value}")
    for failure in status.failures:
        page.print(f"  {shown(failure.path)}: {failure.error}")


def _model_line(status: CatalogStatus) -> str:
    made_by = status.provenance
    if made_by is None:
        return "none yet: the first index run decides"
    revision = f" at revision {made_by.revision}" if made_by.revision else ""
    return f"{made_by.model}{revision}, weights {made_by.weights_digest[:12]}"


def classification_json(result: Classification) -> dict[str, Any]:
    """The probability of each label, most probable first."""
    return {
        "path": str(result.path),
        "model": result.model,
        "took_ms": round(result.took_ms, 1),
        "labels": [
            {"label": label, "probability": round(probability, 6)}
            for label, probability in result.labels
        ],
    }


def print_classification(result: Classification) -> None:
    """A line for each label, most probable first."""
    page = console()
    for label, probability in result.labels:
        page.print(f"{100 * probability:5.1f} %  {label}")


def demo_json(run: DemoRun) -> dict[str, Any]:
    """Each question with its answer and with where the truth lies."""
    return {
        "library": str(run.library),
        "catalog": str(run.catalog),
        "index": index_json(run.index),
        "answers": [
            {
                **search_json(answer.result),
                "truth": {
                    "path": str(answer.truth.path),
                    "start": answer.truth.start,
                    "end": answer.truth.end,
                },
            }
            for answer in run.answers
        ],
    }


def print_demo(run: DemoRun) -> None:
    """Questions, ranked moments beside the truth, and what to do next."""
    from rich.text import Text

    page = console()
    print_index(run.index)
    for answer in run.answers:
        truth = answer.truth
        page.print()
        page.print(Text(answer.result.query, style="bold"))
        for hit in answer.result.hits:
            page.print(_moment(hit, name=hit.path.name), end="")
            page.print("  ✓" if answer.is_right(hit) else "", style="green")
        page.print(
            f"     truth:  {clock(truth.start)}–{clock(truth.end, up=True)}  {truth.path.name}",
            style="dim",
        )
    right = sum(any(map(answer.is_right, answer.result.hits[:1])) for answer in run.answers)
    page.print(
        f"\n{right} of {len(run.answers)} sentences found their moment at rank 1. "
        "The demo model knows coloured shapes that move, and nothing else.\n"
    )
    _print_next_steps(run)


def _print_next_steps(run: DemoRun) -> None:
    page = console()
    catalog = shlex.quote(str(run.catalog))
    question = shlex.quote(run.answers[0].result.query)
    page.print("Next:")
    for remark, command in (
        ("ask these films yourself", f"query {question} --catalog {catalog}"),
        ("on a page, with pictures and a player", f"ui --catalog {catalog}"),
        ("your own videos, with a model of the real world", "index FOLDER"),
        ("and what is in them", 'query "person cooking pasta"'),
    ):
        page.print(f"  {_program()} {command}", end="")
        page.print(f"   # {remark}", style="dim")


def _program() -> str:
    """How the person can call this program again; it may not be on their path."""
    if shutil.which("vsearch"):
        return "vsearch"
    called = sys.argv[0]
    return f"{sys.executable} -m vsearch" if called.endswith("__main__.py") else called
