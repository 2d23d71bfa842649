"""The write side from end to end: files in, searchable clips out."""

import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from catalog import (
    Catalog,
    true_path,
)
from indexer.claims import videos_without_frames
from indexer.counters import RunCounters
from indexer.decode.clip_reader import ClipReader
from indexer.decode.messages import (
    ClipRead,
    Message,
    VideoChanged,
    VideoOpened,
    VideoRead,
    VideoUnreadable,
)
from indexer.decode.pool import DecodePool
from indexer.details.queue import DetailsQueue
from indexer.embed.batches import Batcher, VideoInProgress
from indexer.embed.binding import Binding
from indexer.embed.distinct_frames import distinct_frames
from indexer.embed.partials import Partials
from indexer.embed.threads import ClipSpec, EmbedderPool, ModelLoader
from indexer.events import ClipsEmbedded, FileDone, Outcome, VideoStarted, WaitingForOthers, Walking
from indexer.housekeeping import remove_missing, save_snapshot
from indexer.report import IndexReport
from indexer.scan.fingerprint import Content
from indexer.scan.jobs import Job, VideoJob
from indexer.scan.triage import WorkQueue
from indexer.scan.walk import find_videos
from indexer.settings import IndexSettings
from machine import usable_cores
from machine.presence import is_there

# Seconds without a new clip after which those that wait are embedded without a full batch: a video
# that is decoded is not kept from the catalog by a slow one behind it.
PAUSE = 1.0
# Seconds between two looks at what other runs are doing, while there is nothing else to do.
_LOOK = 0.1


