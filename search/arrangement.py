"""The arrangement of an answer: the order that was asked for, of what is convincing.

Newest and oldest do not put all of a library in order, as then the best moments would be lost among
those that are only not impossible. Of the moments that are looked at, the surest are chosen, and
the newest or oldest of those that are equally sure.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from search.asking.asked import Asked, Sort
from search.confidence import Confidence
from search.records import Hit

LOOKED_AT = 100
"""The number of moments among which the newest or oldest are chosen, unless more are asked for."""

_LEVELS = {word: number for number, word in enumerate(Confidence)}  # surest first


def looked_at(asked: Asked) -> int:
    """The number of the best moments that an answer is chosen from."""
    return asked.limit if asked.sort not in _BY_TIME else max(LOOKED_AT, asked.limit)


def arranged(hits: Sequence[Hit], asked: Asked) -> tuple[Hit, ...]:
    """The answer from hits that come best first, in the order that was asked for."""
    if asked.sort in _BY_TIME:
        order = _BY_TIME[asked.sort]
        hits = sorted(hits, key=lambda hit: (_level(hit), order(hit)))
    chosen = list(hits[: asked.limit])
    if asked.sort in _ORDERS:
        chosen.sort(key=_ORDERS[asked.sort])
    chosen.sort(key=lambda hit: hit.confidence is Confidence.NONE)
    return tuple(_at(rank, hit) for rank, hit in enumerate(chosen, start=1))


def _level(hit: Hit) -> int:
    # Where nothing tells how sure they are, the order in which they come does.
    return hit.rank if hit.confidence is None else _LEVELS[hit.confidence]


def _recorded(hit: Hit) -> float:
    """When the moment itself was recorded."""
    return hit.captured + hit.start


def _at(rank: int, hit: Hit) -> Hit:
    if hit.rank == rank:
        return hit
    return replace(
        hit, rank=rank, duplicates=tuple(replace(other, rank=rank) for other in hit.duplicates)
    )


_Key = Callable[[Hit], Any]
_BY_TIME: dict[Sort, _Key] = {
    Sort.NEWEST: lambda hit: (-_recorded(hit), str(hit.path)),
    Sort.OLDEST: lambda hit: (_recorded(hit), str(hit.path)),
}
_ORDERS: dict[Sort, _Key] = {**_BY_TIME, Sort.PATH: lambda hit: (str(hit.path), hit.start)}
