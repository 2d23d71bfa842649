"""The write side from end to end: files in, searchable clips out."""

import os
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from catalog import Catalog, FilePlace, FileState, Provenance, VideoRecord
from indexer.batches import Embedder, EmbeddingBatches, FilmInProgress
from indexer.errors import reason
from indexer.events import (
    ClipsEmbedded,
    Event,
    FileDone,
    FilmStarted,
    LibraryWalked,
    Outcome,
    Report,
)
from indexer.fingerprint import read_fingerprint
from indexer.readers import FilmReaders
from indexer.reading import (
    ClipRead,
    FilmJob,
    FilmOpened,
    FilmRead,
    FilmReader,
    FilmUnreadable,
    Message,
)
from indexer.records import FailedFile, IndexReport, IndexSettings
from indexer.walk import FoundFile, Walk, find_videos

# Seconds without a new clip after which those that wait are embedded without a full batch: a film
# that is read is not kept from the catalog by a slow one behind it.
PAUSE = 1.0


def ignore_events(_: Event) -> None:
    """Report to nobody."""


def index_library(
    paths: Iterable[Path],
    *,
    catalog: Catalog,
    embedder: Embedder,
    settings: IndexSettings | None = None,
    report: Report = ignore_events,
) -> IndexReport:
    """Bring the catalog up to date with the videos at and below `paths`.

    Each new film is decoded once and committed in one transaction; known files that have not
    changed are not opened; content that is known already, under whatever name, is not decoded;
    files that are gone are forgotten. A file that fails is recorded and listed, and the run goes
    on. After KeyboardInterrupt the run stops and what is committed stays: the report says
    `interrupted`, and another run goes on from there.

    Raises PathMissingError for a path that is not there, CatalogError and whatever the embedder
    raises; films committed before that stay, too.
    """
    settings = settings or IndexSettings()
    run = _Run(catalog=catalog, embedder=embedder, settings=settings, report=report)
    try:
        walk = find_videos(paths, include=settings.include, exclude=settings.exclude)
        if walk.files or catalog.provenance is not None:
            # A folder without films must not decide which model the catalog belongs to.
            catalog.bind(_provenance(embedder, settings))
        run.known = catalog.known_files(walk.roots)
        run.plan(walk)
        run.index_films()
        run.forget_vanished(walk)
    except KeyboardInterrupt:
        run.interrupted = True
    catalog.save_snapshot()
    return run.summary()


def _provenance(embedder: Embedder, settings: IndexSettings) -> Provenance:
    identity = embedder.identity
    return Provenance(
        model=identity.model,
        revision=identity.revision,
        weights_digest=identity.weights_digest,
        dimension=identity.dimension,
        frames_per_clip=identity.frames_per_clip,
        window=settings.window,
        stride=settings.stride,
    )


