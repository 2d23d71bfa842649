"""The first question of few clips is answered from their rows, as FAISS answers it."""

import subprocess
import sys
from pathlib import Path

import pytest

from catalog import Catalog, CatalogDamagedError, VideoFilter
from catalog.vectors import stored


@pytest.fixture
def few(monkeypatch, shelf, catalog):
    """The address of a catalog with 40 clips, of which two videos hold the same ones."""
    monkeypatch.setattr(stored, "FEW", 40)
    for n in range(8):
        shelf.add(f"{'odd' if n % 2 else 'even'}/{n}.mp4", clips=5, seed=n)
    return catalog.address


def first_and_second(address, query, **asked):
    with Catalog.open(address) as catalog:
        return [catalog.nearest_clips(query, **asked) for _ in range(2)]


@pytest.mark.parametrize("limit", [1, 7, 1000])
@pytest.mark.parametrize("globs", [(), ("*/odd/*",), ("*/none/*",)])
def test_the_first_answer_is_the_second_one(few, query, limit, globs):
    first, second = first_and_second(few, query, limit=limit, videos=VideoFilter(inside=globs))
    assert [match.clip_id for match in first] == [match.clip_id for match in second]
    scores = [[match.score for match in matches] for matches in (first, second)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-6)


def test_equal_clips_come_in_the_order_of_their_ids(few, query, execute):
    execute(few, "UPDATE clips SET vector = (SELECT vector FROM clips WHERE id = 1)")
    first, second = first_and_second(few, query, limit=9)
    assert [match.clip_id for match in first] == list(range(1, 10))
    assert [match.clip_id for match in second] == list(range(1, 10))


def test_an_empty_catalog_has_no_nearest_clip(few, query):
    with Catalog.open(few) as catalog:
        catalog.remove_under([Path("/")])
        assert catalog.nearest_clips(query, limit=3) == []


def test_a_stored_vector_of_the_wrong_length_is_damage(few, query, execute):
    execute(few, "UPDATE clips SET vector = x'00' WHERE id = 3")
    with Catalog.open(few) as catalog, pytest.raises(CatalogDamagedError, match="verify --repair"):
        catalog.nearest_clips(query, limit=1)


ASK = """
import sys
from pathlib import Path
import numpy as np
from catalog import Catalog
from catalog.vectors import stored

stored.FEW = int(sys.argv[2])
with Catalog.open(Path(sys.argv[1])) as catalog:
    for _ in range(2):
        catalog.nearest_clips(np.eye(16, dtype=np.float32)[0], limit=1)
        print("faiss" in sys.modules)
"""


@pytest.mark.parametrize(("most", "imported"), [(40, [False, True]), (39, [True, True])])
def test_faiss_is_imported_for_many_clips_or_a_second_question(few, folder, most, imported):
    command = [sys.executable, "-c", ASK, str(folder), str(most)]
    asked = subprocess.run(command, capture_output=True, text=True, check=True)
    assert asked.stdout.split() == list(map(str, imported))
