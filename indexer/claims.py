"""Films that this run works on, and those that other runs on the same catalog do."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from catalog import Catalog, Claim, FileState
from indexer.scan.jobs import VideoJob
from indexer.scan.walk import FoundFile

# Seconds until films of other runs are asked for again: a little for each, as each is a question.
_SECONDS_BETWEEN_LOOKS = 0.5
_SECONDS_A_FILM = 0.02


@dataclass(slots=True)
class FilmClaims:
    """Claims of one run, by the samples of its films; the run alone uses it, in one thread."""

    catalog: Catalog
    clock: Callable[[], float] = time.monotonic
    _held: dict[str, Claim] = field(default_factory=dict)
    _of_others: deque[VideoJob] = field(default_factory=deque)
    _next_look: float = 0.0

    @property
    def of_others(self) -> int:
        """How many files wait for other runs."""
        return len(self._of_others)

    def take(self, job: VideoJob) -> bool:
        """Claim the film of a job; where another run has it, keep the job until that is done."""
        sample = job.sample.digest
        if sample in self._held:
            return True
        claim = self.catalog.claims.film(sample)
        if claim is None:
            self._of_others.append(job)
            return False
        self._held[sample] = claim
        return True

    def release(self, sample: str) -> None:
        """End the claim on films with this sample; one that is not held is fine."""
        claim = self._held.pop(sample, None)
        if claim is not None:
            claim.release()

    def release_all(self) -> None:
        """End all claims."""
        for sample in list(self._held):
            self.release(sample)

    def done_by_others(
        self, file: FoundFile, *, before: FileState | None, for_frames: bool
    ) -> FileState | None:
        """State of a file with which another run has dealt; None where it is still to be done.

        `before` is its state when this run began; `for_frames`: its video lacked frame vectors.
        """
        if not self.catalog.claims.shared:
            return None
        state = self.catalog.known_files([file.path]).get(file.pathname)
        if state is None or (state.size, state.mtime_ns) != (file.size, file.mtime_ns):
            return None
        if for_frames:
            return None if state.video_id in videos_without_frames(self.catalog) else state
        return None if state == before else state

    def freed(self) -> VideoJob | None:
        """Job of a film that another run had and has no longer; looks only now and then."""
        if not self._of_others or self.clock() < self._next_look:
            return None
        for _ in range(len(self._of_others)):
            job = self._of_others.popleft()
            if self.take(job):  # what could not be taken is at the end again
                return job
        self._next_look = self.clock() + _SECONDS_BETWEEN_LOOKS + _SECONDS_A_FILM * self.of_others
        return None


def videos_without_frames(catalog: Catalog) -> frozenset[int]:
    """The ids of the videos that have no frame vectors."""
    with catalog.library() as library:
        return frozenset() if library is None else library.videos_without_frames()
