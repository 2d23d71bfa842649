"""Which of the files that were found have to be decoded: those whose content is not known yet."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from catalog import NO_VIDEO, Catalog, FilePlace, FileState
from indexer.errors import reason
from indexer.events import LibraryWalked, Outcome
from indexer.file_state import size_and_time
from indexer.fingerprint import read_fingerprint
from indexer.ledger import Ledger
from indexer.other_content import other_content
from indexer.reading import FilmJob
from indexer.records import FailedFile, IndexSettings
from indexer.vanished import UNREAD_SIZE, is_gone
from indexer.walk import FoundFile, Walk

_CHANGED = "changed while it was being read; index again once nobody writes to it any more"


@dataclass(slots=True, kw_only=True)
class Intake:
    """Sorts what was found, and hands out what has to be decoded, film by film."""

    catalog: Catalog
    settings: IndexSettings
    ledger: Ledger
    known: Mapping[str, FileState]
    # Videos that lie at a place where they were not known before.
    found_again: set[int] = field(default_factory=set)
    _waiting: deque[FoundFile] = field(default_factory=deque)
    # Places of videos that hold something else now, perhaps what another of them held before.
    _changed: list[FoundFile] = field(default_factory=list)
    # Content that is being read now, with the other places of it that turned up meanwhile.
    _copies: dict[str, list[FilmJob]] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        """How many files have not been looked into yet."""
        return len(self._waiting) + len(self._changed)

    def sort(self, walk: Walk) -> None:
        """Set aside what is known and unchanged; the rest waits for its turn."""
        for file in walk.files:
            if not self.settings.holds(file.pathname):
                self._sort(file, state=self.known.get(file.pathname))
        waiting = [*self._waiting, *self._changed]
        waiting_bytes = sum(file.size for file in waiting)
        self.ledger.report(LibraryWalked(len(walk.files), len(waiting), waiting_bytes))

    def _sort(self, file: FoundFile, *, state: FileState | None) -> None:
        if state is None:
            self._waiting.append(file)
        elif (state.size, state.mtime_ns) != (file.size, file.mtime_ns):
            (self._waiting if state.video_id is None else self._changed).append(file)
        elif state.error is None:
            self.ledger.unchanged()
        elif self.settings.retry_failed:
            self._waiting.append(file)
        elif state.error.startswith(NO_VIDEO):
            self.ledger.known_as_no_video()
        else:
            failure = FailedFile(path=file.path, error=state.error, tried=False)
            self.ledger.left_alone(failure)

    def next_job(self) -> FilmJob | None:
        """Fingerprint waiting files until one holds something new; None when none is left."""
        while self._waiting or self._changed:
            if not self._waiting:
                self._place_exchanged()
            elif (job := self._fingerprinted(self._waiting.popleft())) is None:
                continue
            elif (what := self._other_content(job)) is not None:
                self._no_video(job, what=what)
            elif (video_id := self.catalog.video_with(job.content.digest)) is not None:
                self._place_known({job: video_id})
            elif job.content.digest in self._copies:
                self._copies[job.content.digest].append(job)
            else:
                self._copies[job.content.digest] = []
                return job
        return None

    def committed(self, job: FilmJob, *, video_id: int) -> None:
        """The film is in the catalog: its copies are known content now."""
        self._place_known(dict.fromkeys(self._copies.pop(job.content.digest), video_id))

    def failed(self, job: FilmJob, *, error: str) -> None:
        """The film cannot be read; its copies get their turn.

        They may be sound where this file vanished or changed under our hands.
        """
        self._fail(job.file, place=place_of(job), error=error)
        self._let_copies_follow(job)

    def no_video(self, job: FilmJob, *, what: str) -> None:
        """The file that was read is something else than a video, and so are its copies."""
        self._no_video(job, what=what)
        for copy in self._copies.pop(job.content.digest):
            self._no_video(copy, what=what)

    def _no_video(self, job: FilmJob, *, what: str) -> None:
        error = f"{NO_VIDEO}{what}"
        self._record_failure(job.file, place=place_of(job), error=error)
        self.ledger.no_video(job.file, error=error)

    def _other_content(self, job: FilmJob) -> str | None:
        try:
            return other_content(job.file.path)
        except OSError:
            return None  # whoever reads it next is told

    def changed(self, job: FilmJob) -> None:
        """The file holds something else by now: what was read of it is neither old nor new.

        Its copies may still be sound, and get their turn.
        """
        self._fail(job.file, place=None, error=_CHANGED)
        self._let_copies_follow(job)

    def _let_copies_follow(self, job: FilmJob) -> None:
        self._waiting.extendleft(copy.file for copy in self._copies.pop(job.content.digest))

    def note_unreadable(self, walk: Walk) -> None:
        """List what the system would not show, and keep account of it until it does.

        A video that was indexed at such a place stays: nothing is known against it.
        """
        for failure in walk.unreadable:
            self.ledger.left_alone(failure)
            known = self.known.get(str(failure.path))
            if known is None or known.error not in (None, failure.error):
                place = _unread(failure.path, root=self._root_of(failure.path, walk))
                self.catalog.record_failure(place, error=failure.error)

    def _root_of(self, path: Path, walk: Walk) -> Path:
        """The folder that a path belongs to, as `FoundFile.root` has it."""
        roots = (*self.settings.within, *walk.roots)
        return next((root for root in roots if root in path.parents), path.parent)

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

    def _place_known(self, found: Mapping[FilmJob, int]) -> None:
        if not found:
            return
        self.catalog.add_places({place_of(job): video_id for job, video_id in found.items()})
        for job, video_id in found.items():
            before = self.known.get(job.file.pathname)
            same = before is not None and before.video_id == video_id
            if not same:
                self.found_again.add(video_id)
            self.ledger.found(job.file, Outcome.UNCHANGED if same else Outcome.MOVED)

    def _fail(self, file: FoundFile, *, place: FilePlace | None, error: str) -> None:
        self._record_failure(file, place=place, error=error)
        self.ledger.failed(file, error=error)

    def _record_failure(self, file: FoundFile, *, place: FilePlace | None, error: str) -> None:
        """Remember a failure of the content until it changes, any other one until the next run.

        That the system refused to read a file (`place` is None then), or that it changed while it
        was read, says nothing about its content: clips that it had stay until there are new ones.
        """
        if place is not None and _is_as(place):
            self.catalog.record_failure(place, error=error)
            return
        known = self.known.get(file.pathname)
        if not is_gone(file.path) and (known is None or known.video_id is None):
            self.catalog.record_failure(_unread(file.path, root=file.root), error=error)


def place_of(job: FilmJob) -> FilePlace:
    """The file as it was before it was read: a later change is seen by the next run."""
    return FilePlace(
        root=job.file.root,
        path=job.file.path,
        size=job.content.size,
        mtime_ns=job.content.mtime_ns,
    )


def holds_something_else(job: FilmJob) -> bool:
    """Whether the file is there, with other content than when its turn came.

    One that is gone was read through its open end, and may turn up under another name.
    """
    try:
        return not _is_as(place_of(job)) and (
            read_fingerprint(job.file.path).digest != job.content.digest
        )
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def _unread(path: Path, *, root: Path) -> FilePlace:
    return FilePlace(root=root, path=path, size=UNREAD_SIZE, mtime_ns=0)


def _is_as(place: FilePlace) -> bool:
    """Whether the file still has the size and time of `place`."""
    try:
        state = place.path.stat()
    except OSError:
        return False
    return size_and_time(state) == (place.size, place.mtime_ns)
