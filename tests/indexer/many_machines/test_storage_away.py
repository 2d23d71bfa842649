"""Storage that goes away in the middle of a run: the run ends, and no film is blamed for it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.indexer.indexing_process import run
from tests.indexer.test_kill import assert_same, contents

REPOSITORY = Path(__file__).parents[3]
ODD = REPOSITORY / "tests" / "odd_file_system.py"
# Indexes the folder that is shown until the storage goes away, which is when a film is committed;
# then, with the storage back, to the end. Prints what became of both.
TWICE = """
import json, sys
from pathlib import Path
from catalog import Catalog
from indexer import FileDone, IndexingError, IndexSettings, Outcome, RunCounters, index_library
from tests.indexer.colours import ColourEmbedder
from tests.indexer.indexing_process import SETTINGS

library, folder, away = map(Path, sys.argv[1:])

def go_away(event):
    if isinstance(event, FileDone) and event.outcome is Outcome.INDEXED:
        away.touch()

told = {}
with Catalog.open(folder, create=True) as catalog:
    for run in ("first", "second"):
        counters = RunCounters(go_away if run == "first" else lambda event: None)
        try:
            report = index_library([library], catalog=catalog, counters=counters,
                                   model=ColourEmbedder(clips_wanted=4), settings=SETTINGS)
            error = None
        except IndexingError as raised:
            error, report = str(raised), counters.report(took_seconds=0, interrupted=False)
        away.unlink(missing_ok=True)
        status = catalog.status()
        told[run] = {
            "error": error, "indexed": report.indexed, "videos": status.videos,
            "failed": len(report.failed) + len(status.failures),
            "damaged": len(report.damaged) + len(status.damaged),
        }
print(json.dumps(told))
"""


def indexed_twice(ways: str, back: Path, catalog: Path) -> Any:
    shown = back.with_name("shown")
    shown.mkdir(exist_ok=True)
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    mount = ["unshare", "--mount", *as_root, sys.executable, ODD, ways, back, shown]
    index = [sys.executable, "-c", TWICE, shown, catalog, f"{back}.away"]
    outcome = subprocess.run(
        list(map(str, [*mount, *index])),
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if "unshare" in outcome.stderr or "/dev/fuse" in outcome.stderr or "mount" in outcome.stderr:
        pytest.skip(f"needs MOUNT and FUSE: {outcome.stderr.strip().splitlines()[-1]}")
    assert outcome.returncode == 0, outcome.stderr
    return json.loads(outcome.stdout)


@pytest.mark.parametrize(("ways", "why"), [("away", "cannot be read"), ("empty", "empty or not")])
def test_storage_that_goes_away_ends_the_run_and_makes_no_film_a_failure(
    film, library, tmp_path, ways, why
):
    for number in range(6):
        film(f"{number}.mp4", seconds=5 + number, first=20 * number, step=1)
    told = indexed_twice(ways, library, tmp_path / "catalog")
    first, second = told["first"], told["second"]
    assert "run the command again" in first["error"]
    assert why in first["error"]
    assert "\n" not in first["error"]
    assert 1 <= first["indexed"] == first["videos"] < 6
    assert (first["failed"], first["damaged"]) == (0, 0)
    assert second == {
        "error": None,
        "indexed": 6 - first["indexed"],
        "videos": 6,
        "failed": 0,
        "damaged": 0,
    }
    run(library, tmp_path / "undisturbed")
    assert_same(tmp_path / "catalog", contents(tmp_path / "undisturbed"))
