"""The lock of a catalog: one process at a time has it, the others get its name, and nobody waits
for longer than it lives."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

import catalog as package
from catalog import Catalog, CatalogLockedError, CatalogStorageError

HOLDER = """
import sys
from pathlib import Path
from catalog import Catalog

with Catalog.open(Path(sys.argv[1])) as catalog, catalog.lock("vsearch index /films"):
    print("held", flush=True)
    sys.stdin.read()
"""

# Leaves behind a child that was forked while the lock was held, as worker processes may be.
HOLDER_WITH_CHILD = """
import os, sys
from pathlib import Path
from catalog import Catalog

with Catalog.open(Path(sys.argv[1])) as catalog, catalog.lock("vsearch index /films"):
    child = os.fork()
    if child == 0:
        print(os.getpid(), flush=True)  # said by the child: it has its own life from here on
        sys.stdin.read()
        os._exit(0)
    os.waitpid(child, 0)
"""


@contextmanager
def another_process(program, folder):
    """A process that holds the lock, once it does; its standard input keeps it."""
    with subprocess.Popen(
        [sys.executable, "-c", program, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(package.__file__).parents[1],
    ) as process:
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def test_the_error_names_the_process_that_has_the_lock(catalog, folder):
    with another_process(HOLDER, folder) as (holder, said):
        assert said == "held"
        with pytest.raises(CatalogLockedError) as refused, catalog.lock("vsearch watch /films"):
            pass
    told = str(refused.value)
    assert "`vsearch index /films`" in told
    assert f"process {holder.pid} on {socket.gethostname()}" in told
    assert "since 2" in told
    assert "let it finish or end it" in told
    assert "\n" not in told


def test_the_lock_is_free_again_when_its_holder_is_done(catalog, folder):
    with another_process(HOLDER, folder) as (holder, _):
        holder.stdin.close()
        assert holder.wait() == 0
    with catalog.lock("vsearch forget /films"):
        pass
    assert [path.name for path in folder.iterdir() if "json" in path.name] == []


def test_the_lock_is_free_again_when_its_holder_is_killed(catalog, folder):
    with another_process(HOLDER, folder) as (holder, _):
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with catalog.lock("vsearch watch /films"):
            # The killed one left its name: the next who asks must not be sent after it.
            with pytest.raises(CatalogLockedError, match="`vsearch watch /films`") as refused:
                lock_once(catalog)
            assert f"process {os.getpid()} " in str(refused.value)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_child_that_outlives_the_killed_holder_does_not_keep_the_lock(catalog, folder):
    with another_process(HOLDER_WITH_CHILD, folder) as (holder, child):
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        os.kill(int(child), 0)  # it lives on
        lock_once(catalog)


def test_the_lock_ends_with_an_error_too(catalog):
    with pytest.raises(KeyboardInterrupt), catalog.lock("vsearch index /films"):
        raise KeyboardInterrupt
    lock_once(catalog)


def test_the_same_process_gets_no_second_lock(catalog, folder):
    refused = []

    def lock_in_a_thread():
        with Catalog.open(folder) as again:
            try:
                lock_once(again)
            except CatalogLockedError as error:
                refused.append(str(error))

    with catalog.lock("vsearch index /films"):
        thread = Thread(target=lock_in_a_thread)
        thread.start()
        thread.join()
        with pytest.raises(CatalogLockedError):
            lock_once(catalog)
    assert len(refused) == 1
    assert "`vsearch index /films`" in refused[0]


def test_queries_and_transactions_need_no_lock(catalog, folder, shelf, query):
    with another_process(HOLDER, folder):
        shelf.add("a.mp4", clips=3)
        assert len(catalog.nearest_clips(query, limit=10)) == 3


def test_a_purpose_with_an_odd_file_name_is_shown_in_one_line(catalog):
    purpose = "vsearch index /films/two\nlines \udce9"
    with catalog.lock(purpose), pytest.raises(CatalogLockedError) as refused:
        lock_once(catalog)
    told = str(refused.value).replace("\\udce9", "\udce9")  # a server stores Unicode alone
    assert "`vsearch index /films/two lines \udce9`" in told


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', '"x"', "\0" * 100])
def test_a_damaged_description_of_the_holder_is_no_fault(catalog, folder, content):
    with catalog.lock("vsearch index /films"):
        (folder / "catalog.lock.json").write_text(content)
        with pytest.raises(CatalogLockedError, match="another process is working on"):
            lock_once(catalog)
    lock_once(catalog)


def test_a_read_only_lock_file_is_refused_with_a_reason_unless_its_mode_hinders_nobody(
    catalog, folder
):
    lock_once(catalog)
    (folder / "catalog.lock").chmod(0o444)
    if os.access(folder / "catalog.lock", os.W_OK):  # as root has it
        lock_once(catalog)
    else:
        with pytest.raises(CatalogStorageError, match="cannot lock the catalog"):
            lock_once(catalog)


def lock_once(catalog):
    with catalog.lock("vsearch forget /films"):
        pass
