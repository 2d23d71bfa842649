"""Patience: a run is tried again while what it needs is away."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from catalog import CatalogBusyError, CatalogLockedError, CatalogUnreachableError
from indexer import IndexReport, ModelAwayError, PathMissingError, StorageAwayError
from vsearch.messages import log

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST_PAUSE = 2.0  # seconds; each is twice the one before
_LONGEST_PAUSE = 60.0
_AWAY = (
    CatalogBusyError,
    CatalogLockedError,
    CatalogUnreachableError,
    ModelAwayError,
    PathMissingError,
    StorageAwayError,
)

_T = TypeVar("_T")


def tried_until_there(
    run: Callable[[], IndexReport], *, pause: Callable[[float], None] = time.sleep
) -> IndexReport:
    """Make a run, again and again while the catalog, the model or the videos' storage is away.

    It ends with KeyboardInterrupt, and with any error that waiting does not mend.
    """
    seconds = _FIRST_PAUSE
    while True:
        try:
            report = run()
            _require_mounted(report)
        except _AWAY as error:
            log.warning("%s; waiting: the next try is in %.0f s, Ctrl-C ends it", error, seconds)
            pause(seconds)
            seconds = min(2 * seconds, _LONGEST_PAUSE)
        else:
            return report


def _require_mounted(report: IndexReport) -> None:
    for folder in sorted(report.absent):
        if not report.interrupted:
            raise StorageAwayError.of(folder, "it is empty or not there")
