"""Claims that are lost: with their machine, with their session, with the whole database."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from catalog import Catalog
from tests.indexer.many_machines.conftest import FILMS, REPOSITORY
from tests.indexer.test_kill import assert_same

# Claims a film, and a lock in a session without keepalives; then the machine is gone: the kernel
# forgets the connections, and tells nobody (TCP_REPAIR is 19).
VANISHING = """
import os, socket, sys, time
from pathlib import Path
import psycopg
from catalog import Catalog, DatabaseUrl

catalog = Catalog.open(DatabaseUrl.parse(sys.argv[1], views=Path(sys.argv[2])))
assert catalog.claims.film("a sample") is not None
plain = psycopg.connect(sys.argv[1], autocommit=True)
plain.execute("SELECT pg_advisory_lock(1)")
time.sleep(0.5)  # the answer has to be confirmed, or the server sends it once more
for name in os.listdir("/proc/self/fd"):
    try:
        connection = socket.socket(fileno=os.dup(int(name)))
        connection.setsockopt(socket.IPPROTO_TCP, 19, 1)
    except OSError:
        continue
print("gone", flush=True)
os._exit(0)
"""


def seconds_until(found, *, at_most):
    began = time.monotonic()
    while not found():
        assert time.monotonic() - began < at_most
        time.sleep(0.05)
    return time.monotonic() - began


def test_a_machine_that_falls_silent_loses_its_claims_within_half_a_minute(address, tmp_path):
    with Catalog.open(address, create=True) as catalog, psycopg.connect(str(address)) as plain:
        # From here on nothing connects: a new connection may take the number of one that vanished.
        catalog.claims.film("another sample")
        vanish(address, tmp_path)
        if catalog.claims.film("a sample") is not None:
            pytest.skip("REPAIR: this user may not have the kernel forget a connection")
        took = seconds_until(lambda: catalog.claims.film("a sample") is not None, at_most=30)
        assert took > 5
        held = plain.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
            " AND (classid, objid) = (0, 1)"
        )
        assert held.fetchone() == (1,)  # of the session without keepalives, for hours


def vanish(address, tmp_path):
    command = [sys.executable, "-c", VANISHING, str(address), str(tmp_path / "views")]
    gone = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert gone.stdout == "gone\n", gone.stderr


def test_a_killed_workers_film_is_free_at_once_and_gone_on_with(start, address, films, undisturbed):
    first = start("--hold", films.parent / "never", "--save-every", "0", "--readers", "1")
    first.wait_for(told="clips", name="1.mp4")
    second = start("--readers", "1")
    second.wait_for(told="waiting")
    first.kill()
    killed = time.monotonic()
    second.wait_for(told="started", name="1.mp4")
    assert time.monotonic() - killed < 5
    assert second.end() == (0, "")
    assert second.counts["indexed"] == FILMS - 1
    assert any(one["told"] == "started" and one["resumed"] > 0 for one in second.told)
    assert_same(address, undisturbed)


def test_a_film_whose_claim_was_lost_is_done_by_two_and_is_there_once(
    start, address, postgresql_server, undisturbed, tmp_path
):
    hold = tmp_path / "hold"
    first = start("--hold", hold, "--readers", "1")
    first.wait_for(told="clips")
    second = start("--readers", "1")
    second.wait_for(told="waiting")
    name = dict(address.options)["dbname"]
    claiming = (
        "SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'"
        f" AND database = (SELECT oid FROM pg_database WHERE datname = '{name}')"
    )
    ended = f"SELECT count(pg_terminate_backend(pid)) FROM ({claiming}) AS claiming"
    assert postgresql_server.execute(ended) == [(1,)]
    assert second.end() == (0, "")  # it has taken over what the first is still at
    hold.touch()
    assert first.end() == (0, "")
    assert second.counts["indexed"] == FILMS - 1
    assert first.counts["failed"] == second.counts["failed"] == 0
    assert_same(address, undisturbed)


def test_workers_end_with_one_sentence_when_the_database_is_killed_and_the_next_completes(
    start, address, postgresql_server, undisturbed
):
    name = dict(address.options)["dbname"]
    # The server of the tests may lose what it has committed in its last moments; none in use may.
    postgresql_server.execute(f"ALTER DATABASE {name} SET synchronous_commit = on")
    workers = [start("--seconds", "0.1"), start("--seconds", "0.1")]
    for worker in workers:
        worker.wait_for(told="clips")
    done = [worker.wait_for(told="done", outcome="indexed")["name"] for worker in workers[:1]]
    postgresql_server.stop("immediate")
    try:
        ends = [worker.end() for worker in workers]
    finally:
        postgresql_server.start()
    for code, said in ends:
        assert code == 1
        assert said.startswith("cannot reach the catalog in postgresql://")
        assert said.count("\n") == 1
    with Catalog.open(address) as catalog:
        kept = {Path(path).name for path in catalog.known_files([Path("/")])}
    assert kept >= set(done)
    last = start()
    assert last.end() == (0, "")
    assert last.counts["indexed"] == FILMS - len(kept)
    assert_same(address, undisturbed)
