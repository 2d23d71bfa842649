"""The background of a catalog, brought up to date at a cost in proportion to what has changed.

New clips are compared with the voids; nothing else is read. Where the best clip for a void was
removed, that void is compared with all clips again. All is made anew when so much has come and gone
that the mean of the library may have moved.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from catalog import Background, LibraryVectors
from search.background.bank import Bank
from search.background.centring import TextCentre, Vectors, centred_clips, mean_of_library
from search.background.voids import pair_voids

_SAMPLE = 512  # clips that the mean of the library is taken from
_ANEW_FROM = 0.5  # of the clips that it was taken from, come or gone
_ROWS_AT_A_TIME = 8192  # of a product with all voids: 10 MB
_SEED = 11


def brought_up_to_date(
    kept: Background | None, library: LibraryVectors, bank: Bank
) -> Background | None:
    """The background of the library as it is now; None without clips.

    `kept` is the background of an earlier state, or None.
    """
    if kept is not None and kept.bank != bank.name:
        kept = None
    if kept is not None and kept.generation == library.generation:
        return kept
    count = library.count()
    if not count:
        return None
    if kept is None:
        return _anew(library, bank, count=count)
    left = library.count(up_to=kept.newest)
    changed = kept.changed + (kept.clips - left) + (count - left)
    if changed >= _ANEW_FROM * kept.drawn_from:
        return _anew(library, bank, count=count)
    current = replace(
        kept, generation=library.generation, newest=library.newest(), clips=count, changed=changed
    )
    if left == kept.clips and count == left:
        return current  # paths have changed, or the damage of a video
    vectors = bank.embed()
    voids = pair_voids(vectors, kept.mean_text)
    maxima, best = kept.maxima.copy(), kept.best_clips.copy()
    lost = np.zeros(len(best), np.bool_) if left == kept.clips else ~library.holds(best)
    if lost.any():
        every = library.above(0)
        maxima[lost], best[lost] = _maxima(every, voids[lost], mean=kept.mean_clip)
    new, new_best = _maxima(library.above(kept.newest), voids, mean=kept.mean_clip)
    better = new > maxima
    return replace(
        current,
        maxima=np.where(better, new, maxima),
        best_clips=np.where(better, new_best, best),
    )


def _anew(library: LibraryVectors, bank: Bank, *, count: int) -> Background:
    vectors = bank.embed()
    centre = TextCentre.of(vectors)
    mean_clip = mean_of_library(library.sample(_SAMPLE, seed=_SEED))
    maxima, best = _maxima(library.above(0), pair_voids(vectors, centre.mean), mean=mean_clip)
    return Background(
        bank=bank.name,
        generation=library.generation,
        newest=library.newest(),
        clips=count,
        drawn_from=count,
        changed=0,
        mean_text=centre.mean,
        most=centre.most,
        mean_clip=mean_clip,
        maxima=maxima,
        best_clips=best,
    )


def _maxima(
    clips: Iterable[tuple[NDArray[np.int64], Vectors]], voids: Vectors, *, mean: Vectors
) -> tuple[Vectors, NDArray[np.int64]]:
    """For each of the voids (V, D) its largest c (V,) over the clips, and that clip's id (V,)."""
    maxima = np.full(len(voids), -np.inf, np.float32)
    best = np.zeros(len(voids), np.int64)
    columns = np.arange(len(voids))
    for ids, vectors in clips:
        for begin in range(0, len(ids), _ROWS_AT_A_TIME):
            some = slice(begin, begin + _ROWS_AT_A_TIME)
            scores = centred_clips(vectors[some], mean) @ voids.T
            rows = scores.argmax(axis=0)
            better = scores[rows, columns] > maxima
            maxima[better] = scores[rows, columns][better]
            best[better] = ids[some][rows[better]]
    return maxima, best
