"""Moments as a timeline: films read for what editing programs have to know, frames counted."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from machine.file_state import size_and_time
from machine.names import shown
from machine.new_file import new_file
from machine.presence import is_folder, is_regular_file, is_there
from media import MediaError
from media.editing.displayed import pictures_at
from media.editing.facts import read_facts
from timelines import (
    Film,
    Item,
    Marker,
    Rate,
    Sound,
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
_MUCH = Fraction(1, 2)  # second by which a moment may last longer than the pictures of its film


@dataclass(frozen=True, slots=True)
class Padding:
    """Seconds that are added before and after a moment, as far as its film has them."""

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

    `changed` are films that are other files now than those that were indexed; `remarks` sentences
    about single films and moments.
    """

    timeline: Timeline
    left_out: tuple[LeftOut, ...]
    changed: tuple[Path, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """A film with its facts, and the first picture of each of its moments and their parts."""

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
    if any(is_there(target) and os.path.samefile(target, film) for film in timeline.films):  # noqa: PTH121
        raise ExportError(f"{shown(target)} is one of the films; give another name")
    try:
        content = written(timeline, target.suffix.lower())
        with new_file(target, replace=replace) as unfinished:
            unfinished.write_bytes(content)
    except TimelineError as error:
        raise ExportError(str(error)) from error
    except OSError as error:
        raise ExportError(f"{shown(target)} cannot be written: {error.strerror}") from error


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

    Moments of films that are gone or cannot be read are left out.

    Raises:
        ExportError: there are no moments, or all are left out.
    """
    films: dict[Path, _Read | str] = {}
    paths = list(dict.fromkeys(moment.path for moment in moments))
    for done, path in enumerate(paths, start=1):
        films[path] = _read(path, [one for one in moments if one.path == path], padding)
        on_progress(done, len(paths))
    found = {path: read for path, read in films.items() if isinstance(read, _Read)}
    listed = rate or rate_of_list(
        _own_rate(found[moment.path].facts) for moment in moments if moment.path in found
    )
    counted = {path: _film(path, read, listed) for path, read in found.items()}
    items: list[Item] = []
    left_out: list[LeftOut] = []
    remarks = [
        f"{shown(path)}: {film.by_seconds}" for path, film in counted.items() if film.by_seconds
    ]
    for moment in moments:
        read = films[moment.path]
        if isinstance(read, str):
            left_out.append(LeftOut(moment, read))
            continue
        film = counted[moment.path]
        if is_behind(film, Fraction(moment.start) - read.facts.first):
            left_out.append(LeftOut(moment, "it starts behind the end of the film"))
            continue
        if moment.end > read.facts.end + _MUCH:
            remarks.append(f"{shown(moment.path)}: a moment ends where the film does, not later")
        items.append(_item(moment, film, read, padding))
    if not items:
        why = f": {shown(left_out[0].moment.path)}: {left_out[0].reason}" if left_out else ""
        raise ExportError(f"there is no moment to write{why}")
    changed = _changed(list(counted), settings)
    return Made(Timeline(name, listed, tuple(items)), tuple(left_out), changed, tuple(remarks))


def _read(path: Path, moments: Sequence[FoundMoment], padding: Padding) -> _Read | str:
    """A film as its moments need it, or why it cannot be read."""
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


def _film(path: Path, read: _Read, listed: Rate) -> Film:
    """The film, counted in its own rate, or by seconds in the list's."""
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
    return Film(
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
    """Why a film is not counted in its own frames; None if it is."""
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


def _item(moment: FoundMoment, film: Film, read: _Read, padding: Padding) -> Item:
    start = _padded(moment.start, padding)
    end = Fraction(moment.end) + Fraction(padding.after)
    first, count = _frames(film, read, start, end)
    markers = tuple(
        Marker(
            max(0, _frames(film, read, part.start, Fraction(part.end))[0] - first),
            part.sentence,
            part.confidence or "",
        )
        for part in moment.parts
    )
    of_moment = Marker(0, moment.sentence, moment.confidence or "")
    return Item(
        film=film,
        first=first,
        count=count,
        start=start,
        end=float(min(end, max(read.facts.end, Fraction(moment.end)))),
        sentence=moment.sentence,
        confidence=moment.confidence,
        score=moment.score,
        markers=markers or (of_moment,),
    )


def _frames(film: Film, read: _Read, start: float, end: Fraction) -> tuple[int, int]:
    """The first frame of a moment, and their count."""
    begin, stop = (instant - read.facts.first for instant in read.pictures[start])
    return placed(film, picture=(begin, stop), end=end - read.facts.first)


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
        and size_and_time(path.stat()) != (state.size, state.mtime_ns)
    )
