"""Numbers from file systems, containers and foreign files: none is too large for a column."""

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import create_engine, insert, select, text

from catalog import Catalog, ClipSpan, FileLocation, VideoRecord
from catalog.database.columns import RealNumber, WholeNumber, stored_kind
from catalog.database.tables import CLIPS, METADATA
from catalog.verify import verify_catalog
from tests.catalog.conftest import PROVENANCE, ROOT, unit_vectors

LARGEST = 2**63 - 1
WHOLE = {0: 0, LARGEST: LARGEST, 2**63: LARGEST, 10**5000: LARGEST, -(2**70): -LARGEST - 1}
REAL = {1e-300: 1e-300, 1e300: 2.0**63, math.inf: 2.0**63, -math.inf: -(2.0**63)}
NUMBERS = [
    column
    for table in METADATA.sorted_tables
    for column in table.columns
    if stored_kind(column) in (int, float)
]


@pytest.mark.parametrize("column", NUMBERS, ids=str)
def test_every_column_of_numbers_brings_them_within_bounds(column):
    kind = WholeNumber if stored_kind(column) is int else RealNumber
    assert isinstance(column.type, kind), "take WholeNumber, LargeNumber or RealNumber"


@pytest.fixture
def rows():
    """Puts one number into one column of a database without constraints, and reads it back."""
    engine = create_engine("sqlite://")
    METADATA.create_all(engine)

    def through(column, number):
        usual = {int: 1, float: 1.0, str: "a", bytes: b""}
        row = {c.key: usual[stored_kind(c)] for c in column.table.columns} | {column.key: number}
        with engine.begin() as connection:
            connection.execute(text("PRAGMA ignore_check_constraints = ON"))
            connection.execute(insert(column.table).values(row))
            found = connection.execute(select(column)).scalar_one()
            connection.rollback()
        return found

    yield through
    engine.dispose()


@pytest.mark.parametrize("column", NUMBERS, ids=str)
def test_any_number_can_be_stored(rows, column):
    for number, stored in (WHOLE if stored_kind(column) is int else REAL).items():
        assert rows(column, number) == stored
    if stored_kind(column) is float:
        assert rows(column, math.nan) == 0.0


def test_an_id_that_no_row_can_have_is_asked_for_in_vain(catalog, shelf):
    shelf.add("a.mp4")
    with catalog._database.reading() as connection:
        asked = select(CLIPS.c.id).where(CLIPS.c.id.in_([1, 2**63, 10**30]))
        assert connection.scalars(asked).all() == [1]


@pytest.mark.parametrize("odd", [2**63, -(2**70), 10**400])
def test_a_file_with_a_time_and_size_beyond_all_bounds_goes_all_ways(catalog, shelf, query, odd):
    place = replace(shelf.location("a.mp4"), size=odd, mtime_ns=odd)
    video = catalog.add_video(
        VideoRecord("content", 8.0, abs(odd), abs(odd), 25.0, "h264", "mp4"),
        location=place,
        clips=[ClipSpan(0.0, 8.0)],
        vectors=unit_vectors(1, seed=1),
    )
    catalog.add_locations({replace(place, path=ROOT / "copy.mp4"): video})
    catalog.record_failure(replace(place, path=ROOT / "bad.mp4"), error="it is no video")
    catalog.add_to_partial(
        "other",
        location=replace(place, path=ROOT / "long.mp4"),
        duration=8.0,
        clips=[ClipSpan(0.0, 4.0)],
        vectors=unit_vectors(1, seed=2),
    )
    assert len(catalog.known_files([ROOT])) == 3
    assert catalog.nearest_clips(query, limit=1)[0].paths[1:] == (ROOT / "copy.mp4",)
    assert catalog.relocate(ROOT, new=Path("/other")).files == 3
    assert verify_catalog(catalog.address).sound
    assert catalog.remove_under([Path("/other")]).files == 3


@pytest.mark.parametrize("odd", [math.inf, math.nan, 1e300])
def test_a_duration_beyond_all_bounds_ends_nothing_and_is_valid_json(folder, query, odd):
    with Catalog.open(folder, create=True) as catalog:
        catalog.bind(PROVENANCE)
        for n in range(3):
            catalog.add_video(
                VideoRecord(f"content {n}", odd, 64, 48, odd, "h264", "mp4"),
                location=FileLocation(ROOT, ROOT / f"{n}.mp4", 1, 1),
                clips=[ClipSpan(0.0, odd)],
                vectors=unit_vectors(1, seed=n),
            )
        told = json.dumps(catalog.status().video_seconds, allow_nan=False)
        assert math.isfinite(json.loads(told))
        for match in catalog.nearest_clips(query, limit=3):
            json.dumps({**asdict(match), "paths": ""}, allow_nan=False)
            assert np.isfinite([match.start, match.end, match.duration]).all()
