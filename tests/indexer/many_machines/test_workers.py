"""Several workers on one catalog: they share the films, whatever becomes of some of them."""

import os
import time

from catalog import Catalog
from tests.indexer.many_machines.conftest import FILMS
from tests.indexer.test_kill import assert_same

KILLS = int(os.environ.get("VSEARCH_TEST_KILLS", "20"))
A_CENTURY = 3e9  # seconds


def test_three_workers_share_the_films_whatever_their_clocks_say(start, address, undisturbed):
    workers = [start("--seconds", "0.05", clock=clock) for clock in (0.0, A_CENTURY, -1e9)]
    assert [worker.end() for worker in workers] == [(0, "")] * 3
    counts = [worker.counts for worker in workers]
    assert sum(count["indexed"] for count in counts) == FILMS
    assert min(count["indexed"] for count in counts) >= 1
    for count in counts:
        assert count["indexed"] + count["by_others"] + count["unchanged"] == FILMS
        assert count["failed"] == 0
    assert_same(address, undisturbed)


def test_workers_killed_at_random_moments_leave_the_catalog_as_one_undisturbed_run(
    start, new_address, undisturbed, chance
):
    flags = ("--seconds", "0.1", "--save-every", "0.1", "--readers", "1")
    kills, catalogs, every = 0, [], []
    while kills < KILLS:
        catalogs.append(at := new_address())
        working = [start(*flags, at=at) for _ in range(3)]
        every += working
        while all(worker.process.poll() is None for worker in working):
            time.sleep(chance.uniform(0.0, 0.5))
            victim = chance.choice(working)
            # Most are killed in the middle of a film, some at any moment from their start.
            if kills < KILLS and len(victim.told) >= chance.randrange(15):
                victim.kill()
                kills += 1
                working.remove(victim)
                working.append(start(*flags, at=at))
                every.append(working[-1])
        assert {worker.end() for worker in working} == {(0, "")}
    told = [one for worker in every for one in worker.told]
    assert any(one["told"] == "started" and one["resumed"] > 0 for one in told)
    for at in catalogs:
        assert_same(at, undisturbed)
        with Catalog.open(at) as catalog:
            assert (catalog.status().videos, catalog.status().partials) == (FILMS, 0)
