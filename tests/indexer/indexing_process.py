"""Indexes LIBRARY into CATALOG, as a process that can be killed: `python -m` this, with both."""

import sys
from pathlib import Path

from catalog import Catalog
from indexer import ClipsEmbedded, IndexReport, IndexSettings, RunCounters, index_library
from tests.indexer.colours import ColourEmbedder

SETTINGS = IndexSettings(window=2.0, stride=0.5, workers=2, save_every=0.05, decode_timeout=60.0)


def run(library: Path, folder: Path) -> IndexReport:
    def report(event: object) -> None:
        if isinstance(event, ClipsEmbedded):
            print(event.clips, flush=True)

    with Catalog.open(folder, create=True) as catalog, catalog.lock("the test"):
        return index_library(
            [library],
            catalog=catalog,
            model=ColourEmbedder(clips_wanted=4),
            settings=SETTINGS,
            counters=RunCounters(report),
        )


if __name__ == "__main__":
    outcome = run(Path(sys.argv[1]), Path(sys.argv[2]))
    sys.exit(0 if not outcome.failed and not outcome.interrupted else 1)
