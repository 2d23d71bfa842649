"""Quality of answers on unseen libraries: `python -m benchmarks.answers`, `make answers-benchmark`.

Long toy videos, rendered, written as H.264, indexed and asked like any library, and pools of single
clips; each as they are, and with the distortions of `benchmarks.answers.distortions`. No parameter
of the product was chosen on the seeds that are used here.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.__main__ import record
from benchmarks.answers.asked import Models, ask_library
from benchmarks.answers.confidence import Cell, confidence_cells
from benchmarks.answers.distortions import ALL, GAP, GAP_HUBS, NOISE, NONE
from benchmarks.answers.ranking import mean_average_precisions
from benchmarks.answers.tables import (
    ByLibrary,
    confidence_table,
    mean_and_spread,
    moments_table,
    table,
)
from benchmarks.measure.machine import describe_machine
from machine import prepare_process

LIBRARIES = (701, 702, 703, 704, 705)
POOLS = (711, 712)
SETTINGS = ("plain", "moments", "centring", "default")
RANKED_ALSO = ("centring@everyday",)  # a bank that is foreign to the toy world

_VIDEOS = 10
_RANKED_CLIPS = 4600
_LIBRARY_DISTORTIONS = (NONE, ALL)
_POOL_DISTORTIONS = (NONE, NOISE, GAP, GAP_HUBS, ALL)
_TIMES = (
    "recall@1",
    "recall@1_iou_0.5",
    "recall@1_iou_0.7",
    "mean_iou",
    "boundary_error_median",
    "boundary_error_mean",
)
_CELL_DISTORTIONS = (NONE, NOISE, ALL)
_README = Path(__file__).parents[1] / "README.md"


def main() -> None:
    """Parse the arguments, measure and print."""
    prepare_process()  # like the product
    parser = argparse.ArgumentParser(prog="python -m benchmarks.answers", description=__doc__)
    parser.add_argument("--settings", default=",".join(SETTINGS), help="settings, joined by commas")
    parser.add_argument("--libraries", type=int, default=len(LIBRARIES), help="of long videos")
    parser.add_argument("--pools", type=int, default=len(POOLS), help="of single clips")
    parser.add_argument("--record", action="store_true", help="also write the tables to README.md")
    arguments = parser.parse_args()
    report = measure(
        arguments.settings.split(","),
        libraries=LIBRARIES[: arguments.libraries],
        pools=POOLS[: arguments.pools],
    )
    print(report)
    if arguments.record:
        record(report, path=_README, of="make answers-benchmark")


def measure(settings: Sequence[str], *, libraries: Sequence[int], pools: Sequence[int]) -> str:
    """Measure everything, and format it as Markdown."""
    begin = time.monotonic()
    models = Models.load()
    found: ByLibrary = {
        seed: ask_library(
            seed,
            videos=_VIDEOS,
            distortions=_LIBRARY_DISTORTIONS,
            settings=settings,
            models=models,
            beside=_real_videos(),
        )
        for seed in _told(libraries, "library")
    }
    parts = [describe_machine(), ""]
    if libraries:
        parts += _library_tables(found, settings=settings)
    if pools:
        ranked = [*settings, *RANKED_ALSO]
        parts.append(_ranking_table(pools, settings=ranked, models=models))
        parts.append(_cells_table(pools, models=models))
    parts.append(f"Measured in {(time.monotonic() - begin) / 60:.0f} minutes.")
    return "\n".join(parts)


def _library_tables(found: ByLibrary, *, settings: Sequence[str]) -> list[str]:
    tables = [
        moments_table(found, kind="one", measures=_TIMES),
        moments_table(found, kind="several", measures=("recall@1", "ndcg@10", "found_iou_0.7")),
        moments_table(found, kind="general", measures=("recall@1", "ndcg@10", "found_iou_0.7")),
    ]
    one = next(iter(found.values()))[NONE.name]
    told = [name for name in settings if one[name]["one"][0].confidence]
    return tables + [confidence_table(found, setting=name) for name in told[-1:]]


def _ranking_table(pools: Sequence[int], *, settings: Sequence[str], models: Models) -> str:
    by_pool = [
        mean_average_precisions(
            seed,
            clips=_RANKED_CLIPS,
            distortions=_POOL_DISTORTIONS,
            settings=settings,
            models=models,
        )
        for seed in _told(pools, "pool")
    ]
    rows = [
        [name, *(mean_and_spread([p[d.name][name] for p in by_pool]) for d in _POOL_DISTORTIONS)]
        for name in settings
    ]
    header = ["setting", *(distortion.name for distortion in _POOL_DISTORTIONS)]
    return table(f"Ranking: mAP of captions over {_RANKED_CLIPS:,} single clips", header, rows)


def _cells_table(pools: Sequence[int], *, models: Models) -> str:
    """The means over cells, and the worst of them, by size of the library and distortion."""
    rows = []
    for distortion in _CELL_DISTORTIONS:
        cells = [
            cell
            for seed in pools
            for cell in confidence_cells(
                seed, distortion=distortion, setting="default", models=models
            )
        ]
        by_name: dict[str, list[Cell]] = {}
        for cell in cells:
            by_name.setdefault(cell.name, []).append(cell)
        by_name["all"] = cells
        rows += [_cells_row(name, distortion.name, its) for name, its in by_name.items()]
    header = ["library", "vectors", "true", "absent", "absent, worst", "foreign", "foreign, worst"]
    return table(
        "Confidence: the share of strong answers in libraries of single clips", header, rows
    )


def _cells_row(name: str, distortion: str, cells: Sequence[Cell]) -> list[str]:
    true = [cell.true for cell in cells if not math.isnan(cell.true)]
    absent, foreign = [cell.absent for cell in cells], [cell.foreign for cell in cells]
    shares = [np.mean(true), np.mean(absent), max(absent), np.mean(foreign), max(foreign)]
    return [name, distortion, *(f"{share:.3f}" for share in shares)]


def _real_videos() -> list[Path]:
    """The real videos that stand beside the toy videos, where there are some."""
    folder = os.environ.get("VSEARCH_TEST_VIDEOS")
    return [Path(folder)] if folder else []


def _told(seeds: Sequence[int], what: str) -> Iterator[int]:
    for number, seed in enumerate(seeds, start=1):
        print(f"{what} {number} of {len(seeds)}", file=sys.stderr, flush=True)
        yield seed


if __name__ == "__main__":
    main()
