"""Moments cut out of their videos: planned, written as files of their own or as one reel."""

from __future__ import annotations

import errno
import math
import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from catalog import EVERY_VIDEO
from machine.file_state import size_and_time
from machine.names import shown
from machine.new_file import remove_leftovers
from machine.presence import is_folder, is_regular_file, is_there
from media import (
    MediaError,
    NotCopiedError,
    ReelSource,
    TargetError,
    Way,
    plan_cut,
    write_cut,
    write_reel,
)
from vsearch.errors import CutError, MomentMissingError
from vsearch.services.models import existing_catalog, open_catalog
from vsearch.services.moments.file_names import names_for
from vsearch.services.moments.found import FoundMoment
from vsearch.services.moments.timeline import Padding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from media import CutPlan
    from vsearch.settings import Settings

    OnProgress = Callable[[int, int], None]

_ADVICE = {
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room",
    errno.EFBIG: "see which limits are set for you (`ulimit -a`)",
    errno.EACCES: "give a folder that you may write to",
    errno.EPERM: "give a folder that you may write to",
    errno.EROFS: "give a folder that can be written to",
}


class Outcome(StrEnum):
    """What became of a moment."""

    PLANNED = "planned"  # only looked at
    JOINED = "joined"  # in the reel, without a file of its own
    WRITTEN = "written"
    KEPT = "kept"  # its file was there already
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Piece:
    """A moment, the file that it becomes, and what became of it.

    `start` and `end` are seconds of the video, padding included: where the file really begins and
    ends as soon as it is written, before that as far as they are known. `copied` is whether its
    packets are copied, `hides` whether the copy holds pictures outside of the moment. `error` says
    why it failed.
    """

    moment: FoundMoment
    start: float
    end: float
    outcome: Outcome = Outcome.PLANNED
    target: Path | None = None
    copied: bool = False
    hides: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Reel:
    """A reel, and its length in seconds; as it is planned to be, or was written."""

    path: Path
    seconds: float


