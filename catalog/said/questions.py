"""Cues that hold the words that were asked for: the best, or the times of all."""

import heapq
import json
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from sqlalchemy import Connection, Select, Subquery, func, or_, select

from catalog.database.database import CueIndex
from catalog.database.numbers import greater, lesser, read_numbers
from catalog.database.tables import CLIPS, CUES, FILES, ROOTS, SUBTITLES, VIDEOS
from catalog.database.words import ends_with, expression, halves, require_words
from catalog.records import CueMatch, CueSpans
from catalog.store.clips import PLACE_COLUMNS, KnownVideo, VideoAtPlace, known_videos
from catalog.store.files import in_batches
from catalog.store.roots import joined
from catalog.store.tags import known_names, stretches
from catalog.video_filter import EVERY_VIDEO, VideoFilter

NEAR = 5.0  # seconds: what is seen is often said a little before or after
_LONGEST_PAUSE = 10.0  # seconds between two cues of one sentence


_Times: TypeAlias = tuple[float, float]


class _Found(NamedTuple):
    """Cues `first` to `last` of one subtitle, which are one or two, and hold the words."""

    score: float
    video_id: int
    start: float
    end: float
    first: int
    last: int
    stops: float  # end of the first cue
    goes_on: float  # start of the last cue
    head: str  # text of the first cue


def best_cues(
    connection: Connection,
    cues: CueIndex,
    words: str,
    *,
    limit: int,
    among: Collection[int] | None,
    videos: VideoFilter,
) -> list[CueMatch]:
    """The best cues of videos `among` these (None: all); see `Catalog.cues_saying`.

    Raises:
        InvalidWordsError: there are no words, or too many.
    """
    competes = _tags_of(connection, videos)
    kept: list[_Found] = []
    taken: dict[int, list[tuple[float, float]]] = {}
    for found in _every_match(connection, cues, require_words(words)):
        if len(kept) >= limit and found.score < kept[-1].score:
            break  # those that are as good as the last one are ordered by their paths
        if among is not None and found.video_id not in among:
            continue
        if not competes(found.video_id, found.start, found.end):
            continue
        # Other languages, and copies of the subtitles, say the same at the same time.
        if _take(taken.setdefault(found.video_id, []), found.start, found.end):
            kept.append(found)
    known = _known(connection, {found.video_id for found in kept}, videos=videos)
    kept.sort(key=lambda found: (-found.score, known[found.video_id].paths, found.start))
    return _matches(connection, kept[:limit], known)


def cues_near(
    connection: Connection,
    cues: CueIndex,
    words: str,
    moments: Sequence[tuple[int, float, float]],
) -> list[CueMatch | None]:
    """The best cue of each moment; see `Catalog.details`.

    Raises:
        InvalidWordsError: there are no words, or too many.
    """
    best: dict[int, _Found] = {}
    videos = {moment[0] for moment in moments}
    for found in _every_match(connection, cues, require_words(words), videos=videos):
        if len(best) == len(moments):
            break
        for place, (video_id, start, end) in enumerate(moments):
            near = start - NEAR < found.end and found.start < end + NEAR
            if video_id == found.video_id and near:
                best.setdefault(place, found)
    known = _known(connection, videos, videos=EVERY_VIDEO)
    matches = _matches(connection, [*best.values()], known)
    by_place = dict(zip(best, matches, strict=True))
    return [by_place.get(place) for place in range(len(moments))]


def _take(times: list[tuple[float, float]], start: float, end: float) -> bool:
    """Take an interval into sorted ones that share no time, unless it shares time with one."""
    place = bisect_left(times, (start, end))
    if place > 0 and times[place - 1][1] > start:
        return False
    if place < len(times) and times[place][0] < end:
        return False
    times.insert(place, (start, end))
    return True


