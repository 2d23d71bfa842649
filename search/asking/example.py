"""Examples: the vector of a file, or of a moment of it, and where the catalog has it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from catalog import Background, LibraryVectors, Provenance
from machine.clock_text import clock_text
from search.asking.asked import Example
from search.asking.question import Examples
from search.background.centring import TextCentre, Vectors, centred_clips, unit
from search.errors import ExampleError

_SAMPLE = 256  # random ids of clips, some of which may be gone
_FEWEST = 8
_SEED = 11
# Seconds before and after a moment whose frames are its vector. In the dev libraries of the answers
# benchmark 2 found more of the same kind first than 4, and than the clip around the moment.
_AROUND = 2.0
_AFTER_THE_LAST = 1.0  # second: a player's clock may show the end of a video


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """An example as it is asked.

    Attributes:
        vector: (D,) float32 of unit length.
        video_id: the video that it is taken from; None if it is not indexed.
        span: start and end of what it is taken from, in seconds; None: all of the video.
    """

    vector: Vectors
    video_id: int | None = None
    span: tuple[float, float] | None = None


LikenessOf = Callable[[Example, Provenance], Likeness]
"""Finds the likeness of an example, for a model; raises ExampleError where there is none."""


def stored_likeness(library: LibraryVectors, video_id: int, *, time: float | None) -> Likeness:
    """The likeness of an indexed video, or of its moment at `time` seconds, from stored vectors.

    A moment is the mean of the frames around it; without frame vectors, the clip whose middle is
    nearest.

    Raises:
        ExampleError: the video does not last so long.
    """
    if time is None:
        return Likeness(unit(library.clips_of(video_id)[1].mean(axis=0)), video_id)
    around = time - _AROUND, time + _AROUND
    frames = library.frames_of(video_id, start=around[0], end=around[1])
    if len(frames):
        return Likeness(unit(frames.quantised.vectors().mean(axis=0)), video_id, around)
    spans, vectors = library.clips_of(video_id)
    require_in(float(spans.max(initial=0.0)), time=time)
    nearest = np.abs(spans.mean(axis=1) - time).argmin()
    start, end = spans[nearest].tolist()
    return Likeness(vectors[nearest], video_id, (start, end))


def require_in(end: float, *, time: float | None) -> None:
    """Refuse a time beyond the end of a video; both in seconds."""
    if time is not None and time > end + _AFTER_THE_LAST:
        raise ExampleError(f"ends at {clock_text(end)}, before {clock_text(time)}")


def beside_sentences(
    examples: Examples,
    sentences: Vectors,
    background: Background,
    library: LibraryVectors | None,
) -> Examples:
    """Examples with weights that make them count as much as sentences (K, D).

    How much scores differ over a library depends on the model: more for an example, maybe, than for
    a sentence, as clips are nearer to each other. So the weight of an example is multiplied by the
    spread of the sentences' centred scores over its own, both over random clips. On a dev pool of
    toy clips ("like this, but blue") the mean average precision was .981 with it, .889 with half of
    it and .546 with twice as much; under distortions .916, .710 and .562.
    """
    newest = 0 if library is None else library.newest()
    if library is None or not newest:
        return examples
    ids = np.random.default_rng(_SEED).integers(1, newest + 1, size=_SAMPLE)
    found = library.of(np.unique(ids))
    clips = centred_clips(found[found.any(axis=1)], background.mean_clip)
    if len(clips) < _FEWEST:
        return examples
    centre = TextCentre(mean=background.mean_text, most=background.most)
    asked = np.stack([centre.centred(sentence) for sentence in sentences])
    shown = centred_clips(examples.vectors, background.mean_clip)
    spread = (clips @ asked.T).std(axis=0).mean()
    own = np.maximum((clips @ shown.T).std(axis=0), np.float32(1e-3))
    return Examples(examples.vectors, examples.weights * (spread / own))


def examples_of(likenesses: Sequence[Likeness], weights: Sequence[float]) -> Examples | None:
    """The vectors of likenesses with their weights; None without any."""
    if not likenesses:
        return None
    vectors = np.stack([one.vector for one in likenesses])
    return Examples(vectors, np.array(weights, np.float32))
