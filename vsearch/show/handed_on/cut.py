"""Moments that were cut out of their videos, for people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from machine.clock_text import clock_text
from machine.names import shown
from vsearch.messages import log
from vsearch.services.moments.cutting import Outcome
from vsearch.show.output import console, count

if TYPE_CHECKING:
    from vsearch.services.moments.cutting import CutReport, Piece

_DONE = {Outcome.PLANNED: "would write", Outcome.WRITTEN: "wrote", Outcome.KEPT: "kept"}


def cut_json(report: CutReport) -> dict[str, Any]:
    """What was cut: a piece for each moment, and the reel; times in seconds of the video."""
    reel = report.reel
    return {
        "dry_run": report.dry,
        "pieces": [_piece_json(piece) for piece in report.pieces],
        **(
            {"reel": {"file": str(reel.path.absolute()), "seconds": round(reel.seconds, 3)}}
            if reel is not None
            else {}
        ),
    }


def _piece_json(piece: Piece) -> dict[str, Any]:
    failed = piece.outcome is Outcome.FAILED
    return {
        "outcome": piece.outcome,
        "file": None if piece.target is None else str(piece.target.absolute()),
        "sentence": piece.moment.sentence,
        "path": str(piece.moment.path),
        "start": round(piece.start, 6),
        "end": round(piece.end, 6),
        **({"error": piece.error} if failed else {"copied": piece.copied, "hides": piece.hides}),
    }


def print_cut(report: CutReport) -> None:
    """A line for each file that was, or would be, written or kept, and one for the reel."""
    page = console()
    for piece in report.pieces:
        if piece.target is not None and piece.outcome is not Outcome.FAILED:
            page.print(_line(piece))
    if report.reel is not None:
        joined = count(len(report.pieces) - len(report.failed), "moment")
        verb = "would join" if report.dry else "joined"
        length = clock_text(report.reel.seconds, up=True)
        page.print(f"{verb} {joined}, {length}, in {shown(report.reel.path)}")


def _line(piece: Piece) -> str:
    times = f"{piece.start:.3f}–{piece.end:.3f} s"
    how = "copied" if piece.copied else "encoded anew"
    kept = piece.outcome is Outcome.KEPT
    return (
        f"{_DONE[piece.outcome]} {shown(piece.target or '')}"
        + ("" if kept else f", {how}")
        + f": {times} of {shown(piece.moment.path)}"
    )


def tell_of_cut(report: CutReport) -> None:
    """Log what is to be known beside the files."""
    kept = sum(piece.outcome is Outcome.KEPT for piece in report.pieces)
    if kept:
        were = "was" if kept == 1 else "were"
        log.info("%s %s there already and stayed; --force replaces", count(kept, "file"), were)
    if any(piece.hides for piece in report.pieces):
        log.info(
            "copies also hold pictures from before or behind the moment, which most players hide;"
            " --exact leaves them out"
        )
    for piece in report.failed:
        log.warning(
            "left out a moment at %s: %s %s",
            clock_text(piece.start),
            shown(piece.moment.path),
            piece.error,
        )
