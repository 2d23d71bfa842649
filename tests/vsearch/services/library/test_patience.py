"""`--wait`: a run is tried again while what it needs is away, and says so each time."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from catalog import CatalogError, CatalogLockedError
from indexer import IndexReport, ModelAwayError, RunCounters, StorageAwayError
from vsearch.services.library.patience import tried_until_there

REPORT = RunCounters().report(took_seconds=1.0, interrupted=False)


def tried(*outcomes: IndexReport | Exception) -> tuple[IndexReport, list[float]]:
    pauses: list[float] = []
    left = iter(outcomes)

    def run() -> IndexReport:
        outcome = next(left)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return tried_until_there(run, pause=pauses.append), pauses


def test_it_tries_until_there_with_longer_and_longer_pauses(caplog):
    away = StorageAwayError.of(Path("/films"), "it is empty or not there")
    locked = CatalogLockedError("another process is working on the catalog")
    lent = ModelAwayError("the model that is lent does not answer")
    unmounted = replace(REPORT, absent=frozenset([Path("/films")]))
    with caplog.at_level(logging.WARNING, "vsearch"):
        assert tried(away, locked, unmounted, lent, *[away] * 3, REPORT) == (
            REPORT,
            [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0],
        )
    assert len(caplog.messages) == 7
    assert "the storage of /films is away" in caplog.messages[2]
    assert caplog.messages[1].startswith("another process is working on the catalog; waiting")


def test_errors_that_waiting_does_not_mend_end_it():
    with pytest.raises(CatalogError, match="another model"):
        tried(CatalogError("another model made it"), REPORT)


def test_an_interrupted_run_is_not_repeated():
    report = replace(REPORT, interrupted=True, absent=frozenset([Path("/films")]))
    assert tried(report) == (report, [])
