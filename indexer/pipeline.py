"""The write side from end to end: files in, searchable clips out."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from catalog import (
    Catalog,
    CatalogStorageError,
    FileLocation,
    PartialVideo,
    Provenance,
    VideoRecord,
    true_path,
)
from indexer.counters import RunCounters
from indexer.decode.clip_reader import ClipReader
from indexer.decode.messages import (
    ClipRead,
    Message,
    VideoChanged,
    VideoMeasured,
    VideoOpened,
    VideoRead,
    VideoUnreadable,
)
from indexer.decode.pool import DecodePool
from indexer.embed.batches import Batcher, VideoInProgress
from indexer.embed.threads import ClipEmbedder, ClipSpec, EmbedderPool, ModelLoader
from indexer.events import ClipsEmbedded, FileDone, Outcome, VideoStarted, Walking
from indexer.report import IndexReport
from indexer.scan.jobs import VideoJob
from indexer.scan.missing import is_gone, missing_files
from indexer.scan.recognition import is_unchanged
from indexer.scan.triage import WorkQueue, location_of
from indexer.scan.walk import Walk, find_videos
from indexer.settings import IndexSettings
from machine import usable_cores
from machine.presence import is_there

# Seconds without a new clip after which those that wait are embedded without a full batch: a film
# that is read is not kept from the catalog by a slow one behind it.
PAUSE = 1.0


def index_library(
    paths: Iterable[Path],
    *,
    catalog: Catalog,
    model: ModelLoader,
    settings: IndexSettings | None = None,
    counters: RunCounters | None = None,
) -> IndexReport:
    """Bring the catalog up to date with the videos at and below `paths`.

    Each new film is decoded once, in a process of its own, and committed in one transaction; known
    files that have not changed are not opened; content that is known already, under whatever name,
    is read to prove it, but not decoded; of files that were moved, size, time and a sample are
    proof enough. Files that are gone are forgotten, unless their disk is not there. A file that
    fails, or whose decoder crashes or hangs, is recorded and listed, and the run goes on. The model
    is loaded while the first film is decoded, and not at all if there is none.

    After KeyboardInterrupt the run stops and what is committed stays: the report says
    `interrupted`, and another run goes on from there, also in the middle of a long film. The same
    holds when the process is killed, but for what the last `save_every` seconds made of a film.

    Raises PathMissingError for a path that is not there and of which nothing is known,
    CatalogError, WorkerStartError and whatever the model raises; videos committed before that
    stay, too.
    """
    settings = settings or IndexSettings()
    counters = counters or RunCounters()
    began = time.monotonic()
    interrupted = False
    try:
        _require_same_cut(catalog, settings)
        present, missing = _split(paths, catalog)
        walk = find_videos(
            present,
            include=settings.include,
            exclude=settings.exclude,
            within=settings.within,
            ignore_files=settings.ignore_files,
            on_progress=lambda files: counters.record(Walking(files)),
        )
        known = catalog.known_files([*walk.roots, *missing])
        if settings.held:
            known = {name: known[name] for name in known if not settings.holds(name)}
        catalog.note_mounts(walk.mounts)
        queue = WorkQueue(catalog=catalog, settings=settings, counters=counters, known=known)
        queue.sort(walk)
        _Indexing(
            catalog=catalog,
            settings=settings,
            counters=counters,
            queue=queue,
            model=model,
        ).run()
        _remove_missing(catalog, queue, walk=walk, missing=missing)
    except KeyboardInterrupt:
        interrupted = True
    unsaved = _save_snapshot(catalog)
    made_by = catalog.provenance
    return counters.report(
        took_seconds=time.monotonic() - began,
        interrupted=interrupted,
        unsaved=unsaved,
        model=None if made_by is None else made_by.model,
    )


def _save_snapshot(catalog: Catalog) -> str | None:
    """Why it could not be saved: that loses nothing, and must not hide what the run has done."""
    try:
        catalog.save_snapshot()
    except CatalogStorageError as error:
        return str(error)
    return None


def _require_same_cut(catalog: Catalog, settings: IndexSettings) -> None:
    """Refuse another window or stride before anything is read."""
    made_by = catalog.provenance
    if made_by is not None:
        catalog.check(replace(made_by, window=settings.window, stride=settings.stride))


def _split(paths: Iterable[Path], catalog: Catalog) -> tuple[list[Path], list[Path]]:
    """The paths that are there, and those that are not but hold files that are known."""
    present, missing = [], []
    for path in paths:
        absolute = true_path(path)
        if is_there(absolute) or not catalog.known_files([absolute]):
            present.append(path)
        else:
            missing.append(absolute)
    return present, missing


def _remove_missing(
    catalog: Catalog, queue: WorkQueue, *, walk: Walk, missing: Iterable[Path]
) -> None:
    known, settings = queue.known, queue.settings
    under = [*walk.roots, *missing]
    unfinished = {path for path in catalog.partial_paths(under) if not settings.holds(str(path))}
    vanished = missing_files(
        known,
        unfinished=unfinished,
        walk=walk,
        missing_roots=missing,
        noted_mounts=catalog.mounts(under),
    )
    for folder in vanished.absent:
        queue.counters.absent(folder)
    queue.counters.left_out(vanished.left_out)
    if vanished.gone or vanished.recovered:
        catalog.remove_files([*vanished.gone, *vanished.recovered])
    catalog.remove_partials([path for path in unfinished if _is_finished(path, catalog)])
    queue.counters.removed(
        sum(
            known[str(path)].video_id not in queue.found_again
            for path in vanished.gone
            if str(path) in known
        )
    )


def _is_finished(path: Path, catalog: Catalog) -> bool:
    """Whether a file holds a video of the catalog, so that nothing there is to be gone on with."""
    state = catalog.known_files([path]).get(str(path))
    place = state and FileLocation(path.parent, path, state.size, state.mtime_ns)
    return bool(state and state.video_id and place and is_unchanged(place))


@dataclass(slots=True, kw_only=True)
class _Indexing:
    """Films on their way from the readers through the model into the catalog."""

    catalog: Catalog
    settings: IndexSettings
    counters: RunCounters
    queue: WorkQueue
    model: ModelLoader
    _drafts: dict[VideoJob, PartialVideo] = field(default_factory=dict)
    _model_checked: bool = False

    def run(self) -> None:
        """Read films in processes, embed their clips here, and commit each film when it is whole.

        The model is only loaded for a film that has to be decoded.
        """
        job = self._next_job()
        if job is None:
            return
        clip_format = self.model.clip_format()
        with EmbedderPool(self.model, limit=self.settings.clips_per_batch) as encoder:
            batches = Batcher(encoder=encoder, dim=clip_format.dim)
            try:
                with self._readers(clip_format) as readers:
                    self._submit(job, readers, batches)
                    self._index_films(readers, batches)
            except KeyboardInterrupt:
                self._save_drafts(batches, older_than=0.0)
                raise

    def _index_films(self, readers: DecodePool, batches: Batcher) -> None:
        """Hear the readers whenever there is room for what they say; else they wait, slots full."""
        while True:
            self._embedded(batches)
            batches.submit()
            self._save_drafts(batches, older_than=self.settings.save_every)
            # Twice the readers: each finds its next film waiting.
            while readers.unfinished < 2 * self.settings.workers and (job := self._next_job()):
                self._submit(job, readers, batches)
            if not readers.unfinished:
                batches.submit(least=1)
                if batches.is_empty:
                    return
            if batches.is_full or not readers.unfinished:
                batches.wait()
            elif received := readers.receive(timeout=PAUSE, bell=batches.encoder.bell):
                self._take(*received, batches)
            elif not batches.encoder.in_flight:
                batches.submit(least=1)

    def _submit(self, job: VideoJob, readers: DecodePool, batches: Batcher) -> None:
        if not job.fingerprint_only:
            batches.encoder.start()  # which takes seconds, in which the first clips are read
        readers.submit(job)

    def _readers(self, clip_format: ClipSpec) -> DecodePool:
        workers = self.settings.workers
        reader = ClipReader(
            processor=clip_format.processor,
            frames=clip_format.frames_per_clip,
            window=self.settings.window,
            stride=self.settings.stride,
            sampling=self.settings.sampling,
            threads=self._decoder_threads(),
            accelerator=self.settings.accelerator,
        )
        return DecodePool(
            reader,
            workers=workers,
            slots=max(2 * self.settings.clips_per_batch // workers, 2),
            frame_shape=(clip_format.image_size, clip_format.image_size, 3),
            patience=self.settings.patience,
        )

    def _decoder_threads(self) -> int:
        """Films side by side use the cores best; what too few films leave idle helps each."""
        films_at_once = min(self.settings.workers, self.queue.waiting + 1)
        return max(usable_cores() // films_at_once, 1)

    def _next_job(self) -> VideoJob | None:
        """The next film to decode, with what an earlier run has embedded of it."""
        job = self.queue.next_job()
        if job is None or job.fingerprint_only:
            return job
        draft = self.catalog.partial(job.sample.digest)
        if draft is None:
            return job
        job = replace(
            job,
            ready=frozenset(draft.spans),
            ready_of=draft.fingerprint,
            ready_duration=draft.duration,
        )
        self._drafts[job] = draft
        return job

    def _take(self, job: VideoJob, message: Message, batches: Batcher) -> None:
        match message:
            case VideoOpened():
                draft = self._drafts.pop(job, None)
                film = batches.open(job, message, draft=draft)
                if draft is not None and draft.fingerprint == message.content.fingerprint:
                    self._save_draft(film, clips=[])  # it may have lain elsewhere
                resumed = film.seconds_reached
                self.counters.record(
                    VideoStarted(job.file.path, job.file.size, message.video.duration, resumed)
                )
            case ClipRead():
                batches.add(job, message)
            case VideoRead(damage=damage):
                film = batches.film(job)
                film.finish_reading(damage)
                self._commit_if_complete(film, batches)
            case VideoMeasured(content=content):
                self.queue.measured(job, content)
            case VideoChanged():
                batches.close(job)
                self.queue.changed(job)
            case VideoUnreadable(error=error, is_video=True):
                self._save_drafts(batches, older_than=0.0)  # for the next try
                batches.close(job)
                self.queue.failed(job, error=error)
            case VideoUnreadable(error=what):
                batches.close(job)
                self.queue.no_video(job, what=f"it {what}")

    def _embedded(self, batches: Batcher) -> None:
        """Go on with the films that got vectors meanwhile."""
        for film in batches.collect():
            self._check_model(batches)
            self.counters.record(
                ClipsEmbedded(film.job.file.path, film.embedded, film.seconds_reached)
            )
            self._commit_if_complete(film, batches)

    def _commit_if_complete(self, film: VideoInProgress, batches: Batcher) -> None:
        if not film.complete:
            return
        self._bind(batches)
        self.catalog.add_video(
            _video_record(film), location=_location_of(film), clips=film.spans, vectors=film.vectors
        )
        batches.close(film.job)
        file = film.job.file
        self.counters.record(
            FileDone(
                file.path,
                file.size,
                Outcome.INDEXED,
                clips=len(film.spans),
                video_seconds=film.video.duration,
                damage=film.damage,
            )
        )
        self.queue.committed(film.job)

    def _save_drafts(self, batches: Batcher, *, older_than: float) -> None:
        """Keep what is embedded of films that take long: nobody waits for the same film twice."""
        for film in batches.films:
            clips = film.take_unsaved(older_than=older_than)
            place = _location_of(film)
            # What was read of another state is of no use; one that is gone may turn up elsewhere.
            if clips and (is_unchanged(place) or is_gone(place.path)):
                self._bind(batches)
                self._save_draft(film, clips=clips)

    def _save_draft(self, film: VideoInProgress, *, clips: list[int]) -> None:
        self.catalog.add_to_partial(
            film.content.fingerprint,
            sample=film.content.sample.digest,
            location=_location_of(film),
            duration=film.video.duration,
            clips=[film.spans[clip] for clip in clips],
            vectors=film.vectors[clips],
            damage=film.damage,
        )

    def _check_model(self, batches: Batcher) -> None:
        """Refuse another model than the catalog's before its vectors pile up, not after that."""
        if not self._model_checked:
            embedder = batches.encoder.embedder()
            self.catalog.check(provenance_of(embedder, settings=self.settings))
            self._model_checked = True

    def _bind(self, batches: Batcher) -> None:
        """Only what is really there decides which model the catalog belongs to."""
        embedder = batches.encoder.embedder()
        self.catalog.bind(provenance_of(embedder, settings=self.settings))


def provenance_of(embedder: ClipEmbedder, *, settings: IndexSettings) -> Provenance:
    """What a catalog has to remember of vectors that are made with both."""
    identity = embedder.identity
    return Provenance(
        model=identity.model,
        revision=identity.revision,
        model_digest=identity.model_digest,
        dimension=identity.dim,
        frames_per_clip=identity.frames_per_clip,
        window=settings.window,
        stride=settings.stride,
    )


def _location_of(film: VideoInProgress) -> FileLocation:
    return location_of(film.job.file, film.content.sample)


def _video_record(film: VideoInProgress) -> VideoRecord:
    return VideoRecord(
        fingerprint=film.content.fingerprint,
        sample=film.content.sample.digest,
        **film.video.facts(),
        damage=film.damage,
    )