@dataclass(frozen=True, slots=True)
class CutReport:
    """What was cut."""

    pieces: tuple[Piece, ...]
    reel: Reel | None
    dry: bool

    @property
    def failed(self) -> tuple[Piece, ...]:
        """The moments that could not be cut."""
        return tuple(piece for piece in self.pieces if piece.outcome is Outcome.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOptions:
    """How moments are cut.

    `folder` is where files are written, None for none; `reel` the file that joins all, None for
    none. With `dry`, nothing is written.
    """

    folder: Path | None
    reel: Path | None
    way: Way
    padding: Padding
    overwrite: bool
    dry: bool


def moments_of_clips(ids: Sequence[int], *, settings: Settings) -> tuple[FoundMoment, ...]:
    """The clips of the catalog with these ids, in this order.

    Raises:
        MomentMissingError: there is no such clip.
    """
    wanted = np.array(ids, dtype=np.int64)
    with open_catalog(settings) as catalog, catalog.library() as library:
        there = set() if library is None else set(wanted[library.holds(wanted)].tolist())
        missing = [str(one) for one in ids if one not in there]
        if library is None or missing:
            named = ", ".join(missing)
            raise MomentMissingError(
                f"the catalog has no clip {named}; `vsearch query --json` tells the ids"
            )
        matches = library.matches(wanted, videos=EVERY_VIDEO)
    return tuple(
        FoundMoment(
            next(filter(is_regular_file, match.paths), match.path),
            match.start,
            match.end,
            sentence=f"clip {match.clip_id}",
            clip_id=match.clip_id,
        )
        for match in matches
    )


def cut_moments(
    moments: Sequence[FoundMoment],
    options: CutOptions,
    *,
    settings: Settings,
    on_progress: OnProgress,
) -> CutReport:
    """Cut moments out of their videos; one that cannot be is named in the report.

    `on_progress` gets the seconds that are written, and those of all. Files that are there already
    stay as they are, unless they may be overwritten, so that a run that was interrupted goes on.

    Raises:
        CutError: nothing can be written there, or all moments failed that a reel was to hold.
    """
    _require_targets(options, moments)
    changed = _changed({moment.path for moment in moments}, settings)
    work = [_planned(moment, options, changed=moment.path in changed) for moment in moments]
    work = _with_targets(work, options)
    seconds = sum(piece.end - piece.start for piece, plan in work if plan is not None)
    both = options.folder is not None and options.reel is not None
    progress = _Progress(on_progress, total=seconds * (1 + both))
    if options.folder is not None and not options.dry:
        work = [(_cut(piece, plan, options, work, progress), plan) for piece, plan in work]
    pieces = tuple(piece for piece, _ in work)
    reel = None if options.reel is None else _joined(pieces, options.reel, options, progress)
    if options.folder is None and not options.dry:
        pieces = tuple(
            one if one.outcome is Outcome.FAILED else replace(one, outcome=Outcome.JOINED)
            for one in pieces
        )
    return CutReport(pieces, reel, options.dry)


_Work = tuple[Piece, "CutPlan | None"]  # without a plan if it failed


class _Progress:
    """Progress in seconds that are written, over several files."""

    def __init__(self, tell: OnProgress, *, total: float) -> None:
        self._tell, self._total = tell, total
        self._done = 0.0

    def within(self, seconds: float) -> None:
        """Tell that so much of the present file is written."""
        done = min(self._done + seconds, self._total)
        self._tell(math.floor(done), math.ceil(self._total))

    def end(self, seconds: float) -> None:
        """Tell that the present file, of that length, is done."""
        self._done += seconds
        self.within(0.0)


def _require_targets(options: CutOptions, moments: Sequence[FoundMoment]) -> None:
    """Check, and make, the places of the new files before long work."""
    folder, reel = options.folder, options.reel
    if reel is not None:
        if any(_is_same(reel, moment.path) for moment in moments):
            raise CutError(f"{shown(reel)} is one of the videos; give another name")
        if is_folder(reel):
            raise CutError(f"{shown(reel)} is a folder; give the name of a file")
        if is_there(reel) and not options.overwrite:
            raise CutError(f"{shown(reel)} exists; give --force to replace it, or another name")
    for place in (folder, None if reel is None else reel.parent):
        if place is None or options.dry:
            continue
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CutError(
                f"the folder {shown(place)} cannot be made ({error.strerror}); give another with -o"
            ) from error
        remove_leftovers(place)


def _is_same(path: Path, video: Path) -> bool:
    return is_there(path) and is_there(video) and os.path.samefile(path, video)  # noqa: PTH121


def _changed(paths: Iterable[Path], settings: Settings) -> frozenset[Path]:
    """Those of the files that are not as the catalog knows them."""
    catalog = existing_catalog(settings)
    if catalog is None:
        return frozenset()
    there = [path for path in paths if is_regular_file(path)]
    with catalog:
        known = catalog.known_files(there)
    return frozenset(
        path
        for path in there
        if (state := known.get(str(path))) is not None
        and size_and_time(path.stat()) != (state.size, state.mtime_ns)
    )


def _planned(moment: FoundMoment, options: CutOptions, *, changed: bool) -> _Work:
    """Look at a moment: how it can be cut, or why not."""
    start = max(0.0, moment.start - options.padding.before)
    end = moment.end + options.padding.after
    if not is_regular_file(moment.path):
        reason = "is not there; connect its disk, or run `vsearch index` on its folder"
    elif changed:
        reason = "has changed since it was indexed; run `vsearch index` on it, and ask again"
    else:
        try:
            plan = plan_cut(moment.path, start=start, end=end, way=options.way)
        except NotCopiedError as error:
            reason = f"cannot be copied: {error}; leave --copy out"
        except MediaError as error:
            reason = str(error)
        else:
            copied, hides = plan.copy is not None, plan.hides
            return Piece(moment, plan.start, plan.end, copied=copied, hides=hides), plan
    return Piece(moment, start, end, Outcome.FAILED, error=reason), None


def _with_targets(work: Sequence[_Work], options: CutOptions) -> list[_Work]:
    """The same with the files that the moments become."""
    folder, before = options.folder, options.padding.before
    if folder is None:
        return list(work)
    moments = [piece.moment for piece, _ in work]
    names = names_for((one.sentence, one.path, max(0.0, one.start - before)) for one in moments)
    return [
        (piece if plan is None else replace(piece, target=folder / f"{name}{plan.suffix}"), plan)
        for (piece, plan), name in zip(work, names, strict=True)
    ]


def _cut(
    piece: Piece,
    plan: CutPlan | None,
    options: CutOptions,
    work: Sequence[_Work],
    progress: _Progress,
) -> Piece:
    """Write the file of a moment; what became of it."""
    target, length = piece.target, piece.end - piece.start
    if plan is None or target is None:
        return piece
    if any(_is_same(target, other.moment.path) for other, _ in work):
        reason = f"{target} is one of the videos; move it, or give another folder"
        return replace(piece, outcome=Outcome.FAILED, error=reason)
    done = replace(piece, outcome=Outcome.KEPT)
    if options.overwrite or not is_there(target):
        try:
            with _target_refused():
                written = write_cut(
                    plan, target, overwrite=options.overwrite, on_progress=progress.within
                )
        except FileExistsError:
            pass
        except MediaError as error:
            done = replace(piece, outcome=Outcome.FAILED, error=str(error))
        else:
            done = replace(piece, outcome=Outcome.WRITTEN, start=written.start, end=written.end)
    progress.end(length)
    return done


@contextmanager
def _target_refused() -> Iterator[None]:
    """Turn an error that any further file would meet into one that ends the run, with advice."""
    try:
        yield
    except TargetError as error:
        cause = error.__cause__
        advice = _ADVICE.get(cause.errno or 0) if isinstance(cause, OSError) else None
        rest = f"; {advice} and run it again: finished files stay" if advice else ""
        raise CutError(f"{error}{rest}") from error


def _joined(
    pieces: Sequence[Piece], target: Path, options: CutOptions, progress: _Progress
) -> Reel:
    """Join the moments that can be cut."""
    good = [piece for piece in pieces if piece.outcome is not Outcome.FAILED]
    if not good:
        reasons = f": {shown(pieces[0].moment.path)} {pieces[0].error}" if pieces else ""
        raise CutError(f"there is no moment to join{reasons}")
    if options.dry:
        return Reel(target, sum(piece.end - piece.start for piece in good))
    sources = [
        ReelSource.read(piece.moment.path, start=piece.start, end=piece.end) for piece in good
    ]
    try:
        with _target_refused():
            seconds = write_reel(
                sources, target, overwrite=options.overwrite, on_progress=progress.within
            )
    except FileExistsError as error:
        raise CutError(f"{shown(target)} exists; give --force to replace it") from error
    progress.end(seconds)
    return Reel(target, seconds)
