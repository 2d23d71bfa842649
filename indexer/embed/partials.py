"""Partial videos of a run: those it goes on with, and those it leaves to the next one."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from catalog import Catalog, PartialVideo
from indexer.embed.batches import VideoInProgress
from indexer.embed.binding import Binding
from indexer.scan.jobs import VideoJob
from indexer.scan.missing import is_gone
from indexer.scan.recognition import is_unchanged


@dataclass(slots=True)
class Partials:
    """Partial videos, by the jobs that go on with them."""

    catalog: Catalog
    _found: dict[VideoJob, PartialVideo] = field(default_factory=dict)

    def gone_on_with(self, job: VideoJob) -> VideoJob:
        """The job with the clips that an earlier run has embedded already."""
        partial = self.catalog.partial(job.sample.digest)
        if partial is None:
            return job
        job = replace(
            job,
            ready=frozenset(partial.spans),
            ready_of=partial.fingerprint,
            ready_duration=partial.duration,
        )
        self._found[job] = partial
        return job

    def take(self, job: VideoJob) -> PartialVideo | None:
        """Take what the job goes on with."""
        return self._found.pop(job, None)

    def save_all(
        self, videos: Iterable[VideoInProgress], *, binding: Binding, older_than: float
    ) -> None:
        """Save what is embedded of videos that take long, for another run to go on from."""
        for video in videos:
            clips = video.take_unsaved(older_than=older_than)
            place = video.location
            # What was read of another state is of no use; one that is gone may turn up elsewhere.
            if clips and (is_unchanged(place) or is_gone(place.path)):
                binding.bind()
                self.save(video, clips=clips)

    def save(self, video: VideoInProgress, *, clips: list[int]) -> None:
        """Save some clips of a video; none: only where it lies."""
        self.catalog.add_to_partial(
            video.record.fingerprint,
            sample=video.record.sample,
            location=video.location,
            duration=video.record.duration,
            clips=[video.spans[clip] for clip in clips],
            vectors=video.vectors[clips],
            frames=[video.frames[clip] for clip in clips],
            damage=video.record.damage,
        )
