"""The examples' own moments: what an example shows itself, and copies of it, is no answer."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from catalog import ClipMatch, LibraryVectors
from search.asking.example import Likeness
from search.background.centring import Vectors, centred_clips, unit
from search.moments.curve import Stretch, stretch_around
from search.moments.of_clips import curve_of

_HALF = 0.5  # of a clip or of an own moment, whichever is shorter
# The median cosine at equal times, centred. In the dev libraries of the answers benchmark a
# re-encoded video has .998, and no other pair of videos more than .82.
_COPY = 0.9
_FEWEST = 3  # clips: what one clip shows is easily alike without being a copy
_AROUND = 60.0  # seconds before and after a moment, in which copies are compared
_COMPARED_OF_ALL = 600.0  # the first seconds of videos that are examples as a whole
_SAME_TIME = 0.5  # seconds between the middles of clips
_SECONDS, _SHARE = 0.5, 1e-3  # by which the lengths of copies differ at most

Part = tuple[NDArray[np.float64], Vectors]
"""Spans (N, 2) of clips, in seconds, and their vectors (N, D)."""


@dataclass(slots=True)
class OwnMoments:
    """The stretches of videos that the examples of a question show themselves.

    Attributes:
        likenesses: the examples; one that is not indexed has no own moment.
        mean_clip: (D,) float32, the mean of the library; None where clips are not centred.
        stretches: by the id of the video; those of copies are added as their clips are met.
    """

    likenesses: Sequence[Likeness]
    mean_clip: Vectors | None
    stretches: dict[int, list[Stretch]] = field(default_factory=dict)
    _own: dict[int, Stretch] = field(default_factory=dict)
    _parts: dict[int, Part] = field(default_factory=dict)
    _compared: set[tuple[int, int]] = field(default_factory=set)

    def without(
        self, clips: Sequence[ClipMatch], vectors: Vectors | None, library: LibraryVectors
    ) -> Sequence[ClipMatch]:
        """The clips but for those that show an own moment, or lie at the same time of a copy.

        `vectors` (N, D) are theirs, where they were read already.
        """
        if not any(likeness.video_id for likeness in self.likenesses):
            return clips
        if vectors is None:
            vectors = library.of(np.array([clip.clip_id for clip in clips], np.int64))
        for number, likeness in enumerate(self.likenesses):
            if likeness.video_id is None:
                continue
            if number not in self._own:
                self._own[number] = self._stretch_of(likeness, library)
                self._add(likeness.video_id, self._own[number])
            for copy in self._copies(number, likeness.video_id, clips, vectors, library):
                self._add(copy, self._own[number])
        return [clip for clip in clips if not self._holds(clip)]

    def _add(self, video_id: int, stretch: Stretch) -> None:
        self.stretches.setdefault(video_id, []).append(stretch)

    def _holds(self, clip: ClipMatch) -> bool:
        for own in self.stretches.get(clip.video_id, ()):
            shorter = min(clip.end - clip.start, own.end - own.start)
            if min(clip.end, own.end) - max(clip.start, own.start) >= _HALF * shorter:
                return True
        return False

    def _stretch_of(self, likeness: Likeness, library: LibraryVectors) -> Stretch:
        """The own moment of an example: of its curve, what belongs to the seconds it is from."""
        if likeness.video_id is None or likeness.span is None:
            return Stretch(-math.inf, math.inf, 0.0)
        start, end = likeness.span
        direction, ordinary = likeness.vector, 0.0
        if self.mean_clip is not None:
            direction = unit(direction - self.mean_clip)
            ordinary = float(direction @ self.mean_clip)
        curve = curve_of(library, likeness.video_id, direction, ordinary=ordinary)
        return stretch_around(curve, start=start, end=end)

    def _copies(
        self,
        number: int,
        video_id: int,
        clips: Sequence[ClipMatch],
        vectors: Vectors,
        library: LibraryVectors,
    ) -> Iterator[int]:
        """The videos of these clips that are copies of an example's, each the first time.

        Only those are read of which a clip is as near to the example's clip at that time.
        """
        span = self.likenesses[number].span
        part = (0.0, _COMPARED_OF_ALL) if span is None else (span[0] - _AROUND, span[1] + _AROUND)
        if number not in self._parts:
            self._parts[number] = library.clips_of(video_id, start=part[0], end=part[1])
        lengths = {clip.video_id: clip.duration for clip in clips}
        length = lengths.get(video_id)
        if length is None:  # the filter leaves it out
            length = float(library.clips_of(video_id)[0].max(initial=0.0))
        most = max(_SECONDS, _SHARE * length)
        spans = np.array([(clip.start, clip.end) for clip in clips]).reshape(-1, 2)
        at_once, cosines = self._compare((spans, vectors), self._parts[number])
        near = [clips[n].video_id for n in np.flatnonzero(at_once)[cosines >= _COPY]]
        for other in dict.fromkeys(near):
            new = other != video_id and (number, other) not in self._compared
            if new and abs(lengths[other] - length) <= most:
                self._compared.add((number, other))
                its_part = library.clips_of(other, start=part[0], end=part[1])
                at_once, cosines = self._compare(its_part, self._parts[number])
                if at_once.sum() >= _FEWEST and np.median(cosines) >= _COPY:
                    yield other

    def _compare(self, some: Part, own: Part) -> tuple[NDArray[np.bool_], Vectors]:
        """Which of some clips (N,) there is an own clip at the same time of, and their cosines."""
        apart = np.abs(some[0].mean(axis=1)[:, None] - own[0].mean(axis=1))
        if not apart.size:
            return np.zeros(len(some[0]), np.bool_), np.empty(0, np.float32)
        at_once = apart.min(axis=1) <= _SAME_TIME
        first, second = some[1][at_once], own[1][apart.argmin(axis=1)[at_once]]
        if self.mean_clip is not None:
            first, second = (centred_clips(clips, self.mean_clip) for clips in (first, second))
        cosines: Vectors = np.einsum("nd,nd->n", first, second)
        return at_once, cosines