def _tags_of(connection: Connection, videos: VideoFilter) -> Callable[[int, float, float], bool]:
    """A predicate on intervals of videos: whether they meet the conditions on tags."""
    within = _stretches(connection, videos.tags)
    without = _stretches(connection, videos.without_tags)

    def shares(spans: dict[int, list[tuple[float, float]]], video: int, at: _Times) -> bool:
        return any(start < at[1] and at[0] < end for start, end in spans.get(video, ()))

    def competes(video_id: int, start: float, end: float) -> bool:
        at = start, end
        return (not videos.tags or shares(within, video_id, at)) and not shares(
            without, video_id, at
        )

    return competes


def _stretches(connection: Connection, names: Sequence[str]) -> dict[int, list[_Times]]:
    found: dict[int, list[_Times]] = {}
    if names:
        rows: Iterable[Any] = connection.execute(stretches(known_names(connection, names)))
        for video_id, start, end in rows:
            found.setdefault(video_id, []).append((start, end))
    return found


def all_spans(
    connection: Connection, cues: CueIndex, words: str, *, among: Collection[int] | None
) -> CueSpans:
    """The times of all cues of videos `among` these; see `Catalog.spans_saying`.

    Raises:
        InvalidWordsError: there are no words, or too many.
    """
    asked = require_words(words)
    found = cues.holding(connection, expression(asked))
    of_one = read_numbers(connection, _spans(found.rows), found.values)
    of_two = [(two.video_id, two.start, two.end) for two in _of_two(connection, cues, asked)]
    rows = np.concatenate((of_one, np.array(of_two, np.float64).reshape(-1, 3)))
    if among is not None:
        rows = rows[np.isin(rows[:, 0], [*among])]
    return CueSpans(rows[:, 0].astype(np.int64), rows[:, 1], rows[:, 2])


def _every_match(
    connection: Connection, cues: CueIndex, words: str, *, videos: Collection[int] | None = None
) -> Iterator[_Found]:
    """All matches, best first; those of some videos, or of all."""
    among = None if videos is None else _subtitles_of(connection, videos)
    whole = cues.within_one_cue(connection, expression(words), subtitles=among)
    of_one = map(_Found._make, connection.execute(_statement(whole.rows), whole.values))
    of_two = sorted(_of_two(connection, cues, words, among=among), key=_order)
    return heapq.merge(of_one, of_two, key=_order)


def _of_two(
    connection: Connection, cues: CueIndex, words: str, *, among: str | None = None
) -> Iterator[_Found]:
    """The matches that are two consecutive cues; `among` these subtitles (None: all)."""
    for head, tail, ending in halves(words):
        both = cues.across_two_cues(connection, head, tail, subtitles=among)
        rows = map(_Found._make, connection.execute(_statement(both.rows), both.values))
        yield from (row for row in rows if _go_on(row, ending))


def _subtitles_of(connection: Connection, videos: Collection[int]) -> str:
    """The ids of the subtitles of these videos, as JSON."""
    ids: list[int] = []
    every = select(SUBTITLES.c.id).outerjoin(FILES, FILES.c.id == SUBTITLES.c.file_id)
    for some in in_batches(sorted(videos)):
        of_some = or_(SUBTITLES.c.video_id.in_(some), FILES.c.video_id.in_(some))
        ids += connection.scalars(every.where(of_some))
    return json.dumps(ids)


def _order(found: _Found) -> tuple[float, int, float, int]:
    return -found.score, found.video_id, found.start, found.first


def _go_on(found: _Found, ending: str) -> bool:
    """Whether the second cue goes on with what the first one has said to its end."""
    soon = found.start <= found.goes_on <= found.stops + _LONGEST_PAUSE
    return soon and ends_with(found.head, ending)


@cache  # made once
def _statement(found: Subquery) -> Select[Any]:
    """The matches of a full-text question that lie within their videos, best first."""
    first, last = CUES.alias("first_cue"), CUES.alias("last_cue")
    video_id = func.coalesce(SUBTITLES.c.video_id, FILES.c.video_id)
    return (
        select(
            found.c.score,
            VIDEOS.c.id,
            first.c.start,
            lesser(greater(first.c.end, last.c.end), VIDEOS.c.duration),
            found.c.first,
            found.c.last,
            first.c.end,
            last.c.start,
            first.c.text,
        )
        .select_from(found)
        .join(first, first.c.id == found.c.first)
        .join(last, last.c.id == found.c.last)
        .join(SUBTITLES, SUBTITLES.c.id == first.c.subtitle_id)
        .outerjoin(FILES, FILES.c.id == SUBTITLES.c.file_id)
        .join(VIDEOS, VIDEOS.c.id == video_id)
        .where(first.c.subtitle_id == last.c.subtitle_id, first.c.start < VIDEOS.c.duration)
        .order_by(found.c.score.desc(), VIDEOS.c.id, first.c.start, found.c.first)
    )


