"""Tables for spreadsheets and programs: CSV and JSON, with frames, timecodes and seconds."""

import json as json_text
from csv import DictWriter
from io import StringIO
from typing import Any

from timelines.formats.names import line
from timelines.timeline import Placed, Timeline

_COLUMNS = (
    "rank", "sentence", "confidence", "score", "path", "start", "end", "rate", "in", "out",
    "source_in", "source_out", "record_in", "record_out", "remark",
)  # fmt: skip


def csv(timeline: Timeline) -> bytes:
    """A row a moment, below the names of the columns; names of files byte by byte."""
    text = StringIO()
    rows = DictWriter(text, _COLUMNS, lineterminator="\n")
    rows.writeheader()
    rows.writerows(_rows(timeline))
    return text.getvalue().encode(errors="surrogateescape")


def json(timeline: Timeline) -> bytes:
    """The list with its items; see `csv`. Bytes that are not Unicode are escaped surrogates."""
    document = {
        "name": timeline.name,
        "rate": str(timeline.rate.exact),
        "drop": timeline.rate.drop,
        "frames": timeline.frames,
        "items": _rows(timeline),
    }
    return (json_text.dumps(document, indent=1) + "\n").encode()


def _rows(timeline: Timeline) -> list[dict[str, Any]]:
    return [_row(timeline, placed, rank) for rank, placed in enumerate(timeline.placed, start=1)]


def _row(timeline: Timeline, placed: Placed, rank: int) -> dict[str, Any]:
    """A moment: `in` and `out` are frames of its source at `rate`; out is the first behind it."""
    item, source, listed = placed.item, placed.item.source, timeline.rate
    return {
        "rank": rank,
        "sentence": line(item.sentence),
        "confidence": item.confidence,
        "score": item.score,
        "path": str(source.path),
        "start": item.start,
        "end": item.end,
        "rate": str(source.rate.exact),
        "in": item.first,
        "out": item.out,
        "source_in": source.label(item.first),
        "source_out": source.label(item.out),
        "record_in": listed.label(listed.hour + placed.begin),
        "record_out": listed.label(listed.hour + placed.end),
        "remark": source.by_seconds,
    }
