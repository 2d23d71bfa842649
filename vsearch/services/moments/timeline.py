"""Moments as a timeline: sources read for what editing programs have to know, frames counted."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from machine.file_state import size_and_time
from machine.names import shown
from machine.new_file import new_file, remove_leftovers
from machine.presence import is_folder, is_regular_file, is_there
from media import MediaError
from media.editing.displayed import pictures_at
from media.editing.facts import read_facts
from timelines import (
    Item,
    Marker,
    Rate,
    Sound,
    Source,
    Timeline,
    TimelineError,
    is_behind,
    known_rate,
    placed,
    rate_of_list,
    written,
)
from vsearch.errors import ExportError
from vsearch.services.models import existing_catalog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from media.editing.displayed import Shown
    from media.editing.facts import SourceFacts
    from vsearch.services.moments.found import FoundMoment
    from vsearch.settings import Settings

_ROUNDED = Fraction(1, 1000)  # second by which the start of a moment is rounded down
_IN_PLACE = Fraction(1, 4)  # of a frame by which a picture may be beside its place
_MUCH = Fraction(1, 2)  # second by which a moment may last longer than the pictures of its source


@dataclass(frozen=True, slots=True)
class Padding:
    """Seconds that are added before and after a moment, as far as its source has them."""

    before: float = 0.0
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A moment that is in no list, and why."""

    moment: FoundMoment
    reason: str