@dataclass(slots=True, kw_only=True)
class _Run:
    """One run's state: what waits, what is being read, and what has been counted."""

    catalog: Catalog
    embedder: Embedder
    settings: IndexSettings
    report: Report
    known: Mapping[str, FileState] = field(default_factory=dict)
    interrupted: bool = False
    _started: float = field(default_factory=time.monotonic)
    _waiting: deque[FoundFile] = field(default_factory=deque)
    # Places of videos that hold something else now, perhaps what another of them held before.
    _changed: list[FoundFile] = field(default_factory=list)
    # Content that is being read now, with the other places of it that turned up meanwhile.
    _copies: dict[str, list[FilmJob]] = field(default_factory=dict)
    _counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    _found_again: set[int] = field(default_factory=set)
    _failed: list[FailedFile] = field(default_factory=list)
    _removed: int = 0
    _clips: int = 0
    _video_seconds: float = 0.0

    def plan(self, walk: Walk) -> None:
        """Set aside what is known and unchanged; the rest waits for its turn."""
        self._failed.extend(walk.unreadable)
        for file in walk.files:
            state = self.known.get(file.pathname)
            if state is None:
                self._waiting.append(file)
            elif (state.size, state.mtime_ns) != (file.size, file.mtime_ns):
                (self._waiting if state.video_id is None else self._changed).append(file)
            elif state.error is None:
                self._counts[Outcome.UNCHANGED] += 1
            elif self.settings.retry_failed:
                self._waiting.append(file)
            else:
                self._failed.append(FailedFile(path=file.path, error=state.error, tried=False))
        waiting = [*self._waiting, *self._changed]
        waiting_bytes = sum(file.size for file in waiting)
        self.report(LibraryWalked(len(walk.files), len(waiting), waiting_bytes))

    def index_films(self) -> None:
        """Read films in threads, embed their clips here, and commit each film when it is whole."""
        reader = FilmReader(
            prepare=self.embedder.prepare_frame,
            frames=self.embedder.identity.frames_per_clip,
            window=self.settings.window,
            stride=self.settings.stride,
            threads=self._decoder_threads(),
        )
        batches = EmbeddingBatches(embedder=self.embedder, size=self.settings.clips_per_batch)
        workers = self.settings.workers
        capacity = 2 * self.settings.clips_per_batch
        with FilmReaders(reader.read, workers=workers, capacity=capacity) as readers:
            while True:
                # Twice the threads: none has to wait while this thread embeds.
                while readers.unfinished < 2 * workers and (job := self._next_job()):
                    readers.submit(job)
                if not readers.unfinished:
                    break
                message = readers.receive(timeout=PAUSE)
                if message is not None:
                    self._take(message, batches)
                else:
                    self._embedded(batches.flush(), batches)
            self._embedded(batches.flush(), batches)

    def _decoder_threads(self) -> int:
        """Films side by side use the cores best; what too few films leave idle helps each."""
        waiting = len(self._waiting) + len(self._changed)
        films_at_once = min(self.settings.workers, max(waiting, 1))
        return max((os.cpu_count() or 1) // films_at_once, 1)

    def forget_vanished(self, walk: Walk) -> None:
        """Drop the places that are gone, unless all are: then the disk is not there."""
        found = {file.pathname for file in walk.files}
        missing = (Path(pathname) for pathname in self.known if pathname not in found)
        gone = [path for path in missing if _is_gone(path)]
        for root in walk.empty_roots:
            kept = [path for path in gone if path.is_relative_to(root)]
            if kept:
                gone = [path for path in gone if not path.is_relative_to(root)]
                self._failed.append(
                    FailedFile(
                        path=root,
                        error=f"is empty, but {len(kept)} files of it are in the catalog; "
                        "they were kept, as its disk may not be mounted",
                    )
                )
        if gone:
            self.catalog.forget_places(gone)
        self._removed = sum(
            self.known[str(path)].video_id not in self._found_again for path in gone
        )

    def summary(self) -> IndexReport:
        """Everything that was counted, failures in path order."""
        return IndexReport(
            indexed=self._counts[Outcome.INDEXED],
            unchanged=self._counts[Outcome.UNCHANGED],
            moved=self._counts[Outcome.MOVED],
            removed=self._removed,
            failed=tuple(sorted(self._failed, key=lambda failure: failure.path)),
            clips=self._clips,
            video_seconds=self._video_seconds,
            took_seconds=time.monotonic() - self._started,
            interrupted=self.interrupted,
        )

    def _next_job(self) -> FilmJob | None:
        """Fingerprint waiting files until one holds something new; None when none is left."""
        while self._waiting or self._changed:
            if not self._waiting:
                self._place_exchanged()
            elif (job := self._fingerprinted(self._waiting.popleft())) is None:
                continue
            elif (video_id := self.catalog.video_with(job.content.digest)) is not None:
                self._place_known({job: video_id})
            elif job.content.digest in self._copies:
                self._copies[job.content.digest].append(job)
            else:
                self._copies[job.content.digest] = []
                return job
        return None

    def _place_exchanged(self) -> None:
        """Find known content at places that held other content before.

        All in one step, and after the files at new places: a film goes when no place holds it any
        more, and where files took over each other's names, each step alone would drop the next one.
        """
        jobs = [job for file in self._changed if (job := self._fingerprinted(file)) is not None]
        self._changed.clear()
        videos = {job: self.catalog.video_with(job.content.digest) for job in jobs}
        self._place_known({job: video for job, video in videos.items() if video is not None})
        self._waiting.extend(job.file for job, video in videos.items() if video is None)

    def _fingerprinted(self, file: FoundFile) -> FilmJob | None:
        try:
            return FilmJob(file, read_fingerprint(file.path))
        except OSError as error:
            self._fail(file, place=None, error=reason(error))
            return None

    def _take(self, message: Message, batches: EmbeddingBatches) -> None:
        match message:
            case FilmOpened(job=job, video=video):
                batches.open(message)
                self.report(FilmStarted(job.file.path, job.file.size, video.duration))
            case ClipRead():
                self._embedded(batches.add(message), batches)
            case FilmRead(job=job):
                film = batches.film(job)
                film.read = True
                self._commit_if_complete(film, batches)
            case FilmUnreadable(job=job, error=error):
                batches.close(job)
                self._fail(job.file, place=_place(job), error=error)
                # The copies may be sound where this file vanished or changed under our hands.
                self._waiting.extendleft(copy.file for copy in self._copies.pop(job.content.digest))

    def _embedded(self, films: tuple[FilmInProgress, ...], batches: EmbeddingBatches) -> None:
        for film in films:
            reached = film.spans[film.embedded - 1].end
            self.report(ClipsEmbedded(film.job.file.path, film.embedded, reached))
            self._commit_if_complete(film, batches)

    def _commit_if_complete(self, film: FilmInProgress, batches: EmbeddingBatches) -> None:
        if not film.complete:
            return
        job, duration = film.job, film.video.duration
        video_id = self.catalog.add_video(
            _video_record(film), place=_place(job), clips=film.spans, vectors=film.vectors
        )
        batches.close(job)
        self._clips += len(film.spans)
        self._video_seconds += duration
        self._done(job.file, Outcome.INDEXED, clips=len(film.spans), video_seconds=duration)
        self._place_known(dict.fromkeys(self._copies.pop(job.content.digest), video_id))

    def _place_known(self, found: Mapping[FilmJob, int]) -> None:
        if not found:
            return
        self.catalog.add_places({_place(job): video_id for job, video_id in found.items()})
        for job, video_id in found.items():
            before = self.known.get(job.file.pathname)
            same = before is not None and before.video_id == video_id
            if not same:
                self._found_again.add(video_id)
            self._done(job.file, Outcome.UNCHANGED if same else Outcome.MOVED)

    def _fail(self, file: FoundFile, *, place: FilePlace | None, error: str) -> None:
        self._failed.append(FailedFile(path=file.path, error=error))
        self._record_failure(file, place=place, error=error)
        self._done(file, Outcome.FAILED, error=error)

    def _record_failure(self, file: FoundFile, *, place: FilePlace | None, error: str) -> None:
        """Remember a failure of the content until it changes, any other one until the next run.

        That the system refused to read a file (`place` is None then), or that it changed while it
        was read, says nothing about its content: clips that it had stay until there are new ones.
        """
        if place is not None and _is_as(place):
            self.catalog.record_failure(place, error=error)
            return
        known = self.known.get(file.pathname)
        if not _is_gone(file.path) and (known is None or known.video_id is None):
            unlike_any_file = FilePlace(root=file.root, path=file.path, size=-1, mtime_ns=-1)
            self.catalog.record_failure(unlike_any_file, error=error)

    def _done(
        self,
        file: FoundFile,
        outcome: Outcome,
        *,
        clips: int = 0,
        video_seconds: float = 0.0,
        error: str | None = None,
    ) -> None:
        self._counts[outcome] += 1
        self.report(FileDone(file.path, file.size, outcome, clips, video_seconds, error))


def _video_record(film: FilmInProgress) -> VideoRecord:
    video = film.video
    return VideoRecord(
        fingerprint=film.job.content.digest,
        duration=video.duration,
        width=video.width,
        height=video.height,
        frame_rate=video.frame_rate,
        codec=video.codec,
        container=video.container,
    )


def _place(job: FilmJob) -> FilePlace:
    """The file as it was before it was read: a later change is seen by the next run."""
    return FilePlace(
        root=job.file.root,
        path=job.file.path,
        size=job.content.size,
        mtime_ns=job.content.mtime_ns,
    )


def _is_as(place: FilePlace) -> bool:
    """Whether the file still has the size and time of `place`."""
    try:
        state = place.path.stat()
    except OSError:
        return False
    return (state.st_size, state.st_mtime_ns) == (place.size, place.mtime_ns)


def _is_gone(path: Path) -> bool:
    """Whether there is nothing at `path`; False where the system would not tell."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
