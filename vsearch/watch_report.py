"""What each pass of a watch did, a line for people, a document for programs."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING

from vsearch.index_report import index_json, print_troubles
from vsearch.output import clock, console, count, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from indexer import IndexReport


def print_pass_json(report: IndexReport) -> None:
    """The document of `vsearch index`, on a line of its own, at once."""
    print_json(index_json(report))
    sys.stdout.flush()


def print_pass(report: IndexReport, *, flags: Sequence[str | Path] = ()) -> None:
    """When it was and what was done, where anything was; troubles go to stderr."""
    done = {
        f"indexed ({clock(report.video_seconds)} of video, {count(report.clips, 'clip')})": (
            report.indexed
        ),
        "moved or copied": report.moved,
        "removed": report.removed,
        "failed": len(report.failed),
        "damaged": len(report.damaged),
    }
    told = ", ".join(f"{number:,} {what}" for what, number in done.items() if number)
    if told:
        now = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S")
        console().print(f"{now}  {told}")
        sys.stdout.flush()
    print_troubles(report, flags=flags)