@dataclass(frozen=True, slots=True)
class Made:
    """A timeline of moments.

    `changed` are sources that are other files now than those that were indexed; `remarks` sentences
    about single sources and moments.
    """

    timeline: Timeline
    left_out: tuple[LeftOut, ...]
    changed: tuple[Path, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """A source with its facts, and the first picture of each of its moments and their parts."""

    facts: SourceFacts
    pictures: dict[float, Shown]

    @property
    def constant(self) -> bool:
        """Whether the pictures are where a constant rate puts them, also those of the moments."""
        rate = self.facts.rate
        places = ((begin - self.facts.first) * rate.exact for begin, _ in self.pictures.values())
        return rate.constant and all(abs(at - round(at)) <= _IN_PLACE for at in places)


def require_target(target: Path, *, replace: bool) -> None:
    """Check that a file can be written there, before long work.

    Raises:
        ExportError: its folder is missing, or something is there that stays.
    """
    if not is_folder(target.parent):
        raise ExportError(
            f"{shown(target)} cannot be written: there is no folder {shown(target.parent)}; make it"
        )
    if is_folder(target):
        raise ExportError(f"{shown(target)} is a folder; give the name of a file")
    if is_there(target) and not replace:
        raise ExportError(f"{shown(target)} exists; give --force to replace it, or another name")


def write_timeline(timeline: Timeline, target: Path, *, replace: bool) -> None:
    """Write a timeline in the format of the suffix, whole or not at all.

    Raises:
        ExportError: it cannot be written there, or the format cannot hold it.
    """
    require_target(target, replace=replace)
    if any(is_there(target) and os.path.samefile(target, source) for source in timeline.sources):  # noqa: PTH121
        raise ExportError(f"{shown(target)} is one of the videos; give another name")
    try:
        content = list_content(timeline, target.suffix.lower())
        remove_leftovers(target.parent)
        with new_file(target, replace=replace) as unfinished:
            unfinished.write_bytes(content)
    except OSError as error:
        raise ExportError(f"{shown(target)} cannot be written: {error.strerror}") from error


def list_content(timeline: Timeline, suffix: str) -> bytes:
    """A timeline in the format of a suffix. Raises ExportError: the format cannot hold it."""
    try:
        return written(timeline, suffix)
    except TimelineError as error:
        raise ExportError(str(error)) from error


def make_timeline(
    moments: Sequence[FoundMoment],
    *,
    name: str,
    settings: Settings,
    rate: Rate | None = None,
    padding: Padding,
    on_progress: Callable[[int, int], None],
) -> Made:
    """Make a timeline of moments, in their order, at a rate or that of most of them.

    Moments of sources that are gone or cannot be read are left out.

    Raises:
        ExportError: there are no moments, or all are left out.
    """
    read: dict[Path, _Read | str] = {}
    moments_of: dict[Path, list[FoundMoment]] = {}
    for moment in moments:
        moments_of.setdefault(moment.path, []).append(moment)
    for path, its in moments_of.items():
        read[path] = _read(path, its, padding)
        on_progress(len(read), len(moments_of))
    found = {path: one for path, one in read.items() if isinstance(one, _Read)}
    listed = rate or rate_of_list(
        _own_rate(found[moment.path].facts) for moment in moments if moment.path in found
    )
    sources = {path: _source(path, one, listed) for path, one in found.items()}
    items: list[Item] = []
    left_out: list[LeftOut] = []
    longer: dict[Path, None] = {}
    for moment in moments:
        one = read[moment.path]
        if isinstance(one, str):
            left_out.append(LeftOut(moment, one))
        elif is_behind(sources[moment.path], Fraction(moment.start) - one.facts.first):
            left_out.append(LeftOut(moment, "it starts behind the end of the video"))
        else:
            items.append(_item(moment, sources[moment.path], one, padding))
            if moment.end > one.facts.end + _MUCH:
                longer[moment.path] = None
    if not items:
        why = f": {shown(left_out[0].moment.path)}: {left_out[0].reason}" if left_out else ""
        raise ExportError(f"there is no moment to write{why}")
    counted = [(path, one.by_seconds) for path, one in sources.items() if one.by_seconds]
    remarks = (
        *(f"{shown(path)}: {why}" for path, why in counted),
        *(f"{shown(path)}: a moment that is longer ends with the video" for path in longer),
    )
    changed = _changed(list(sources), settings)
    return Made(Timeline(name, listed, tuple(items)), tuple(left_out), changed, remarks)


def _read(path: Path, moments: Sequence[FoundMoment], padding: Padding) -> _Read | str:
    """A source as its moments need it, or why it cannot be read."""
    if not is_regular_file(path):
        return "the file is not there; connect its disk, or index its folder again"
    starts = {_padded(moment.start, padding) for moment in moments}
    starts |= {part.start for moment in moments for part in moment.parts}
    times = sorted(starts)
    try:
        facts = read_facts(path)
        pictures = pictures_at(path, facts, [Fraction(time) + _ROUNDED for time in times])
    except MediaError as error:
        return str(error)
    return _Read(facts, dict(zip(times, pictures, strict=True)))


def _padded(start: float, padding: Padding) -> float:
    return max(0.0, start - padding.before)


def _own_rate(facts: SourceFacts) -> Rate:
    return Rate(facts.rate.exact, drop=facts.timecode is not None and facts.timecode.drop)


def _source(path: Path, read: _Read, listed: Rate) -> Source:
    """The source, counted in its own rate, or by seconds in the list's."""
    facts = read.facts
    own, start = _own_rate(facts), facts.timecode
    by_seconds = _why_by_seconds(read, listed)
    if start is None:
        counted = Rate(own.exact, drop=listed.drop and listed.exact == own.exact)
        number = 0
    else:
        counted, number = own, start.frames
    if by_seconds is not None:
        if start is not None:
            number = listed.with_label_of(number, Rate(Fraction(start.base), drop=start.drop))
        counted = listed
    width, height, aspect = facts.width, facts.height, facts.pixel_aspect
    if facts.rotation in (90, 270):
        width, height, aspect = height, width, 1 / aspect
    length = facts.frames / facts.rate.exact
    return Source(
        path=path,
        rate=counted,
        frames=facts.frames if by_seconds is None else max(1, int(length * counted.exact)),
        start=number,
        width=width,
        height=height,
        pixel_aspect=aspect,
        sound=tuple(Sound(track.channels, track.rate) for track in facts.sound),
        by_seconds=by_seconds,
    )


def _why_by_seconds(read: _Read, listed: Rate) -> str | None:
    """Why a source is not counted in its own frames; None if it is."""
    rate = read.facts.rate.exact
    if read.constant and known_rate(rate):
        return None
    exact = float(rate)
    what = (
        f"{exact:.5g} frames per second have no timecode"
        if read.constant
        else f"its frame rate varies, {exact:.5g} in the mean"
    )
    return f"{what}: counted by seconds, at {listed.name}"


def _item(moment: FoundMoment, source: Source, read: _Read, padding: Padding) -> Item:
    start = _padded(moment.start, padding)
    end = Fraction(moment.end) + Fraction(padding.after)
    first, count = _frames(source, read, start, end)
    markers = tuple(
        Marker(
            max(0, _frames(source, read, part.start, Fraction(part.end))[0] - first),
            part.sentence,
            part.confidence or "",
        )
        for part in moment.parts
    )
    of_moment = Marker(0, moment.sentence, moment.confidence or "")
    return Item(
        source=source,
        first=first,
        count=count,
        start=start,
        end=float(min(end, max(read.facts.end, Fraction(moment.end)))),
        sentence=moment.sentence,
        confidence=moment.confidence,
        score=moment.score,
        markers=markers or (of_moment,),
    )


def _frames(source: Source, read: _Read, start: float, end: Fraction) -> tuple[int, int]:
    """The first frame of a moment, and their count."""
    begin, stop = (instant - read.facts.first for instant in read.pictures[start])
    return placed(source, picture=(begin, stop), end=end - read.facts.first)


def _changed(paths: Sequence[Path], settings: Settings) -> tuple[Path, ...]:
    """Those of the files that are not as the catalog knows them."""
    catalog = existing_catalog(settings)
    if catalog is None:
        return ()
    with catalog:
        known = catalog.known_files(paths)
    return tuple(
        path
        for path in paths
        if (state := known.get(str(path))) is not None
        and _size_and_time(path) != (state.size, state.mtime_ns)
    )


def _size_and_time(path: Path) -> tuple[int, int] | None:
    """Size and time of a file; None if it is gone meanwhile."""
    try:
        return size_and_time(path.stat())
    except OSError:
        return None