def index_library(
    paths: Iterable[Path],
    *,
    catalog: Catalog,
    model: ModelLoader,
    settings: IndexSettings | None = None,
    counters: RunCounters | None = None,
) -> IndexReport:
    """Bring the catalog up to date with the videos at and below `paths`.

    Each new video is decoded once, in a process of its own, and committed in one transaction; known
    files that have not changed are not opened; content that is known already, under whatever name,
    is read to prove it, but not decoded; of files that were moved, size, time and a sample are
    proof enough. Files that are gone are forgotten, unless their disk is not there. A file that
    fails, or whose decoder crashes or hangs, is recorded and listed, and the run goes on. The model
    is loaded while the first video is decoded, and not at all if there is none.

    After KeyboardInterrupt the run stops and what is committed stays: the report says
    `interrupted`, and another run goes on from there, also in the middle of a long video. The same
    holds when the process is killed, but for what the last `save_every` seconds made of a video.

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
            roots=settings.roots,
            ignore_files=settings.ignore_files,
            on_progress=lambda files: counters.record(Walking(files)),
        )
        if settings.defer is not None:
            walk = replace(walk, deferred=frozenset(map(str, settings.defer(walk))))
        known = catalog.known_files([*walk.paths, *missing])
        if walk.deferred:
            known = {name: known[name] for name in known if not walk.defers(name)}
        catalog.note_mounts(walk.mounts)
        queue = WorkQueue(catalog=catalog, settings=settings, counters=counters, known=known)
        queue.sort(walk)
        details = DetailsQueue(catalog=catalog, settings=settings, counters=counters, walk=walk)
        details.read_known(known, lacking=queue.lacking_details.values())
        _Indexing(
            catalog=catalog,
            settings=settings,
            counters=counters,
            queue=queue,
            details=details,
            model=model,
        ).run()
        details.read_rest()
        remove_missing(catalog, queue, walk=walk, missing=missing)
    except KeyboardInterrupt:
        interrupted = True
    unsaved = save_snapshot(catalog)
    made_by = catalog.provenance
    return counters.report(
        took_seconds=time.monotonic() - began,
        interrupted=interrupted,
        unsaved=unsaved,
        model=None if made_by is None else made_by.model,
        without_frames=len(videos_without_frames(catalog)),
    )


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


@dataclass(slots=True, kw_only=True)
class _Indexing:
    """Videos on their way from the decode pool through the model into the catalog."""

    catalog: Catalog
    settings: IndexSettings
    counters: RunCounters
    queue: WorkQueue
    details: DetailsQueue
    model: ModelLoader
    _partials: Partials = field(init=False)
    _binding: Binding = field(init=False)
    _awaited: int = 0  # files that other runs were at, as told last

    def __post_init__(self) -> None:
        self._partials = Partials(self.catalog)

    def run(self) -> None:
        """Decode videos in processes, embed their clips in threads, commit each complete video.

        The model is loaded only for a video that has to be decoded.
        """
        while (job := self._next_job()) is None:
            if not self._waits_for_others():
                return
            time.sleep(_LOOK)
        clip_format = self.model.clip_format()
        with closing(EmbedderPool(self.model)) as pool:
            self._binding = Binding(self.catalog, self.settings, pool)
            batcher = Batcher(pool, dim=clip_format.dim)
            try:
                with closing(self._decode_pool(clip_format)) as decoders:
                    self._submit(job, decoders, batcher)
                    self._index_videos(decoders, batcher)
            except KeyboardInterrupt:
                self._save_partials(batcher, older_than=0.0)
                self.queue.claims.release_all()
                raise

    def _index_videos(self, decoders: DecodePool, batcher: Batcher) -> None:
        """Main loop: dispatch videos, batch their clips, commit complete ones.

        Nothing is received while the batcher is full: workers block then, their pipes full.
        """
        while True:
            self._store_embedded(batcher)
            batcher.submit()
            self._save_partials(batcher, older_than=self.settings.save_every)
            while decoders.unfinished < self._most_at_once() and (job := self._next_job()):
                self._submit(job, decoders, batcher)
            if not decoders.unfinished:
                batcher.submit(least=1)
                if batcher.is_empty:
                    if not self._waits_for_others():
                        return
                    time.sleep(_LOOK)
                    continue
            if batcher.is_full or not decoders.unfinished:
                batcher.wait()
            elif received := decoders.receive(timeout=PAUSE, wakeup=batcher.pool.wakeup):
                self._take(*received, batcher)
            elif not batcher.pool.in_flight:
                batcher.submit(least=1)

    def _most_at_once(self) -> int:
        """Videos that are given to the workers: each finds its next one waiting.

        What waits here, other runs on the same catalog cannot do.
        """
        workers = self.settings.workers
        return workers + 1 if self.catalog.claims.shared else 2 * workers

    def _waits_for_others(self) -> bool:
        """Whether other runs are at the rest, which this one takes over where they end."""
        files = self.queue.claims.of_others
        if files != self._awaited:
            self._awaited = files
            self.counters.record(WaitingForOthers(files))
        return files > 0

    def _submit(self, job: Job, decoders: DecodePool, batcher: Batcher) -> None:
        if isinstance(job, VideoJob) and not job.fingerprint_only:
            batcher.pool.start()  # loading takes seconds, in which the first clips are decoded
        decoders.submit(job)

    def _decode_pool(self, clip_format: ClipSpec) -> DecodePool:
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
            reader, workers=self.settings.workers, timeout=self.settings.decode_timeout
        )

    def _decoder_threads(self) -> int:
        """Threads of one decoder: videos side by side use the cores best, idle ones help each."""
        videos_at_once = min(self.settings.workers, self.queue.waiting + 1)
        return max(usable_cores() // videos_at_once, 1)

    def _next_job(self) -> Job | None:
        """Next subtitles to read, or next video to decode, with clips that are embedded already."""
        subtitles = self.details.next_job()
        if subtitles is not None:
            return subtitles
        job = self.queue.next_job()
        if job is None or job.fingerprint_only:
            return job
        return self._partials.gone_on_with(job)

    def _take(self, job: Job, message: Message, batcher: Batcher) -> None:
        if not isinstance(job, VideoJob):
            self.details.take(job, message)
            return
        match message:
            case VideoOpened():
                self._awaited = 0
                partial = self._partials.take(job)
                video = batcher.open(job, message, partial=partial)
                if partial is not None and partial.fingerprint == message.record.fingerprint:
                    self._partials.save(video, clips=[])  # it may have lain elsewhere
                resumed = video.seconds_reached
                self.counters.record(
                    VideoStarted(job.file.path, job.file.size, message.record.duration, resumed)
                )
            case ClipRead():
                batcher.add(job, message)
            case _:
                self._end(job, message, batcher)

    def _end(self, job: VideoJob, message: Message, batcher: Batcher) -> None:
        """Take the last message of a video, unless the storage is to blame for it."""
        match message:
            case VideoRead(cut_short=True) | Content(cut_short=True):
                self.queue.storage.require(job.file, error="cannot be read to its end")
            case (
                VideoUnreadable(error=error, unread=True) | VideoUnreadable(error=error, hung=True)
            ):
                self._save_partials(batcher, older_than=0.0)
                self.queue.storage.require(job.file, error=error)
        match message:
            case VideoRead(damage=damage):
                video = batcher.video(job)
                video.finish_reading(damage)
                self._commit_if_complete(video, batcher)
            case Content():
                self.queue.measured(job, message)
            case VideoChanged():
                batcher.close(job)
                self.queue.changed(job)
            case VideoUnreadable(error=error, is_video=True, unread=unread):
                self._save_partials(batcher, older_than=0.0)  # for the next try
                batcher.close(job)
                self.queue.failed(job, error=error, unread=unread)
            case VideoUnreadable(error=what):
                batcher.close(job)
                self.queue.no_video(job, what=f"it {what}")

    def _save_partials(self, batcher: Batcher, *, older_than: float) -> None:
        self._partials.save_all(batcher.videos, binding=self._binding, older_than=older_than)

    def _store_embedded(self, batcher: Batcher) -> None:
        """Store new vectors, and commit the videos that are complete by them."""
        for video in batcher.collect():
            self._binding.check()
            self.counters.record(
                ClipsEmbedded(video.job.file.path, video.embedded, video.seconds_reached)
            )
            self._commit_if_complete(video, batcher)

    def _commit_if_complete(self, video: VideoInProgress, batcher: Batcher) -> None:
        if not video.complete:
            return
        self._binding.bind()
        self.catalog.add_video(
            video.record,
            location=video.location,
            clips=video.spans,
            vectors=video.vectors,
            frames=distinct_frames(video.spans, video.frames),
        )
        batcher.close(video.job)
        file = video.job.file
        self.counters.record(
            FileDone(
                file.path,
                file.size,
                Outcome.INDEXED,
                clips=len(video.spans),
                video_seconds=video.record.duration,
                damage=video.record.damage,
            )
        )
        self.queue.committed(video.job)
        self.details.look_beside(file.pathname)
