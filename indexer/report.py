"""Report of an index run."""

from dataclasses import dataclass
from pathlib import Path

from catalog import FileProblem


@dataclass(frozen=True, slots=True)
class LeftOut:
    """File or folder that this run did not look at, of which `files` stay in the catalog.

    A pattern, an ignore file or a name that systems use has kept it out.
    """

    path: Path
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReport:
    """Result of one run; counts are files unless stated otherwise.

    `indexed`: decoded, embedded and committed. `unchanged`: nothing to do, mostly not even opened.
    `moved`: content that was already known, found at a new place (moved, renamed or a copy), so
    nothing was decoded. `removed`: known files that are gone, and did not turn up elsewhere.
    `failed`: files that are not in the index, and folders that could not be listed; those that may
    not be mounted, whose files stay in the catalog, are `absent`.
    `damaged`: those of the indexed ones of which a part could not be read.
    `clips` and `video_seconds` (seconds of video) belong to the indexed files. `interrupted`: the
    run was stopped before its end; what it counts is committed, the rest waits for the next run.
    `no_video`: files with the suffix of a video that are something else, such as TypeScript (.ts).
    `left_out`: what stays in the catalog, although this run was to leave it out.
    `unsaved`: why the snapshot of the vector index could not be saved; nothing is lost by that.
    `without_frames`: videos of the catalog that have no frame vectors.
    `details`: videos indexed before whose capture time and text streams were read; they count as
    unchanged. `subtitles`: subtitle files that were read; `failed_subtitles` cannot be read.
    `by_others`: files that another run on the same catalog has indexed since this one began.
    `model`: the name of what made the vectors of the catalog; None where there are none.
    """

    indexed: int
    unchanged: int
    moved: int
    removed: int
    failed: tuple[FileProblem, ...]
    damaged: tuple[FileProblem, ...]
    clips: int
    video_seconds: float
    took_seconds: float
    interrupted: bool
    unsaved: str | None = None
    left_out: tuple[LeftOut, ...] = ()
    model: str | None = None
    no_video: int = 0
    without_frames: int = 0
    absent: frozenset[Path] = frozenset()
    details: int = 0
    subtitles: int = 0
    failed_subtitles: tuple[FileProblem, ...] = ()
    by_others: int = 0
