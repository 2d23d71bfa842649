"""The page's server alone: ranges of a large film, films made anew, pictures."""

from __future__ import annotations

import random
import statistics
from pathlib import Path

from benchmarks.measure.section import Row
from benchmarks.measure.timing import figure_of
from benchmarks.page.films import SECONDS
from benchmarks.page.server import Server

SEEK_BAR, LIVE_BAR = 0.2, 2.5  # seconds
_SEEKS, _TIMED = 200, 50
_PIECE = 256 << 10
_FIRST_PICTURES = 20 << 10  # bytes of a film made anew that hold more than its header


def request_rows(server: Server, films: dict[str, Path]) -> list[Row]:
    """Ask for the films as a player does, without a browser."""
    chance = random.Random(0)
    hevc, large = server.ids[films["hevc"]], server.ids[films["large"]]
    still = server.seconds(f"/still/{hevc}?at=14.9")
    sprite = server.seconds(f"/sprite/{hevc}?start=11&end=19")
    whole = server.seconds(f"/sprite/{hevc}?start=0&end={SECONDS}")
    live = [
        server.seconds(f"/live/{hevc}?start={start}", first=_FIRST_PICTURES)
        for start in (0, 3.9, 8.1, 15.9, 23.9)
    ]
    size = films["large"].stat().st_size
    seeks = [
        server.seconds(f"/film/{large}", first=_PIECE, offset=chance.randrange(size - _PIECE))
        for _ in range(_SEEKS + _TIMED)
    ]
    after = figure_of([1000 * second for second in seeks[-_TIMED:]], unit="ms")
    remade = figure_of(live, unit="s")
    return [
        Row(
            f"server: first {_PIECE >> 10} KiB of a range of a 2 GiB film, after {_SEEKS} that were"
            " broken off",
            after,
            f"≤ {1000 * SEEK_BAR:.0f} ms",
            after.high <= 1000 * SEEK_BAR,
            f"the {_SEEKS} took {1000 * statistics.median(seeks[:_SEEKS]):.0f} ms each",
        ),
        Row(
            "server: first pictures of H.265 720p made anew, from five places",
            remade,
            f"≤ {LIVE_BAR} s",
            remade.high <= LIVE_BAR,
        ),
        Row("server: first still of an H.265 film, in s", still),
        Row("server: first sprite of 8 s of it, in s", sprite),
        Row("server: sprite of all of it, in s", whole),
    ]
