"""The report of an index run, for people and programs."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from catalog import FileProblem
from machine.clock_text import clock_text
from machine.names import command_line, shown
from vsearch.messages import log
from vsearch.show.output import console, count, print_json
from vsearch.show.problems import FEW, problem_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from rich.console import Console

    from indexer import IndexReport, LeftOut


def index_json(report: IndexReport) -> dict[str, Any]:
    """The report as JSON; counts are files, times are seconds.

    `unsaved` is why answers start slowly, null if they do not.
    """
    return {
        "indexed": report.indexed,
        "unchanged": report.unchanged,
        "moved": report.moved,
        "by_others": report.by_others,
        "removed": report.removed,
        "failed": failures_json(report.failed),
        "damaged": damages_json(report.damaged),
        "clips": report.clips,
        "video_seconds": round(report.video_seconds, 3),
        "took_seconds": round(report.took_seconds, 3),
        "no_video": report.no_video,
        "left_out": [{"path": str(one.path), "files": one.files} for one in report.left_out],
        "model": report.model,
        "interrupted": report.interrupted,
        "unsaved": report.unsaved,
        "without_frames": report.without_frames,
        "details": report.details,
        "subtitles": report.subtitles,
        "failed_subtitles": failures_json(report.failed_subtitles),
    }


def failures_json(failures: Iterable[FileProblem]) -> list[dict[str, str]]:
    """Files that are not in the index, each with its reason."""
    return [{"path": str(failure.path), "error": failure.reason} for failure in failures]


def damages_json(damages: Iterable[FileProblem]) -> list[dict[str, str]]:
    """Files that are in the index as far as they can be read, each with what is wrong."""
    return [{"path": str(damage.path), "note": damage.reason} for damage in damages]


def print_index(report: IndexReport) -> None:
    """The summary of an index run."""
    page = console()
    speed = report.video_seconds / report.took_seconds if report.took_seconds else 0.0
    if report.indexed:
        page.print(
            f"Indexed {count(report.indexed, 'video')} ("
            f"{clock_text(report.video_seconds)} of video, {count(report.clips, 'clip')}) in "
            f"{report.took_seconds:.1f} s, {speed:.1f} × realtime"
        )
    rest = {
        "unchanged": report.unchanged,
        "indexed by other runs": report.by_others,
        "moved or copied": report.moved,
        "removed": report.removed,
        "failed": len(report.failed),
        "damaged": len(report.damaged),
        "no video": report.no_video,
    }
    texts = _texts_read(report)
    told = ", ".join(f"{number:,} {what}" for what, number in rest.items() if number)
    if told or texts:
        page.print(", ".join(filter(None, (told, texts))))
    elif not report.indexed and not report.interrupted:
        page.print(
            "Nothing to index: no video files were found. Hidden and excluded files, folders with "
            ".nomedia and system folders are skipped; to index one of these, give its own path"
        )
    if report.model is not None:
        page.print(f"Model: {shown(report.model)}")


def print_pass_json(report: IndexReport) -> None:
    """Print the report of one run as JSON, on a line of its own, at once."""
    print_json(index_json(report))
    sys.stdout.flush()


def print_pass(report: IndexReport, *, flags: Sequence[str | Path] = ()) -> None:
    """Print time and counts of a run that changed anything; problems go to stderr."""
    done = {
        f"indexed ({clock_text(report.video_seconds)} of video, {count(report.clips, 'clip')})": (
            report.indexed
        ),
        "moved or copied": report.moved,
        "removed": report.removed,
        "failed": len(report.failed),
        "damaged": len(report.damaged),
    }
    told = ", ".join(f"{number:,} {what}" for what, number in done.items() if number)
    told = ", ".join(filter(None, (told, _texts_read(report))))
    if told:
        now = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S")
        console().print(f"{now}  {told}")
        sys.stdout.flush()
    print_troubles(report, flags=flags)


def _texts_read(report: IndexReport) -> str:
    """What was read without decoding, counted."""
    parts = [count(report.subtitles, "subtitle file")] if report.subtitles else []
    if report.details:
        parts.append(f"details of {count(report.details, 'video')} indexed before")
    return f"read {' and '.join(parts)}" if parts else ""


def print_troubles(report: IndexReport, *, flags: Sequence[str | Path] = ()) -> None:
    """Print to stderr the files that failed, are damaged or left out, with reasons and advice.

    `flags` are those that the commands in the advice need to work on the same catalog.
    """
    with suppress(OSError):  # a closed stderr ends no command
        _print_troubles(report, flags=flags, page=console(stderr=True))


def _print_troubles(report: IndexReport, *, flags: Sequence[str | Path], page: Console) -> None:
    if report.failed:
        page.print("Not indexed:", style="bold red")
        for line in problem_lines(report.failed):
            page.print(f"  {line}")
    if report.damaged:
        page.print("Indexed as far as they can be read:", style="bold yellow")
        for line in problem_lines(report.damaged):
            page.print(f"  {line}")
    if report.failed_subtitles:
        page.print("Subtitles that cannot be read:", style="bold yellow")
        for line in problem_lines(report.failed_subtitles):
            page.print(f"  {line}")
    if report.left_out:
        page.print("Left out by this run, but still in the answers:", style="bold yellow")
        for line in left_out_lines(report.left_out):
            page.print(f"  {line}")
    for sentence in advice(report, flags=flags):
        page.print(sentence)


def tell_advice(report: IndexReport, *, flags: Sequence[str | Path] = ()) -> None:
    """Log the advice about failures."""
    for sentence in advice(report, flags=flags):
        log.warning("%s", sentence)


def frames_lacking(videos: int) -> str:
    """How many videos have no frame vectors, and what follows from that; no full stop."""
    have, whose = ("has", "its") if videos == 1 else ("have", "their")
    return f"{count(videos, 'video')} {have} no frame vectors, so {whose} moments are less exact"


def left_out_lines(left_out: Iterable[LeftOut]) -> tuple[str, ...]:
    """A line for each known folder or file that the run left out."""
    return problem_lines(FileProblem(one.path, count(one.files, "file")) for one in left_out)


def advice(report: IndexReport, *, flags: Sequence[str | Path] = ()) -> Iterator[str]:
    """Advice about failures, a sentence for each kind."""
    missing = sum(failure.path in report.absent for failure in report.failed)
    if len(report.failed) > missing:
        yield (
            "Files that failed are tried again when they change, or with "
            "`vsearch index --retry-failed PATH`."
        )
    if missing:
        yield (
            "Mount the disks that are missing and index again. For files that lie elsewhere now "
            "there is `vsearch relocate OLD NEW`, for files that will not come back "
            "`vsearch forget PATH`."
        )
    if report.damaged:
        yield (
            "Put sound copies in the place of damaged files: the next run takes those in (`touch` "
            "those that have the old size and time)."
        )
    if report.left_out:
        few = [one.path for one in report.left_out][:FEW]
        paths = few if len(few) == len(report.left_out) else ["PATH..."]
        command = command_line("vsearch", "forget", *paths, *flags)
        yield (
            "Videos that a pattern, an ignore file such as .nomedia or a system folder now "
            f"excludes stay in the catalog; `{command}` removes them."
        )
    if report.unsaved:
        yield f"All of it is in the catalog, but answers start slowly: {report.unsaved}"
