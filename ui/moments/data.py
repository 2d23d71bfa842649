"""What the browser is told of an answer: films, their moments, and how well each part fits."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from machine.names import shown
from vsearch.show.output import count
from vsearch.show.search import explanation, said_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from catalog import IndexedVideo
    from search import Hit, SearchResult, VideoCurve

SPRITE = {"columns": 5, "rows": 5}
"""Pictures of a moment in one image, see `/sprite`."""

_POSTER = 0.3  # of a video: its first pictures are often black
_BARS = 200  # of a film's strip


def answer_data(
    result: SearchResult,
    hits: Sequence[Hit],
    *,
    answer: str,
    basket: Iterable[int],
) -> dict[str, Any]:
    """What the component is told.

    Args:
        result: an answer with curves.
        hits: those of its moments that are shown.
        answer: names the answer: the grid is drawn anew for another one.
        basket: clip ids of moments that are in the basket.
    """
    steps = [str(step) for step in result.asked.steps]
    curves: dict[Path, list[VideoCurve]] = {}
    highest = [0.0 for _ in steps]
    for curve in result.curves:  # in the order of the steps
        curves.setdefault(curve.path, []).append(curve)
        highest[curve.step - 1] = max(highest[curve.step - 1], *curve.heights, 0.0)
    by_video: dict[int, list[Hit]] = {}
    for hit in hits:
        by_video.setdefault(hit.video_id, []).append(hit)
    films = [
        _film(video_id, its, steps=steps, curves=_curves_of(its, curves), highest=highest)
        for video_id, its in by_video.items()
    ]
    clips = {hit.clip_id for hit in hits}
    return {
        "answer": answer,
        "question": repr(result.asked),
        "films": films,
        "sprite": SPRITE,
        "basket": [clip for clip in basket if clip in clips],
        "whole": False,
    }


def films_data(videos: Sequence[IndexedVideo]) -> dict[str, Any]:
    """What the component is told of whole videos."""
    return {
        "answer": str([video.video_id for video in videos]),
        "question": "",
        "films": [_whole(rank, video) for rank, video in enumerate(videos, start=1)],
        "sprite": SPRITE,
        "whole": True,
        "basket": [],
    }


def _whole(rank: int, video: IndexedVideo) -> dict[str, Any]:
    path = video.paths[0]
    day = "" if video.captured is None else f"{datetime.fromtimestamp(video.captured):%Y-%m-%d}"
    duration = round(video.duration, 3)
    facts = day, count(video.clips, "clip")
    moment = {
        "rank": rank,
        "clip": video.video_id,
        "start": 0.0,
        "end": duration,
        "peak": round(video.duration * _POSTER, 3),
        "confidence": None,
        "parts": [],
        "words": [" · ".join(filter(None, facts))],
        "why": [shown(path)],
    }
    return {
        "video": video.video_id,
        "name": shown(path.name),
        "path": shown(path),
        "like": None,
        "duration": duration,
        "captured": day,
        "curves": [],
        "moments": [moment],
    }


def _film(
    video_id: int,
    hits: Sequence[Hit],
    *,
    steps: Sequence[str],
    curves: Sequence[VideoCurve],
    highest: Sequence[float],
) -> dict[str, Any]:
    """One video with its moments, best first, and its curve for each step."""
    first = hits[0]
    return {
        "video": video_id,
        "name": shown(first.path.name),
        "path": shown(first.path),
        "like": _as_text(first.path),
        "duration": round(max(first.duration, *(hit.end for hit in hits)), 3),
        "captured": f"{datetime.fromtimestamp(first.captured):%Y-%m-%d}",
        "curves": [
            bars(curve, first.duration, highest=most)
            for curve, most in zip(curves, highest, strict=bool(curves))
        ],
        "moments": [_moment(hit, steps=steps) for hit in hits],
    }


def _as_text(path: Path) -> str | None:
    """A path as an address can hold it; None for one that is no Unicode."""
    try:
        return str(path).encode("utf-8").decode("utf-8")
    except UnicodeEncodeError:
        return None


def _curves_of(hits: Sequence[Hit], curves: dict[Path, list[VideoCurve]]) -> list[VideoCurve]:
    return next((curves[hit.path] for hit in hits if hit.path in curves), [])


def _moment(hit: Hit, *, steps: Sequence[str]) -> dict[str, Any]:
    places = [f"Also at {shown(path)}." for path in hit.other_paths]
    return {
        "rank": hit.rank,
        "clip": hit.clip_id,
        **_span(hit),
        "peak": round(hit.peak, 3),
        "parts": [
            {"what": shown(step), **_span(part)}
            for part, step in zip(hit.parts, steps, strict=bool(hit.parts))
        ],
        "words": _words(hit),
        "why": [*explanation(hit), f"In {shown(hit.path)}.", *places],
    }


def _span(hit: Hit) -> dict[str, Any]:
    return {
        "start": round(hit.start, 3),
        "end": round(hit.end, 3),
        "confidence": None if hit.confidence is None else str(hit.confidence),
    }


def _words(hit: Hit) -> list[str]:
    """What is told below a moment: words that were said, and how many more show the same."""
    said = [] if hit.said is None else [said_line(hit.said)]
    return said + [f"and {count(len(hit.duplicates), 'more moment')} like it"] * bool(
        hit.duplicates
    )


def bars(curve: VideoCurve, duration: float, *, highest: float) -> list[float]:
    """The best height in each of some equal parts of a video, from 0 to 1 at `highest`."""
    edges = np.linspace(0.0, max(duration, 1e-3), _BARS + 1)
    heights = np.array(curve.heights) / max(highest, 1e-6)
    middles = (edges[:-1] + edges[1:]) / 2
    # Between two points of a coarse curve lie many bars, and many points of a fine one in a bar.
    found = np.interp(middles, curve.times, heights)
    places = np.searchsorted(curve.times, edges)
    for bar, (first, last) in enumerate(pairwise(places.tolist())):
        if first < last:
            found[bar] = heights[first:last].max()
    return [round(float(height), 3) for height in np.clip(found, 0.0, 1.0)]
