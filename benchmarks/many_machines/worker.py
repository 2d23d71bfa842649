"""Worker: indexes a folder into a catalog with the slow model, as a process that can be killed.

`python -m benchmarks.many_machines.worker CATALOG FOLDER` prints a line for each file that is done
and each batch of clips, and the counts at the end, as JSON with the time.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.many_machines.slow_model import SlowModel
from catalog import Catalog, CatalogError, DatabaseUrl
from indexer import (
    ClipsEmbedded,
    FileDone,
    IndexingError,
    IndexSettings,
    RunCounters,
    VideoStarted,
    WaitingForOthers,
    index_library,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from indexer import Event


def main() -> int:
    """Index; the exit code of `vsearch index`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("catalog")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=0.0, help="for each clip")
    parser.add_argument("--hold", type=Path, help="wait for this file after eight clips")
    parser.add_argument("--save-every", type=float, default=20.0)
    parser.add_argument("--readers", type=int, default=2)
    parser.add_argument("--model", default="slow")
    given = parser.parse_args()
    url = "://" in given.catalog
    views = Path(os.environ.get("VSEARCH_HOME", ".")) / "views"
    address = DatabaseUrl.parse(given.catalog, views=views) if url else Path(given.catalog)
    settings = IndexSettings(
        window=2.0, stride=1.0, workers=given.readers, save_every=given.save_every
    )
    try:
        with Catalog.open(address, create=True) as catalog, catalog.lock("a worker", shared=True):
            report = index_library(
                [given.folder],
                catalog=catalog,
                model=SlowModel(given.seconds, name=given.model, hold=given.hold),
                settings=settings,
                counters=RunCounters(_tell),
            )
    except (CatalogError, IndexingError) as error:
        print(error, file=sys.stderr)
        return 1
    counts = {
        "indexed": report.indexed,
        "by_others": report.by_others,
        "unchanged": report.unchanged,
        "clips": report.clips,
        "failed": len(report.failed),
    }
    _print("counts", counts)
    return 3 if report.failed else 0


def _tell(event: Event) -> None:
    if isinstance(event, VideoStarted):
        _print("started", {"name": event.path.name, "resumed": event.resumed})
    elif isinstance(event, ClipsEmbedded):
        _print("clips", {"name": event.path.name, "clips": event.clips})
    elif isinstance(event, WaitingForOthers):
        _print("waiting", {"files": event.files})
    elif isinstance(event, FileDone):
        _print("done", {"name": event.path.name, "outcome": event.outcome.value})


def _print(what: str, told: Mapping[str, object]) -> None:
    print(json.dumps({"told": what, "at": time.time(), **told}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
