"""Moments from the curves of a question over the videos of its best clips."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from catalog import ClipMatch, LibraryVectors
from search.asking.question import Question
from search.moments.curve import Curve, Stretch, stretch_around
from search.moments.ranking import Moment, are_same

# Seconds of a long video whose curve is read at once, and on both sides of them. Most videos are
# shorter, and read as a whole.
_PIECE = 120.0
_BESIDE = 60.0


@dataclass(slots=True)
class Curves:
    """The curves of a question over videos, or pieces of them, each read when it is needed first.

    Args:
        library: the vectors of frames and clips.
        question: the question.
        ordinary: the product of its direction with what is ordinary in the library.
    """

    library: LibraryVectors
    question: Question
    ordinary: float
    _read: dict[tuple[int, float, float], Curve] = field(default_factory=dict)

    def stretch_of(self, clip: ClipMatch) -> Stretch:
        """The stretch of its video that belongs to a clip."""
        piece = _PIECE * (clip.start // _PIECE)
        begin, end = max(0.0, piece - _BESIDE), piece + _PIECE + _BESIDE
        if clip.duration <= _PIECE + 2 * _BESIDE:
            begin, end = 0.0, clip.duration
        curve = self._curve(clip, begin=begin, end=min(end, clip.duration))
        stretch = stretch_around(curve, start=clip.start, end=clip.end)
        if stretch.start <= curve.begin > 0.0 or stretch.end >= curve.end < clip.duration:
            stretch = stretch_around(self.whole(clip), start=clip.start, end=clip.end)
        return stretch

    def whole(self, clip: ClipMatch) -> Curve:
        """The curve of all of a clip's video."""
        return self._curve(clip, begin=0.0, end=clip.duration)

    def _curve(self, clip: ClipMatch, *, begin: float, end: float) -> Curve:
        """The curve of the part of a clip's video from `begin` to `end` seconds."""
        key = clip.video_id, begin, end
        if key not in self._read:
            self._read[key] = self._made(clip.video_id, begin=begin, end=end)
        return self._read[key]

    def _made(self, video_id: int, *, begin: float, end: float) -> Curve:
        direction, ordinary = self.question.direction, self.ordinary
        return curve_of(self.library, video_id, direction, ordinary=ordinary, begin=begin, end=end)


def curve_of(
    library: LibraryVectors,
    video_id: int,
    direction: NDArray[np.float32],
    *,
    ordinary: float,
    begin: float = 0.0,
    end: float = math.inf,
) -> Curve:
    """The curve of a direction (D,) over a video: its products less what is ordinary."""
    times, products = library.frame_products(video_id, direction, start=begin, end=end)
    of_frames = len(times) > 0
    if not of_frames:
        spans, vectors = library.clips_of(video_id, start=begin, end=end)
        times, products = spans.mean(axis=1), vectors @ direction
        begin, end = max(begin, spans.min(initial=end)), min(end, spans.max(initial=begin))
    heights = products - np.float32(ordinary)
    return Curve(times, heights, of_frames=of_frames, begin=begin, end=end)


def moments_on(
    curves: Curves,
    clips: Iterable[ClipMatch],
    *,
    taken: Mapping[int, Sequence[Stretch]] | None = None,
) -> Iterator[Moment]:
    """The moments of clips that come best first, in the order of their best clips.

    Each clip gives the stretch of its video's curve around its best second. Clips that lie half in
    a moment that is there already belong to it, and a stretch that is the same as one is no new
    moment. A curve is read when its first moment is asked for. Stretches that are
    `taken`, by the id of the video, are as if they were there already, and no moments.
    """
    of_video: dict[int, list[Moment | Stretch]] = {
        video_id: [*stretches] for video_id, stretches in (taken or {}).items()
    }
    for clip in clips:
        others = of_video.setdefault(clip.video_id, [])
        half = (clip.end - clip.start) / 2
        if any(_shared(clip, other) >= half for other in others):
            continue
        stretch = curves.stretch_of(clip)
        moment = Moment(stretch.start, stretch.end, peak=stretch.peak, best=clip)
        if not any(are_same(moment, other) for other in others):
            others.append(moment)
            yield moment


def _shared(one: Moment | ClipMatch, other: Moment | Stretch) -> float:
    return min(one.end, other.end) - max(one.start, other.start)
