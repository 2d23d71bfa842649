"""Queue of what is read beside pictures: details of known videos, and changed subtitle files."""

import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from catalog import Catalog, FileProblem, FileState, SubtitleFile, SubtitleState, VideoDetails
from indexer.counters import RunCounters
from indexer.decode.details_reader import DetailsReader
from indexer.decode.messages import Message, VideoUnreadable
from indexer.decode.pool import DecodePool
from indexer.details.names import video_of
from indexer.events import ReadingDetails
from indexer.scan.jobs import DetailsJob, Job, SubtitleJob
from indexer.scan.missing import is_gone
from indexer.scan.walk import FoundFile, Walk
from indexer.settings import IndexSettings
from indexer.storage import Storage

_AT_ONCE = 200  # results in one transaction: each waits for the disk
_SECONDS = 2.0  # that results wait for others at most
_WAIT = 1.0  # seconds for a message


@dataclass(slots=True, kw_only=True)
class DetailsQueue:
    """Queue of light jobs. What cannot be read is asked once in a run, and no video fails by it."""

    catalog: Catalog
    settings: IndexSettings
    counters: RunCounters
    walk: Walk
    _storage: Storage = field(init=False)
    _waiting: deque[Job] = field(default_factory=deque)
    # Of each file of a video that has any: the subtitle files beside it.
    _beside: dict[str, list[SubtitleJob]] = field(default_factory=dict)
    _unlooked: set[str] = field(default_factory=set)
    _details: dict[int, VideoDetails] = field(default_factory=dict)
    _subtitles: list[SubtitleFile] = field(default_factory=list)
    _stored_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._storage = Storage(self.walk)
        for job in _jobs_beside(self.walk):
            for pathname in job.beside:
                self._beside.setdefault(pathname, []).append(job)
        self._unlooked = set(self._beside)

    def read_known(self, known: Mapping[str, FileState], *, lacking: Iterable[DetailsJob]) -> None:
        """Read what is missing of known files: of those `lacking` details, and beside any.

        This is done in processes of its own: no model is needed for it.
        """
        self._waiting.extend(lacking)
        self._look(known)
        self._read_all()

    def look_beside(self, pathname: str) -> None:
        """Read the subtitle files beside a video that has just been indexed."""
        if pathname in self._unlooked:
            self._unlooked.remove(pathname)
            self._waiting.extend(self._beside[pathname])

    def read_rest(self) -> None:
        """Read what lies beside files that have become known in this run, such as moved ones."""
        if self._unlooked:
            folders = {Path(pathname).parent for pathname in self._unlooked}
            self._look(self.catalog.known_files(folders))
        self._read_all()

    def next_job(self) -> Job | None:
        """Take the next job; None when there is none."""
        return self._waiting.popleft() if self._waiting else None

    def take(self, job: Job, message: Message) -> None:
        """Take what was read for a job; it is stored a little later."""
        match message:
            case VideoDetails() if isinstance(job, DetailsJob):
                self._details[job.video_id] = message
                self.counters.details_read()
            case SubtitleFile():
                self._keep(message)
            case VideoUnreadable(error=error, unread=unread) if isinstance(job, SubtitleJob):
                if unread:
                    self._storage.require(job.file, error=error)
                self._keep(_without_cues(job, error=error))
        overdue = time.monotonic() - self._stored_at > _SECONDS
        if overdue or len(self._details) + len(self._subtitles) >= _AT_ONCE:
            self.store()

    def store(self) -> None:
        """Store everything that was read so far."""
        if self._details:
            self.catalog.details.put(self._details)
        if self._subtitles:
            self.catalog.details.put_subtitle_files(self._subtitles)
        self._details, self._subtitles, self._stored_at = {}, [], time.monotonic()

    def _look(self, known: Mapping[str, FileState]) -> None:
        """Compare the subtitle files beside known files of videos with the catalog."""
        stored = self.catalog.details.subtitle_files(self.walk.paths)
        there = [
            name
            for name in sorted(self._unlooked | stored.keys())
            if name in known and known[name].video_id is not None
        ]
        self._add_changed(there, stored)
        self._remove_gone(there, stored)

    def _read_all(self) -> None:
        if not self._waiting:
            self.store()
            return
        files, done = len(self._waiting), 0
        pool = DecodePool(
            DetailsReader(), workers=self.settings.workers, timeout=self.settings.decode_timeout
        )
        try:
            with closing(pool):
                while self._waiting or pool.unfinished:
                    while pool.unfinished < 2 * self.settings.workers and (job := self.next_job()):
                        pool.submit(job)
                    if received := pool.receive(timeout=_WAIT):
                        self.take(*received)
                        done += 1
                        self.counters.record(ReadingDetails(done, files))
        finally:
            self.store()

    def _keep(self, subtitles: SubtitleFile) -> None:
        self._subtitles.append(subtitles)
        if subtitles.error is not None:
            self.counters.subtitles_failed(FileProblem(subtitles.path, subtitles.error))
        else:
            self.counters.subtitles_read()

    def _add_changed(
        self, videos: Iterable[str], stored: Mapping[str, Mapping[str, SubtitleState]]
    ) -> None:
        changed: dict[str, SubtitleJob] = {}
        failed: dict[str, str] = {}
        for pathname in videos:
            self._unlooked.discard(pathname)
            for job in self._beside.get(pathname, ()):
                if self.walk.defers(job.file.pathname):
                    continue
                state = stored.get(pathname, {}).get(_name(job))
                if (
                    state is None
                    or (state.size, state.mtime_ns)
                    != (
                        job.file.size,
                        job.file.mtime_ns,
                    )
                    or (state.error is not None and self.settings.retry_failed)
                ):
                    changed[job.file.pathname] = job
                elif state.error is not None:
                    failed[job.file.pathname] = state.error
        self._waiting.extend(changed.values())
        for pathname, error in failed.items():
            if pathname not in changed:
                self.counters.subtitles_failed(FileProblem(Path(pathname), error))

    def _remove_gone(
        self, videos: Iterable[str], stored: Mapping[str, Mapping[str, SubtitleState]]
    ) -> None:
        gone: dict[Path, list[str]] = {}
        for pathname in videos:
            found = {_name(job) for job in self._beside.get(pathname, ())}
            for name in stored.get(pathname, {}).keys() - found:
                path = Path(pathname).with_name(name)
                if not self.walk.defers(str(path)) and is_gone(path):
                    gone.setdefault(Path(pathname), []).append(name)
        if gone:
            self.catalog.details.remove_subtitle_files(gone)


def _jobs_beside(walk: Walk) -> Iterable[SubtitleJob]:
    """A job for each subtitle file beside a video, with all the videos of that name."""
    if not walk.subtitles:
        return
    folders = {file.pathname.rpartition("/")[0] for file in walk.subtitles}
    videos: dict[str, dict[str, list[str]]] = {folder: {} for folder in folders}
    for file in walk.files:
        folder, _, name = file.pathname.rpartition("/")
        if folder in videos:
            videos[folder].setdefault(name.rpartition(".")[0], []).append(file.pathname)
    for file in walk.subtitles:
        folder, _, name = file.pathname.rpartition("/")
        found = video_of(name.rpartition(".")[0], videos[folder])
        if found is not None:
            stem, language = found
            yield SubtitleJob(file, tuple(videos[folder][stem]), language)


def _name(job: SubtitleJob) -> str:
    return job.file.pathname.rpartition("/")[2]  # a Path for each costs more than the comparison


def _without_cues(job: SubtitleJob, *, error: str) -> SubtitleFile:
    file: FoundFile = job.file
    beside = tuple(map(Path, job.beside))
    return SubtitleFile(file.path, file.size, file.mtime_ns, beside, job.language, error=error)