@cache
def _spans(found: Subquery) -> Select[Any]:
    """The videos and times of all matches of one cue, in no order."""
    return (
        select(func.coalesce(SUBTITLES.c.video_id, FILES.c.video_id), CUES.c.start, CUES.c.end)
        .select_from(found)
        .join(CUES, CUES.c.id == found.c.id)
        .join(SUBTITLES, SUBTITLES.c.id == CUES.c.subtitle_id)
        .outerjoin(FILES, FILES.c.id == SUBTITLES.c.file_id)
        .where(or_(SUBTITLES.c.video_id.is_not(None), FILES.c.video_id.is_not(None)))
    )


def _matches(
    connection: Connection, found: Collection[_Found], known: Mapping[int, KnownVideo]
) -> list[CueMatch]:
    said = _said(connection, {number for match in found for number in (match.first, match.last)})
    matches = []
    for match in found:
        text, language, source = said[match.first]
        if match.last != match.first:
            text = f"{text} {said[match.last][0]}"
        matches.append(
            CueMatch(
                match.video_id,
                _clip_at(connection, match),
                match.score,
                match.start,
                match.end,
                text,
                language,
                source,
                *known[match.video_id],
            )
        )
    return matches


def _clip_at(connection: Connection, match: _Found) -> int:
    """The id of the last clip that begins before the middle of a match."""
    middle = (match.start + match.end) / 2
    before = select(CLIPS.c.id).where(CLIPS.c.video_id == match.video_id, CLIPS.c.start <= middle)
    found = connection.scalar(before.order_by(CLIPS.c.start.desc()).limit(1))
    first = select(func.min(CLIPS.c.id)).where(CLIPS.c.video_id == match.video_id)
    return int(connection.scalar(first) or 0) if found is None else int(found)


def _known(
    connection: Connection, video_ids: Iterable[int], *, videos: VideoFilter
) -> dict[int, KnownVideo]:
    query = (
        select(*PLACE_COLUMNS)
        .select_from(VIDEOS)
        .join(FILES, FILES.c.video_id == VIDEOS.c.id)
        .join(ROOTS, FILES.c.root_id == ROOTS.c.id)
    )
    places: list[VideoAtPlace] = []
    for some in in_batches(sorted(video_ids)):
        rows = connection.execute(query.where(VIDEOS.c.id.in_(some)))
        places += (VideoAtPlace(*row) for row in rows)
    return known_videos(places, videos=videos)


def _said(connection: Connection, cue_ids: Iterable[int]) -> dict[int, tuple[str, str | None, str]]:
    """Text, language and source of each of these cues."""
    query = (
        select(
            CUES.c.id,
            CUES.c.text,
            SUBTITLES.c.language,
            SUBTITLES.c.stream,
            SUBTITLES.c.name,
            ROOTS.c.path,
            FILES.c.relative_path,
        )
        .join(SUBTITLES, SUBTITLES.c.id == CUES.c.subtitle_id)
        .outerjoin(FILES, FILES.c.id == SUBTITLES.c.file_id)
        .outerjoin(ROOTS, ROOTS.c.id == FILES.c.root_id)
    )
    said: dict[int, tuple[str, str | None, str]] = {}
    for some in in_batches(sorted(cue_ids)):
        for cue_id, text, language, stream, name, *place in connection.execute(
            query.where(CUES.c.id.in_(some))
        ):
            of_file = name and str(Path(joined(*place)).with_name(name))
            said[cue_id] = text, language, of_file or f"embedded stream {stream}"
    return said
