"""Lists of moments that were written, for people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from machine.clock_text import clock_text
from machine.names import shown
from vsearch.messages import log
from vsearch.show.output import console, count

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vsearch.services.moments.timeline import Made


def written_json(made: Made, target: Path) -> dict[str, Any]:
    """What was written: counts, the rate, and what is to be known about single moments."""
    timeline = made.timeline
    return {
        "file": str(target.absolute()),
        "rate": str(timeline.rate.exact),
        "drop": timeline.rate.drop,
        "moments": len(timeline.items),
        "videos": len(timeline.sources),
        "seconds": round(float(timeline.rate.seconds(timeline.frames)), 3),
        "left_out": [
            {"path": str(one.moment.path), "start": one.moment.start, "error": one.reason}
            for one in made.left_out
        ],
        "changed": [str(path) for path in made.changed],
        "remarks": list(made.remarks),
    }


def print_written(made: Made, target: Path) -> None:
    """One line about the list."""
    timeline = made.timeline
    moments, videos = count(len(timeline.items), "moment"), count(len(timeline.sources), "video")
    length = clock_text(float(timeline.rate.seconds(timeline.frames)))
    console().print(
        f"Wrote {moments} of {videos}, {length}, at {timeline.rate.name} frames per second"
        f" to {shown(target)}"
    )


def tell_of_list(made: Made) -> None:
    """Log what is to be known about single videos and moments."""
    for remark in made.remarks:
        log.info("%s", remark)
    for warning in warnings_of(made):
        log.warning("%s", warning)


def warnings_of(made: Made) -> Iterator[str]:
    """Sentences about films that have changed, and moments that are left out."""
    for path in made.changed:
        yield f"{shown(path)} has changed since it was indexed: its moments may lie elsewhere"
    for one in made.left_out:
        moment = f"{clock_text(one.moment.start)} of {shown(one.moment.path)}"
        yield f"left out a moment at {moment}: {one.reason}"
