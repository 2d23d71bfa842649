"""Duplicates: moments of different videos that show the same, as a re-encoded or cut version does.

What is compared are the vectors of both videos at equal times, from some seconds before to some
seconds after the moment. Moments that only show the same kind of thing are alike for most of that
time, but not for all of it.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog import ClipMatch, LibraryVectors
from search.background.centring import Vectors, centred_clips
from search.moments.pool import Pool
from search.moments.ranking import CLIPS_COMPARED, Moment

# Two videos show the same where, at 90 % of equal times, their centred cosine is at least this. On
# two libraries as in the answers benchmark, but of other seeds, a re-encoded video has 0.88 and
# more, other videos that show the same thing 0.58 at most; one that was cropped by a tenth, cut and
# has other frame rate and size, mostly from 0.6 to 0.7.
_SAME = 0.7
_LEAST = 10  # per cent of the times may be less alike
_AROUND = 8.0  # seconds before and after a moment that are compared, too
_APART = 0.6  # seconds between two frames that are compared, at most
_FEWEST = 3  # frames
_COMPARED = 0.75  # of the shorter series has to be there in both
# The centred cosine of the best clips of moments that are compared at all; 99 of 100 that show the
# same have more.
_NEAR = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """What a video shows over some time: its frames, or its clips.

    Attributes:
        starts: (F,) float64, seconds, ascending.
        times: (F,) the middles between start and end; of a frame all three are the same.
        ends: (F,)
        vectors: (F, D) centred unit vectors.
    """

    starts: NDArray[np.float64]
    times: NDArray[np.float64]
    ends: NDArray[np.float64]
    vectors: Vectors

    def between(self, start: float, end: float) -> "Series":
        """What lies, in part or whole, between two seconds."""
        # Ends ascend as starts do: clips are of one length.
        inside = slice(
            int(np.searchsorted(self.ends, start)), int(np.searchsorted(self.starts, end, "right"))
        )
        return Series(
            self.starts[inside], self.times[inside], self.ends[inside], self.vectors[inside]
        )


class Duplicates:
    """The moments of a pool of clips that show the same as one of another video.

    Args:
        library: the vectors of frames and clips.
        mean_clip: (D,) float32, what is ordinary in the library, to centre vectors by.
        clips: the pool.
        vectors: (N, D) float32, theirs.
    """

    def __init__(
        self,
        library: LibraryVectors,
        *,
        mean_clip: Vectors,
        clips: Sequence[ClipMatch],
        vectors: Vectors,
    ) -> None:
        self._library = library
        self._mean_clip = mean_clip
        self._centred = centred_clips(vectors, mean_clip)
        self._ids = np.array([clip.clip_id for clip in clips], np.int64)
        self._videos = np.array([clip.video_id for clip in clips], np.int64)
        self._row = {clip.clip_id: number for number, clip in enumerate(clips)}
        self._around: dict[int, Series] = {}

    def original(self, moment: Moment, among: Sequence[Moment]) -> int | None:
        """The number of the first of some moments that is in another video and shows the same."""
        rows = [self._row_of(other) for other in among]
        cosines = self._centred[rows] @ self._centred[self._row_of(moment)]
        near = [
            (number, among[number], _shifts(among[number], moment))
            for number in np.flatnonzero(cosines >= _NEAR).tolist()
            if among[number].best.video_id != moment.best.video_id
        ]
        if not near:
            return None
        # Read once, however many it is compared with.
        second = self._series(
            moment,
            start=min(one.start + min(shifts) for _, one, shifts in near),
            end=max(one.end + max(shifts) for _, one, shifts in near),
        )
        return next(
            (number for number, one, shifts in near if self._shows_the_same(one, second, shifts)),
            None,
        )

    def _shows_the_same(self, one: Moment, other: Series, shifts: Set[float]) -> bool:
        """Whether a moment shows the same as some time of another video, later by a shift."""
        row = self._row_of(one)
        if row not in self._around:
            self._around[row] = self._series(one, start=one.start, end=one.end)
        start, end = one.start + min(shifts) - _AROUND, one.end + max(shifts) + _AROUND
        second = other.between(max(start, 0.0), end)
        return any(_likeness(self._around[row], second, shift=shift) >= _SAME for shift in shifts)

    def near(self, moments: Sequence[Moment]) -> frozenset[int]:
        """Ids of the clips that may belong to a duplicate of one of these moments."""
        best = [self._row_of(moment) for moment in moments]
        others = self._videos[:, np.newaxis] != self._videos[best]
        near = (self._centred @ self._centred[best].T >= _NEAR) & others
        return frozenset(self._ids[near.any(axis=1)].tolist())

    def _row_of(self, moment: Moment) -> int:
        """The row of the clip that moments are compared by first; of a sequence, its first's."""
        first = moment.parts[0] if moment.parts else moment
        return self._row[first.best.clip_id]

    def _series(self, moment: Moment, *, start: float, end: float) -> Series:
        """The frames of a moment's video from `start` to `end`, and around; or its clips."""
        start, end, video_id = max(start - _AROUND, 0.0), end + _AROUND, moment.best.video_id
        frames = self._library.frames_of(video_id, start=start, end=end)
        if len(frames):
            vectors = centred_clips(frames.quantised.vectors(), self._mean_clip)
            return Series(frames.times, frames.times, frames.times, vectors)
        spans, clips = self._library.clips_of(video_id, start=start, end=end)
        vectors = centred_clips(clips, self._mean_clip)
        return Series(spans[:, 0], spans.mean(axis=1), spans[:, 1], vectors)


def _shifts(one: Moment, other: Moment) -> Set[float]:
    """The seconds by which the other moment may be later than one that it shows the same as."""
    shifts = {other.start - one.start, other.end - one.end}
    if min(one.end, other.end) > max(one.start, other.start):
        shifts.add(0.0)
    return shifts


def _likeness(first: Series, second: Series, *, shift: float) -> float:
    """The cosine that a series and another one have at most equal times, later by `shift` seconds.

    It is -1 where they share too few times: then there is nothing that speaks against it.
    """
    times, others = first.times, second.times
    shorter = min(len(times), len(others))
    if shorter < _FEWEST:
        return -1.0
    right = np.minimum(np.maximum(np.searchsorted(others, times + shift), 1), len(others) - 1)
    nearest = right - (times + shift - others[right - 1] < others[right] - times - shift)
    there = np.abs(others[nearest] - times - shift) <= _APART
    if np.count_nonzero(there) < max(_FEWEST, _COMPARED * shorter):
        return -1.0
    vectors, other_vectors = first.vectors[there], second.vectors[nearest[there]]
    cosines = np.sort(np.einsum("nd,nd->n", vectors, other_vectors))
    return float(cosines[len(cosines) * _LEAST // 100])


def duplicates_in(
    pools: Sequence[Pool], library: LibraryVectors, *, mean_clip: Vectors | None
) -> Duplicates | None:
    """The duplicates in pools of clips; None where nothing tells them.

    `mean_clip` (D,) is the mean of the library; None where clips are not centred.
    """
    clips = [clip for pool in pools for clip in pool.clips]
    vectors = [pool.vectors for pool in pools if pool.vectors is not None]
    if mean_clip is None or not clips or len(vectors) < len(pools):
        return None
    every = np.concatenate(vectors)
    # The mean of a library is made smaller where it is taken from few clips. What remains of it in
    # all of them would make them alike.
    few = len(pools[0].clips) < CLIPS_COMPARED
    mean = every.mean(axis=0) if few else mean_clip
    return Duplicates(library, mean_clip=mean, clips=clips, vectors=every)
