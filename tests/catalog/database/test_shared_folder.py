"""A catalog for several people: what is made in its folder is theirs as far as the umask says."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import catalog as package
from catalog import Catalog
from catalog.verify import verify_catalog
from tests.catalog.conftest import Shelf

# Does all that makes files, and tells those that are there while it is being done.
PROGRAM = """
import os, sys
from pathlib import Path
import encodings.ascii, encodings.idna  # while they can be read
import catalog.database.sqlite.lock, catalog.vectors.sync
from catalog import Catalog
from tests.catalog.conftest import PROVENANCE, Shelf

folder = Path(sys.argv[1])
user, group = map(int, sys.argv[3:])
os.setgid(group)
if user != os.getuid():
    os.setgroups([])
    os.setuid(user)
with Catalog.open(folder, create=True) as catalog:
    with catalog.lock("vsearch index"):
        catalog.bind(PROVENANCE)
        Shelf(catalog).add("a.mp4", seed=int(sys.argv[2]))
        catalog.save_snapshot()
        for path in folder.iterdir():
            print(oct(path.stat().st_mode & 0o777), path.name)
"""


def run_as(folder, *, umask, seed=1, user=None, group=None):
    who = os.getuid() if user is None else user, os.getgid() if group is None else group
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, folder, *map(str, (seed, *who))],
        cwd=Path(package.__file__).parents[1],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
        umask=umask,
    )
    assert done.returncode == 0, done.stderr
    return dict(reversed(line.split(" ", 1)) for line in done.stdout.splitlines())


@pytest.mark.parametrize("umask", [0o002, 0o022, 0o077])
def test_every_file_of_a_catalog_has_the_permissions_that_the_umask_leaves(folder, umask):
    modes = run_as(folder, umask=umask)
    assert len(modes) >= 6  # SQLite's three, the snapshot, the lock, and who holds it
    assert set(modes.values()) == {oct(0o666 & ~umask)}


@pytest.mark.skipif(os.geteuid() != 0, reason="MOUNT: only root may become somebody else")
def test_another_member_of_the_group_may_go_on_with_it():
    with TemporaryDirectory() as name:
        shared = Path(name)
        os.chown(shared, 0, 4321)
        shared.chmod(0o2775)
        run_as(shared / "catalog", umask=0o002, group=4321)
        run_as(shared / "catalog", umask=0o002, seed=2, user=1234, group=4321)
        with Catalog.open(shared / "catalog") as catalog:
            assert catalog.video_with("content 2")


def test_a_repaired_catalog_is_as_private_as_it_was(library):
    database = library / "catalog.sqlite"
    database.chmod(0o600)
    content = database.read_bytes()
    database.write_bytes(content[: 3 * len(content) // 4])
    assert verify_catalog(library, repair=True).sound
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


@pytest.fixture
def without_shared_memory(tmp_path):
    """A folder on a file system that maps no shared memory; `back` is where its files lie."""
    if not shutil.which("bindfs") or not os.access("/dev/fuse", os.W_OK):
        pytest.skip("BINDFS: no such file system can be made here")
    back, mounted = tmp_path / "back", tmp_path / "mounted"
    back.mkdir()
    mounted.mkdir()
    done = subprocess.run(["bindfs", "-o", "direct_io", back, mounted], check=False)
    if done.returncode:
        pytest.skip("BINDFS: this user may not mount it")
    yield mounted, back
    subprocess.run(["umount", mounted], check=True)


def test_without_shared_memory_a_catalog_does_without_its_log(without_shared_memory, query):
    mounted, back = without_shared_memory
    run_as(mounted / "catalog", umask=0o022)
    with (
        Catalog.open(mounted / "catalog") as catalog,
        Catalog.open(mounted / "catalog") as other,
    ):
        Shelf(other).add("b.mp4", seed=2)
        assert len(catalog.nearest_clips(query, limit=9)) == 6
    assert {path.name for path in (back / "catalog").iterdir()} == {
        "catalog.sqlite",
        "catalog.lock",
        "vectors.faiss",
    }
    assert verify_catalog(mounted / "catalog").sound


def test_a_catalog_that_comes_to_such_a_file_system_loses_nothing(
    without_shared_memory, new_shelf, query
):
    mounted, back = without_shared_memory
    shelf = new_shelf(back / "elsewhere")
    shelf.add("a.mp4")
    shutil.copytree(back / "elsewhere", back / "catalog")  # as a kill leaves it: all in the log
    shelf.catalog.close()
    assert (back / "catalog" / "catalog.sqlite-wal").stat().st_size > 0
    with Catalog.open(mounted / "catalog") as catalog:
        assert len(catalog.nearest_clips(query, limit=9)) == 3
        Shelf(catalog).add("b.mp4", seed=2)
    with Catalog.open(back / "catalog") as catalog:
        assert len(catalog.nearest_clips(query, limit=9)) == 6
