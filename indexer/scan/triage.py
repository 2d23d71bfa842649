"""Triage of the files that were found: only unknown content has to be decoded."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from catalog import (
    NO_VIDEO,
    Catalog,
    FileLocation,
    FileProblem,
    FileState,
    SampleMatch,
    VideoGoneError,
)
from indexer.claims import FilmClaims, videos_without_frames
from indexer.counters import RunCounters
from indexer.errors import reason
from indexer.events import FileDone, LibraryWalked, Outcome
from indexer.scan.fingerprint import Content, Sample, read_sample
from indexer.scan.jobs import DetailsJob, VideoJob, location_of
from indexer.scan.missing import UNREAD_SIZE, is_gone
from indexer.scan.other_content import other_content
from indexer.scan.recognition import is_unchanged, moved_video, witness_of
from indexer.scan.timeout import call_with_timeout
from indexer.scan.walk import FoundFile, Walk
from indexer.settings import IndexSettings
from indexer.storage import Storage
from machine.paths import enclosing

_CHANGED = "changed while it was being read; index again once nobody writes to it any more"


class _Recognised(NamedTuple):
    """File whose content is a video of the catalog."""

    file: FoundFile
    place: FileLocation
    video_id: int


@dataclass(slots=True, kw_only=True)
class WorkQueue:
    """Queue of the files that have to be read, sorted by what is known of them.

    A file whose sample no video has is decoded at once. One that may hold a known video is measured
    first: read whole for its fingerprint.
    """

    catalog: Catalog
    settings: IndexSettings
    counters: RunCounters
    known: Mapping[str, FileState]
    claims: FilmClaims = field(init=False)
    storage: Storage = field(init=False)
    # Videos that lie at a place where they were not known before.
    found_again: set[int] = field(default_factory=set)
    _waiting: deque[FoundFile] = field(default_factory=deque)
    # Known places whose content is another now, perhaps that of another known place.
    _changed: deque[FoundFile] = field(default_factory=deque)
    # Samples of what is being read now, with the files like it that turned up meanwhile.
    _alike: dict[str, list[FoundFile]] = field(default_factory=dict)
    # What is being measured; for places of videos without a fingerprint, whose it will be.
    _measured: dict[VideoJob, int | None] = field(default_factory=dict)
    _tried: set[int] = field(default_factory=set)
    # Videos that are to get frame vectors, and the unchanged files that are read for them.
    _lacking_frames: set[int] = field(default_factory=set)
    # Unchanged files of videos whose details were never read, one of each.
    lacking_details: dict[int, DetailsJob] = field(default_factory=dict)
    _read_again: set[str] = field(default_factory=set)
    # What is to be decoded, and, of changed places, what is only when the exchange is over.
    _unknown: deque[VideoJob] = field(default_factory=deque)
    _replaced: list[VideoJob] = field(default_factory=list)
    _exchanged: list[_Recognised] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.claims = FilmClaims(self.catalog)

    @property
    def waiting(self) -> int:
        """How many files are left to be read, at most."""
        looked_into = len(self._unknown) + len(self._replaced)
        return len(self._waiting) + len(self._changed) + looked_into

    def sort(self, walk: Walk) -> None:
        """Count the known and unchanged files; the others wait for their turn."""
        self.storage = Storage(walk)
        if self.settings.add_frames:
            self._lacking_frames.update(videos_without_frames(self.catalog))
        lacking = self.catalog.details.missing()
        for file in walk.files:
            if not walk.defers(file.pathname):
                state = self.known.get(file.pathname)
                self._sort(file, state=state)
                if lacking and state is not None and state.video_id in lacking:
                    self._note_lacking(file, state)
        waiting = [*self._waiting, *self._changed]
        waiting_bytes = sum(file.size for file in waiting)
        unreadable = [f for f in walk.unreadable if not walk.defers(str(f.path))]
        concerned = len(waiting) + len(unreadable)
        self.counters.record(LibraryWalked(len(walk.files), concerned, waiting_bytes))
        self._note_unreadable(unreadable, walk=walk)

    def _sort(self, file: FoundFile, *, state: FileState | None) -> None:
        if state is None:
            self._waiting.append(file)
        elif (state.size, state.mtime_ns) != (file.size, file.mtime_ns):
            self._queue_of(file).append(file)
        elif state.error is None and state.video_id in self._lacking_frames:
            self._lacking_frames.remove(state.video_id)  # one of its files is enough
            self._read_again.add(file.pathname)
            self._waiting.append(file)
        elif state.error is None:
            self.counters.unchanged()
        elif self.settings.retry_failed:
            self._waiting.append(file)
        elif state.error.startswith(NO_VIDEO):
            self.counters.not_a_video()
        else:
            self.counters.failed_before(FileProblem(file.path, state.error))

    def _note_lacking(self, file: FoundFile, state: FileState) -> None:
        unchanged = (state.size, state.mtime_ns) == (file.size, file.mtime_ns)
        if state.video_id is not None and unchanged:
            self.lacking_details.setdefault(state.video_id, DetailsJob(file, state.video_id))

    def next_job(self) -> VideoJob | None:
        """Take files from the queue until one has to be read.

        None when none is left, when the others depend on what is being read now, or when other
        runs are at them: `claims.of_others`.
        """
        while True:
            if self._unknown:
                job = self._unknown.popleft()
                if self._is_ours(job):
                    return job
                self._alike_again(job)
            elif self._waiting or self._changed:
                found = self._look_into((self._waiting or self._changed).popleft())
                if found is not None:
                    return found
            elif (self._exchanged or self._replaced) and not self._measured:
                self._exchange()
            elif (freed := self.claims.freed()) is not None:
                self._queue_of(freed.file).append(freed.file)
                if freed.sample.digest not in self._alike:
                    self.claims.release(freed.sample.digest)  # it may have changed: look anew
            else:
                return None

    def _look_into(self, file: FoundFile) -> VideoJob | None:
        """Job for a file; None where nothing has to be read, or not now."""
        job = self._sampled(file)
        if job is None:
            return None
        sample = job.sample.digest
        if sample in self._alike:
            self._alike[sample].append(file)
            return None
        if not self._is_ours(job):
            return None
        found = self._look_up(job)
        if found is None:
            self.claims.release(sample)
        return found

    def _is_ours(self, job: VideoJob) -> bool:
        """Whether no other run is at the film, or was since this one began: that is counted."""
        file = job.file
        if not self.claims.take(job):
            return False
        before, again = self.known.get(file.pathname), file.pathname in self._read_again
        state = self.claims.done_by_others(file, before=before, for_frames=again)
        if state is None:
            return True
        self.claims.release(job.sample.digest)
        if state.video_id is not None and (before is None or before.video_id != state.video_id):
            self.found_again.add(state.video_id)
        outcome = Outcome.BY_OTHERS if state.error is None else Outcome.FAILED
        if state.error and state.error.startswith(NO_VIDEO):
            outcome = Outcome.NO_VIDEO
        self._done(file, outcome, error=state.error)
        return False

    def _look_up(self, job: VideoJob) -> VideoJob | None:
        """Job for a film that is ours; None where the catalog knows it, or it is read later."""
        file, sample = job.file, job.sample.digest
        again = file.pathname in self._read_again
        lookalikes = () if again else self.catalog.sample_matches(sample)
        place = location_of(file, job.sample)
        if (moved := moved_video(place, lookalikes)) is not None:
            self._recognise(_Recognised(file, place, moved))
            return None
        self._alike[sample] = []
        if (witness := self._witness(lookalikes, sample=sample)) is not None:
            self._alike[sample].append(file)
            return witness
        if any(lookalike.fingerprint is not None for lookalike in lookalikes):
            job = replace(job, fingerprint_only=True)
            self._measured[job] = None
            return job
        return self._to_decode(job)

    def _witness(self, lookalikes: Collection[SampleMatch], *, sample: str) -> VideoJob | None:
        """A file to measure for a video without a fingerprint; each has one try in a run."""
        for video in lookalikes:
            if video.fingerprint is None and video.video_id not in self._tried:
                self._tried.add(video.video_id)
                witness = witness_of(video, sample=sample)
                if witness is not None:
                    self._measured[witness] = video.video_id
                    return witness
        return None

    def _to_decode(self, job: VideoJob) -> VideoJob | None:
        """Return the job, or None to keep it for later: a changed place is decoded last.

        A video is removed when no place has it any more, and another place may turn up.
        """
        if self._queue_of(job.file) is self._waiting:
            return job
        self._replaced.append(job)
        self.claims.release(job.sample.digest)  # until its turn comes
        return None

    def measured(self, job: VideoJob, content: Content) -> None:
        """Note the content of a measured file: a known video, or one that has to be decoded."""
        owner = self._measured.pop(job)
        if owner is not None:
            if content.sample == job.sample:
                self.catalog.note_fingerprint(
                    owner, fingerprint=content.fingerprint, sample=content.sample.digest
                )
            self._let_others_follow(job)
        elif (video_id := self.catalog.video_with(content.fingerprint)) is not None:
            place = location_of(job.file, content.sample)
            self._recognise(_Recognised(job.file, place, video_id))
            self._let_others_follow(job)
        else:
            unknown = self._to_decode(replace(job, fingerprint_only=False, content=content))
            if unknown is not None:
                self._unknown.append(unknown)

    def committed(self, job: VideoJob) -> None:
        """Note that the video is in the catalog; files with its sample get their turn."""
        self._let_others_follow(job)

    def failed(self, job: VideoJob, *, error: str, unread: bool = False) -> None:
        """Note that the video cannot be read; files with its sample get their turn.

        They may be sound where this file vanished or changed meanwhile. `unread`: the system did
        not read it.
        """
        if job not in self._measured:
            place = None if unread else location_of(job.file, job.sample)
            self._fail(job.file, place=place, error=error, sample=job.sample)
        elif (
            self._measured.pop(job) is None
        ):  # it was not decoded: the disk failed, not the content
            self._fail(job.file, place=None, error=error)
        self._let_others_follow(job)

    def no_video(self, job: VideoJob, *, what: str) -> None:
        """Note that the file is no video; files with its sample get their turn."""
        self._no_video(job, what=what)
        self._let_others_follow(job)

    def _no_video(self, job: VideoJob, *, what: str) -> None:
        error = f"{NO_VIDEO}{what}"
        place = location_of(job.file, job.sample)
        self._record_failure(job.file, place=place, error=error, sample=job.sample)
        self._done(job.file, Outcome.NO_VIDEO, error=error)

    def changed(self, job: VideoJob) -> None:
        """Note that the file changed while it was read; what was read is neither old nor new.

        Files with its sample may still be sound, and get their turn.
        """
        if self._measured.pop(job, None) is None:
            self._fail(job.file, place=None, error=_CHANGED)
        self._let_others_follow(job)

    def _let_others_follow(self, job: VideoJob) -> None:
        self.claims.release(job.sample.digest)
        self._alike_again(job)

    def _alike_again(self, job: VideoJob) -> None:
        for file in reversed(self._alike.pop(job.sample.digest, ())):
            self._queue_of(file).appendleft(file)

    def _queue_of(self, file: FoundFile) -> deque[FoundFile]:
        state = self.known.get(file.pathname)
        return self._waiting if state is None or state.video_id is None else self._changed

    def _note_unreadable(self, unreadable: Iterable[FileProblem], *, walk: Walk) -> None:
        """List what the system refuses to show, and record it until that changes.

        A video that was indexed at such a place stays.
        """
        for failure in unreadable:
            self.counters.record(FileDone(failure.path, 0, Outcome.FAILED, error=failure.reason))
            known = self.known.get(str(failure.path))
            if known is None or known.error not in (None, failure.reason):
                place = _unread(failure.path, root=self._root_of(failure.path, walk))
                self.catalog.record_failure(place, error=failure.reason)

    def _root_of(self, path: Path, walk: Walk) -> Path:
        """The folder that a path belongs to, as `FoundFile.root` has it."""
        above = path.parent
        return enclosing(above, self.settings.roots) or enclosing(above, walk.paths) or above

    def _sampled(self, file: FoundFile) -> VideoJob | None:
        """Job of a file, with its sample; None where it cannot be read, or is clearly no video."""
        try:
            job, what = call_with_timeout(
                self.settings.decode_timeout,
                lambda: (VideoJob(file, read_sample(file.path)), other_content(file.path)),
            )
        except OSError as error:
            self.storage.require(file, error=reason(error))
            self._fail(file, place=None, error=reason(error))
            return None
        if what is not None:
            self._no_video(job, what=what)
            return None
        return job

    def _recognise(self, found: _Recognised) -> None:
        if self._queue_of(found.file) is self._changed:
            self._exchanged.append(found)
        else:
            self._place([found])

    def _exchange(self) -> None:
        """Set known content at places that had other content before.

        All in one step, and after the files at new places: a video is removed when no place has it
        any more, and where files took over each other's names, one step would remove the next one.
        """
        self._place(self._exchanged)
        self._exchanged.clear()
        self._unknown.extend(self._replaced)
        self._replaced.clear()

    def _place(self, every: Collection[_Recognised]) -> None:
        if not every:
            return
        try:
            self.catalog.add_locations({found.place: found.video_id for found in every})
        except VideoGoneError:  # another process has removed it: what is there now, they all tell
            for found in every:
                self._queue_of(found.file).append(found.file)
            return
        for found in every:
            before = self.known.get(found.file.pathname)
            same = before is not None and before.video_id == found.video_id
            if not same:
                self.found_again.add(found.video_id)
            self._done(found.file, Outcome.UNCHANGED if same else Outcome.MOVED)

    def _fail(
        self,
        file: FoundFile,
        *,
        place: FileLocation | None,
        error: str,
        sample: Sample | None = None,
    ) -> None:
        self._record_failure(file, place=place, error=error, sample=sample)
        self._done(file, Outcome.FAILED, error=error)

    def _done(self, file: FoundFile, outcome: Outcome, *, error: str | None = None) -> None:
        self.counters.record(FileDone(file.path, file.size, outcome, error=error))

    def _record_failure(
        self, file: FoundFile, *, place: FileLocation | None, error: str, sample: Sample | None
    ) -> None:
        """Record a failure of the content until it changes, any other one until the next run.

        That the system refused to read a file (`place` is None then), or that it changed while it
        was read, proves nothing about its content: clips that it had stay until there are new ones.
        So do those of a file that was read once more for its frames.
        """
        if file.pathname in self._read_again:
            return
        if place is not None and sample is not None and is_unchanged(place):
            self.catalog.record_failure(place, error=error, sample=sample.digest)
            return
        known = self.known.get(file.pathname)
        if not is_gone(file.path) and (known is None or known.video_id is None):
            self.catalog.record_failure(_unread(file.path, root=file.root), error=error)


def _unread(path: Path, *, root: Path) -> FileLocation:
    return FileLocation(root=root, path=path, size=UNREAD_SIZE, mtime_ns=0)
