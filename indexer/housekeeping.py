"""Housekeeping at the end of a run: files that are gone, finished partial videos, the snapshot.

Of runs that share a catalog one does it for all.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog import Catalog, CatalogStorageError, FileLocation
from indexer.scan.missing import missing_files
from indexer.scan.recognition import is_unchanged
from indexer.scan.triage import WorkQueue
from indexer.scan.walk import Walk


@contextmanager
def housekeeping(catalog: Catalog) -> Iterator[bool]:
    """Whether this run keeps house while the block runs; another one may be at it."""
    claim = catalog.claims.housekeeping()
    try:
        yield claim is not None
    finally:
        if claim is not None:
            claim.release()


def remove_missing(
    catalog: Catalog, queue: WorkQueue, *, walk: Walk, missing: Iterable[Path]
) -> None:
    """Remove what is gone, if this run keeps house; list what is not there, in any case."""
    known = queue.known
    under = [*walk.paths, *missing]
    unfinished = {path for path in catalog.partial_paths(under) if not walk.defers(str(path))}
    vanished = missing_files(
        known,
        unfinished=unfinished,
        walk=walk,
        missing_roots=missing,
        noted_mounts=catalog.mounts(under),
    )
    for folder in vanished.absent:
        queue.counters.absent(folder)
    queue.counters.left_out(vanished.left_out)
    with housekeeping(catalog) as ours:
        if not ours:
            return
        if vanished.gone or vanished.recovered:
            catalog.remove_files([*vanished.gone, *vanished.recovered])
        catalog.remove_partials([path for path in unfinished if _is_finished(path, catalog)])
    queue.counters.removed(
        sum(
            known[str(path)].video_id not in queue.found_again
            for path in vanished.gone
            if str(path) in known
        )
    )


def _is_finished(path: Path, catalog: Catalog) -> bool:
    """Whether a file holds a video of the catalog, so that nothing there is to be gone on with."""
    state = catalog.known_files([path]).get(str(path))
    place = state and FileLocation(path.parent, path, state.size, state.mtime_ns)
    return bool(state and state.video_id and place and is_unchanged(place))


def save_snapshot(catalog: Catalog) -> str | None:
    """Why it could not be saved: that loses nothing, and must not hide what the run has done."""
    with housekeeping(catalog) as ours:
        try:
            if ours:
                catalog.save_snapshot()
        except CatalogStorageError as error:
            return str(error)
    return None
