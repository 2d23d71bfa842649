"""The status of a catalog, for people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from machine.clock_text import clock_text
from machine.names import shown
from machine.presence import is_there
from vsearch.messages import DEMO_KNOWS
from vsearch.show.index import damages_json, failures_json, frames_lacking
from vsearch.show.output import console, count
from vsearch.show.problems import problem_lines
from xclip_core import DEMO_MODEL

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from catalog import CatalogStatus


def status_json(status: CatalogStatus) -> dict[str, Any]:
    """The status as JSON; `model` and what belongs to it are null before the first index run."""
    made_by = status.provenance
    return {
        "catalog": str(status.address),
        "model": made_by.model if made_by else None,
        "revision": made_by.revision if made_by else None,
        "weights_digest": made_by.model_digest if made_by else None,
        "dimension": made_by.dim if made_by else None,
        "frames_per_clip": made_by.frames_per_clip if made_by else None,
        "window": made_by.window if made_by else None,
        "stride": made_by.stride if made_by else None,
        "videos": status.videos,
        "files": status.files,
        "clips": status.clips,
        "without_frames": status.without_frames,
        "tags": status.tags,
        "video_seconds": round(status.video_seconds, 3),
        "database_bytes": status.database_bytes,
        "snapshot_bytes": status.snapshot_bytes,
        "generation": status.generation,
        "schema_version": status.schema_version,
        "roots": [str(root) for root in status.roots],
        "unfinished": status.partials,
        "failed": failures_json(status.failures),
        "damaged": damages_json(status.damaged),
        "cues": status.cues,
        "failed_subtitles": failures_json(status.subtitle_failures),
    }


def print_status(status: CatalogStatus) -> None:
    """Print the status, a line each, and below that each file that failed or is damaged."""
    from rich.filesize import decimal

    page = console()
    made_by = status.provenance
    cut = f", {made_by.window:g} s every {made_by.stride:g} s" if made_by else ""
    entries: list[tuple[str, str, Iterable[str]]] = [
        ("catalog", shown(str(status.address)), ()),
        ("model", shown(_model_line(status)), ()),
        ("folders", f"{len(status.roots):,}", map(_root_line, status.roots)),
        (
            "videos",
            f"{status.videos:,} in {count(status.files, 'file')}, "
            f"{clock_text(status.video_seconds)} of video",
            (),
        ),
        ("clips", f"{status.clips:,}{cut}", ()),
        (
            "on disk",
            f"{decimal(status.database_bytes)} database, "
            f"{decimal(status.snapshot_bytes)} vector snapshot",
            (),
        ),
        ("failed", count(len(status.failures), "file"), problem_lines(status.failures)),
        ("damaged", count(len(status.damaged), "file"), problem_lines(status.damaged)),
    ]
    if status.cues or status.subtitle_failures:
        unread = len(status.subtitle_failures)
        cannot = f"; {count(unread, 'file')} cannot be read" if unread else ""
        lines = problem_lines(status.subtitle_failures)
        entries.append(("said", f"{count(status.cues, 'cue')} of subtitles{cannot}", lines))
    if status.partials:
        half_done = f"{count(status.partials, 'video')}; the next index run goes on from there"
        entries.append(("begun", half_done, ()))
    if status.tags:
        entries.append(("tags", f"{status.tags:,}; `vsearch tag --list` shows them", ()))
    if status.without_frames:
        adds = "`vsearch index --add-frames PATH` adds them"
        entries.append(("frames", f"{frames_lacking(status.without_frames)}; {adds}", ()))
    for name, value, details in entries:
        page.print(f"{name:8} {value}")
        for line in details:
            page.print(f"  {line}")


def _root_line(root: Path) -> str:
    return shown(root) if is_there(root) else f"{shown(root)} (not there; is its disk mounted?)"


def _model_line(status: CatalogStatus) -> str:
    made_by = status.provenance
    if made_by is None:
        return "none yet: the first index run decides"
    revision = f" at revision {made_by.revision}" if made_by.revision else ""
    known = f" ({DEMO_KNOWS})" if made_by.model == DEMO_MODEL else ""
    return f"{shown(made_by.model)}{revision}, digest {made_by.model_digest[:12]}{known}"
