"""Several workers on one catalog: they share the films, whatever becomes of some of them."""

import os
import time

from catalog import Catalog
from tests.indexer.many_machines.conftest import LONG, SHORT
from tests.indexer.test_kill import assert_same

FILMS = SHORT + LONG
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
    flags = ("--seconds", "0.04", "--save-every", "0.1", "--readers", "1")
    kills, catalogs, resumed = 0, [], 0
    while kills < KILLS:
        at = new_address()
        catalogs.append(at)
        workers = [start(*flags, at=at) for _ in range(3)]
        ended = []
        while workers:
            time.sleep(chance.uniform(0.0, 1.5))
            ended += [worker for worker in workers if worker.process.poll() is not None]
            workers = [worker for worker in workers if worker.process.poll() is None]
            if workers and kills < KILLS and not ended:
                victim = workers.pop(chance.randrange(len(workers)))
                victim.kill()
                kills += 1
                workers.append(start(*flags, at=at))
        assert {worker.end() for worker in ended} == {(0, "")}
        every = [one for worker in ended for one in worker.told]
        resumed += sum(one["told"] == "started" and one["resumed"] > 0 for one in every)
    assert resumed > 0
    for at in catalogs:
        assert_same(at, undisturbed)
        with Catalog.open(at) as catalog:
            assert (catalog.status().videos, catalog.status().partials) == (FILMS, 0)
