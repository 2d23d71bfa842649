"""Quality of answers on unseen libraries: `python -m benchmarks.answers`, `make answers-benchmark`.

Long toy videos, rendered, written as H.264, indexed and asked like any library, and pools of single
clips; each as they are, and with the distortions of `benchmarks.answers.distortions`. No parameter
of the product was chosen on the seeds that are used here.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks.__main__ import record
from benchmarks.answers.confidence import Cell
from benchmarks.answers.distortions import NONE
from benchmarks.answers.tables import (
    ByLibrary,
    confidence_table,
    mean_and_spread,
    moments_table,
    table,
)
from benchmarks.answers.units import (
    POOL_DISTORTIONS,
    RANKED_CLIPS,
    InPool,
    in_library,
    in_pool,
)
from benchmarks.measure.machine import describe_machine
from machine import prepare_process, usable_cores

LIBRARIES = (701, 702, 703, 704, 705)
POOLS = (711, 712)
SETTINGS = ("plain", "moments", "centring", "default")

_TIMES = (
    "recall@1",
    "recall@1_iou_0.5",
    "recall@1_iou_0.7",
    "mean_iou",
    "boundary_error_median",
    "boundary_error_mean",
)
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
    """Measure everything, one library or pool in each usable core, and format it as Markdown."""
    begin = time.monotonic()
    with ProcessPoolExecutor(usable_cores(), mp_context=get_context("spawn")) as workers:
        in_libraries = {seed: workers.submit(in_library, seed, settings) for seed in libraries}
        in_pools = [workers.submit(in_pool, seed, settings) for seed in pools]
        found = {seed: outcomes.result() for seed, outcomes in in_libraries.items()}
        by_pool = [measured.result() for measured in in_pools]
    parts = [describe_machine(), ""]
    if found:
        parts += _library_tables(found, settings=settings)
    if by_pool:
        parts += _pool_tables(by_pool)
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


def _pool_tables(by_pool: Sequence[InPool]) -> list[str]:
    names = [distortion.name for distortion in POOL_DISTORTIONS]
    ranked = [
        [
            setting,
            *(
                mean_and_spread([one.precisions[name][setting] for one in by_pool])
                for name in names
            ),
        ]
        for setting in by_pool[0].precisions[NONE.name]
    ]
    sure = []
    for distortion in by_pool[0].cells:
        cells = [cell for one in by_pool for cell in one.cells[distortion]]
        by_name: dict[str, list[Cell]] = {}
        for cell in cells:
            by_name.setdefault(cell.name, []).append(cell)
        by_name["all"] = cells
        sure += [_cells_row(name, distortion, its) for name, its in by_name.items()]
    header = [
        "library",
        "vectors",
        "true",
        "true, worst",
        "absent",
        "absent, worst",
        "foreign",
        "foreign, worst",
    ]
    return [
        table(
            f"Ranking: mAP of captions over {RANKED_CLIPS:,} single clips",
            ["setting", *names],
            ranked,
        ),
        table("Confidence: strong answers in libraries of single clips", header, sure),
    ]


def _cells_row(name: str, distortion: str, cells: Sequence[Cell]) -> list[str]:
    true = [cell.true for cell in cells if not math.isnan(cell.true)]
    absent, foreign = [cell.absent for cell in cells], [cell.foreign for cell in cells]
    shares = [
        np.mean(true),
        min(true),
        np.mean(absent),
        max(absent),
        np.mean(foreign),
        max(foreign),
    ]
    return [name, distortion, *(f"{share:.3f}" for share in shares)]


if __name__ == "__main__":
    main()
