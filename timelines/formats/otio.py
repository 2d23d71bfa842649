"""OpenTimelineIO's JSON: a video track, and an audio track where there is sound."""

import json
from fractions import Fraction
from typing import Any

from timelines.formats.names import line, url
from timelines.rates import Rate
from timelines.timeline import Item, Marker, Source, Timeline

_MEDIA = "DEFAULT_MEDIA"


def written(timeline: Timeline) -> bytes:
    """The list as a timeline of one track of pictures and one of sound."""
    tracks = [_track(timeline, "Video")]
    if any(source.sound for source in timeline.sources.values()):
        tracks.append(_track(timeline, "Audio"))
    document = {
        "OTIO_SCHEMA": "Timeline.1",
        "name": line(timeline.name),
        "global_start_time": _time(timeline.rate.hour, timeline.rate),
        "tracks": {"OTIO_SCHEMA": "Stack.1", "name": "tracks", "children": tracks},
        "metadata": {"vsearch": {"rate": str(timeline.rate.exact), "drop": timeline.rate.drop}},
    }
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _track(timeline: Timeline, kind: str) -> dict[str, Any]:
    pictures = kind == "Video"
    return {
        "OTIO_SCHEMA": "Track.1",
        "name": kind,
        "kind": kind,
        "children": [
            _clip(item, marked=pictures) if pictures or item.source.sound else _gap(item)
            for item in timeline.items
        ],
    }


def _clip(item: Item, *, marked: bool) -> dict[str, Any]:
    source = item.source
    told = {
        "sentence": line(item.sentence),
        "confidence": item.confidence,
        "score": item.score,
        "start": item.start,
        "end": item.end,
    }
    return {
        "OTIO_SCHEMA": "Clip.2",
        "name": line(source.path.name),
        "source_range": _range(source.start + item.first, item.count, source.rate),
        "media_references": {_MEDIA: _reference(source)},
        "active_media_reference_key": _MEDIA,
        "markers": [_marker(item, marker) for marker in item.markers] if marked else [],
        "metadata": {"vsearch": {key: it for key, it in told.items() if it is not None}},
    }


def _gap(item: Item) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "Gap.1", "source_range": _range(0, item.count, item.source.rate)}


def _reference(source: Source) -> dict[str, Any]:
    remark = {"vsearch": {"remark": source.by_seconds}} if source.by_seconds else {}
    return {
        "OTIO_SCHEMA": "ExternalReference.1",
        "name": line(source.path.name),
        "target_url": url(source.path),
        "available_range": _range(source.start, source.frames, source.rate),
        "metadata": remark,
    }


def _marker(item: Item, marker: Marker) -> dict[str, Any]:
    source = item.source
    return {
        "OTIO_SCHEMA": "Marker.2",
        "name": line(marker.text),
        "color": "GREEN",
        "comment": line(marker.note),
        "marked_range": _range(source.start + item.first + marker.frame, 1, source.rate),
    }


def _range(start: int, count: int, rate: Rate) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": _time(start, rate),
        "duration": _time(count, rate),
    }


def _time(frames: int, rate: Rate) -> dict[str, Any]:
    exact: Fraction = rate.exact
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(exact), "value": float(frames)}
