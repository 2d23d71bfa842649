"""Moments of videos as files of their own, with exact in and out points: copied or encoded anew."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

from media.container.source import Source, open_source
from media.container.target import unfinished_file
from media.cutting.copying import CopiedPictures, CopiedSound, CopyPlan, plan_copy, sounds_of
from media.cutting.edit_lists import movie_units
from media.cutting.encoding import EncodedPictures, EncodedSound, is_plain
from media.cutting.output import OnProgress, side_by_side, write_tracks
from media.editing.facts import read_facts
from media.errors import NotCopiedError
from media.frames.layout import Layout, read_layout


class Way(StrEnum):
    """How a moment becomes a file; `AUTO` copies where nothing but the moment is copied."""

    AUTO = "auto"
    COPY = "copy"
    EXACT = "exact"


@dataclass(frozen=True, slots=True)
class CutPlan:
    """A moment of the video at `path`, and how it becomes a file.

    `start` and `end` are seconds on the file's own clock: if it is copied, where its first picture
    begins and its last one ends; else as asked for. `suffix` is that of the new file. `copy` is how
    it is copied, if it is. `sounds` are the numbers of the audio streams, with their
    samples per second.
    """

    path: Path
    start: float
    end: float
    suffix: str
    layout: Layout
    copy: CopyPlan | None
    sounds: Sequence[tuple[int, int]]

    @property
    def hides(self) -> bool:
        """Whether the file holds pictures before or behind the moment, which are not played."""
        return self.copy is not None and self.copy.hides


@dataclass(frozen=True, slots=True)
class Written:
    """A moment that was written: its points in seconds on the clock of its video."""

    start: float
    end: float


def cut(
    path: Path,
    target: Path,
    *,
    start: float,
    end: float,
    way: Way = Way.AUTO,
    overwrite: bool = False,
) -> Written:
    """Write the moment from `start` to `end` of the video at `path`.

    See `plan_cut` and `write_cut`, also for the errors.
    """
    return write_cut(plan_cut(path, start=start, end=end, way=way), target, overwrite=overwrite)


def plan_cut(path: Path, *, start: float, end: float, way: Way = Way.AUTO) -> CutPlan:
    """Plan to cut the moment from `start` to `end`, in seconds on the file's own clock.

    Both are moved as `media.cutting.points` says; an end behind that of the video is its end.
    Raises `NotCopiedError` for `Way.COPY` where that is not possible, `PointsError` for a
    moment behind the end, other `MediaError`s for a file that cannot be read.
    """
    with open_source(path) as source:
        streams = sounds_of(source)
        sounds = [(stream.index, stream.codec_context.sample_rate) for stream in streams]
        plain = any(map(is_plain, streams))
    layout = read_layout(path)
    suffix, copied = ".mov" if plain else ".mp4", None
    try:
        known = plan_copy(path, layout, start=start, end=end)
    except NotCopiedError:
        if way is Way.COPY:
            raise
    else:
        if way is Way.COPY or (way is Way.AUTO and not known.hides):
            since = known.start - layout.clock.zero
            start, end = float(since), float(since + known.length)
            suffix, copied = known.suffix, known
    return CutPlan(path, start, end, suffix, layout, copied, sounds)


def write_cut(
    plan: CutPlan, target: Path, *, overwrite: bool, on_progress: OnProgress = lambda _: None
) -> Written:
    """Write a moment to `target`, which appears whole or not at all.

    Raises FileExistsError for a file that is there, unless it is to be replaced; `TargetError`
    where nothing can be written; other `MediaError`s.
    """
    clock = plan.layout.clock
    with ExitStack() as stack:
        tracks = _copied(plan.copy, plan, stack) if plan.copy else _encoded(plan, stack)
        pictures = tracks[0]
        since = pictures.start - clock.zero
        with open_source(plan.path, stream_index=plan.layout.stream_index) as source:
            tags = _tags(source, since=since)
        with unfinished_file(target, replace=overwrite) as unfinished:
            write_tracks(
                unfinished,
                tracks,
                side_by_side(tracks),
                units=movie_units(clock.unit, [rate for _, rate in plan.sounds]),
                quicktime=plan.suffix == ".mov",
                tags=tags,
                timecode=_timecode(plan.path, since=since),
                on_progress=on_progress,
            )
        return Written(float(since), float(since + pictures.played.end))


def _copied(
    plan: CopyPlan, cut: CutPlan, stack: ExitStack
) -> tuple[CopiedPictures, *tuple[CopiedSound, ...]]:
    sounds = (CopiedSound(plan, index, stack) for index, _ in cut.sounds)
    return (CopiedPictures(plan, stack), *sounds)


def _encoded(cut: CutPlan, stack: ExitStack) -> tuple[EncodedPictures, *tuple[EncodedSound, ...]]:
    pictures = EncodedPictures(cut.path, cut.layout, start=cut.start, end=cut.end, stack=stack)
    sounds = (
        EncodedSound(
            cut.path, cut.layout, index, pictures=pictures, most=cut.end - cut.start, stack=stack
        )
        for index, _ in cut.sounds
    )
    return (pictures, *sounds)


def _tags(source: Source, *, since: Fraction) -> dict[str, str]:
    """The time of recording of the moment, where that of the video is told."""
    told = source.container.metadata.get("creation_time", "")
    try:
        recorded = datetime.fromisoformat(told) + timedelta(seconds=float(since))
    except (ValueError, OverflowError):
        return {}
    return {"creation_time": recorded.isoformat()}


def _timecode(path: Path, *, since: Fraction) -> str | None:
    """The timecode of the in point, where that of the video's first picture is told."""
    facts = read_facts(path)
    if facts.timecode is None:
        return None
    passed = round((since - facts.first) * facts.rate.exact)
    return str(replace(facts.timecode, frames=facts.timecode.frames + passed))
