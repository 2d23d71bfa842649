"""Tags and the moments that have them, for people, programs and spreadsheets."""

from __future__ import annotations

import csv
import json
import sys
from typing import TYPE_CHECKING, Any

from machine.clock_text import clock_text
from machine.names import shown
from vsearch.messages import log
from vsearch.show.output import console, count, require_stdout
from vsearch.show.search import hit_json
from vsearch.terminal import is_terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from catalog import TagCount
    from search.tagging import TaggedMoment
    from vsearch.services.tags.tagging import Tagging

_WIDEST = 40
_COLUMNS = (
    "label",
    "rank",
    "confidence",
    "score",
    "path",
    "start",
    "end",
    "peak",
    "duration",
    "clip_id",
    "captured",
    "captured_from",
)


def tagged_json(moment: TaggedMoment) -> dict[str, Any]:
    """A moment with its label; the rest is as in the answer to a sentence."""
    return {"label": moment.name, **hit_json(moment.hit)}


def print_json_lines(moments: Iterable[TaggedMoment]) -> None:
    """A moment a line, as JSON. Raises NoOutputError."""
    require_stdout()
    for moment in moments:
        sys.stdout.write(json.dumps(tagged_json(moment)) + "\n")


def print_csv(moments: Iterable[TaggedMoment]) -> None:
    """A row a moment, below the names of the columns. Raises NoOutputError."""
    require_stdout()
    for_people = is_terminal(sys.stdout)
    rows = csv.DictWriter(sys.stdout, _COLUMNS, extrasaction="ignore", lineterminator="\n")
    rows.writeheader()
    for moment in moments:
        path = moment.hit.path
        name = {"path": shown(path)} if for_people else {}  # no name may act on the screen
        rows.writerow(tagged_json(moment) | name)


def print_tagging(tagging: Tagging) -> None:
    """The counts of each label, and its best moment."""
    page = console()
    best = {moment.name: moment for moment in reversed(tagging.moments)}
    for line, one in zip(_count_lines(tagging.counts), tagging.counts, strict=True):
        page.print(line + (_best(best[one.name]) if one.name in best else ""))


def tell_of_counts(tagging: Tagging) -> None:
    """Log the counts of each label, where the moments themselves are printed."""
    for line in _count_lines(tagging.counts):
        log.info("%s", line)


def tags_json(counts: Iterable[TagCount]) -> dict[str, Any]:
    """The tags of a catalog with their counts."""
    return {
        "tags": [
            {
                "name": one.name,
                "videos": one.videos,
                "moments": one.moments,
                "seconds": round(one.seconds, 3),
            }
            for one in counts
        ]
    }


def print_tags(counts: Sequence[TagCount]) -> None:
    """A line for each tag with its counts."""
    page = console()
    for line in _count_lines(counts):
        page.print(line)


def _count_lines(counts: Sequence[TagCount]) -> list[str]:
    """The name, moments, videos and length of each, below each other."""
    names = [shown(one.name) for one in counts]
    width = min(max(map(len, names), default=0), _WIDEST)
    return [
        f"{name:{width}}  " + (_counted(one) if one.moments else "nothing")
        for name, one in zip(names, counts, strict=True)
    ]


def _counted(one: TagCount) -> str:
    moments, videos = count(one.moments, "moment"), count(one.videos, "video")
    return f"{moments} in {videos}, {clock_text(one.seconds)}"


def _best(moment: TaggedMoment) -> str:
    hit = moment.hit
    times = f"{clock_text(hit.start)}–{clock_text(hit.end, up=True)}"
    return f"; best: {hit.confidence}, {times} in {shown(hit.path)}"
