"""All that can be read of a damaged SQLite file is kept, and no video with missing clips."""

import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import catalog as package
from catalog import (
    Catalog,
    CatalogDamagedError,
)
from catalog.folder import SNAPSHOT_NAME
from catalog.verify import verify_catalog

DATABASE = "catalog.sqlite"
PAGE = 8192
PAGES = 43  # of the library's file; see the test that counts them
EVERY_FILM = {f"{n}.mp4" for n in range(30)}


def pages_of(folder, name, kind="leaf"):
    """The numbers of the pages that hold the rows of a table or index, the first page being 0.

    Those of the kind `internal` are above them, where there are several.
    """
    query = f"SELECT pageno - 1 FROM dbstat WHERE name = ? AND pagetype = '{kind}' ORDER BY pageno"
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        return [row[0] for row in connection.execute(query, (name,))]


def overwrite(folder, at, content):
    with (folder / DATABASE).open("r+b") as file:
        file.seek(at)
        file.write(content)


def zeroed(number):
    return lambda folder: overwrite(folder, PAGE * number, bytes(PAGE))


def damaged_files(folder):
    return [p for p in folder.glob(f"{DATABASE}.damaged-*") if not p.name.endswith("-wal")]


def test_the_library_has_as_many_pages_as_are_harmed_below(library):
    assert (library / DATABASE).stat().st_size == PAGE * PAGES


@pytest.mark.parametrize("number", range(1, PAGES))
def test_any_page_but_the_first_may_be_lost_and_what_is_on_the_others_stays(
    harmed, library, number
):
    vital = {
        page
        for name in ("clips", "videos", "meta")
        for kind in ("leaf", "internal")
        for page in pages_of(library, name, kind)
    }
    repaired = harmed(zeroed(number))
    assert len(damaged_files(library)) == 1
    with Catalog.open(library) as catalog:
        kept = [
            n for n in range(30) if catalog.video_with(f"content {n}") or has_all_clips(catalog, n)
        ]
    assert len(kept) == 30 or number in vital
    assert {f"{n}.mp4" for n in range(30) if n not in kept} <= repaired.lost


def has_all_clips(catalog, n):
    """Whether the video is kept as a partial one, until its file is found again."""
    kept = catalog.partial(f"content {n}")
    return kept is not None and len(kept.spans) == 1 + n


def test_only_the_videos_with_clips_on_a_damaged_page_are_lost(harmed, library):
    page = pages_of(library, "clips")[1]
    with closing(sqlite3.connect(library / DATABASE)) as connection:
        before = dict(connection.execute("SELECT id, video_id FROM clips"))
    repaired = harmed(zeroed(page))
    with closing(sqlite3.connect(damaged_files(library)[0])) as connection:
        on_page = set()
        for number, video in before.items():
            try:
                connection.execute("SELECT vector FROM clips WHERE id = ?", (number,)).fetchall()
            except sqlite3.DatabaseError:
                on_page.add(video)
    assert repaired.lost == {f"{video - 1}.mp4" for video in on_page} != set()


def test_the_file_as_it_was_is_kept(harmed, library):
    before = []

    def harm(folder):
        zeroed(pages_of(folder, "clips")[1])(folder)
        before.append((folder / DATABASE).read_bytes())

    repaired = harmed(harm)
    (kept,) = damaged_files(library)
    assert kept.read_bytes() == before[0]
    assert kept.name in repaired.problems[0].repaired
    assert "`vsearch index` with the same folders reads the rest again" in (
        repaired.problems[0].repaired
    )
    survivors = len(EVERY_FILM - repaired.lost)
    assert f"the {survivors} of 30 known videos" in repaired.problems[0].repaired
    assert 0 < survivors < 30


@pytest.mark.parametrize(
    "name",
    [
        "ix_files_video_id",
        "ix_clips_video_id",
        "ix_clips_times",
        "tags",
        "sqlite_autoindex_files_1",
        "sqlite_autoindex_videos_1",
        "sqlite_sequence",
        "partials",
        "partial_clips",
        "frames",
        "sqlite_autoindex_frames_1",
        "mounts",
    ],
)
def test_no_video_is_lost_with_a_page_that_holds_none(harmed, name):
    repaired = harmed(lambda folder: zeroed(pages_of(folder, name)[0])(folder))
    assert repaired.lost == set()
    assert "none is missing" in repaired.problems[0].repaired


@pytest.mark.parametrize("name", ["roots", "files"])
def test_without_their_files_videos_are_kept_until_they_are_found_again(harmed, library, name):
    repaired = harmed(lambda folder: zeroed(pages_of(folder, name)[0])(folder))
    assert "30 of 30 known videos" in repaired.problems[0].repaired
    assert "`vsearch index` has to find the file again" in repaired.problems[0].repaired
    with Catalog.open(library) as catalog:
        assert all(
            catalog.video_with(f"content {n}") or has_all_clips(catalog, n) for n in range(30)
        )


def test_without_their_provenance_no_vectors_are_kept(harmed):
    repaired = harmed(lambda folder: zeroed(pages_of(folder, "meta")[0])(folder))
    assert repaired.lost == EVERY_FILM
    assert "nothing of it could be recovered" in repaired.problems[0].repaired


@pytest.mark.parametrize("at", [0, 16, 18, 28, 56, 99, 100, 105, 4000, PAGE - 100])
def test_a_flipped_byte_in_the_first_page_leaves_a_sound_catalog(library, at):
    flip(library, at)
    assert verify_catalog(library, repair=True).sound
    assert verify_catalog(library).problems == ()
    assert len(damaged_files(library)) <= 1


@pytest.mark.parametrize("kept", [0.95, 0.75, 0.5, 0.25, 0.1, 0.0])
def test_a_file_that_was_cut_short_is_recovered_as_far_as_it_goes(harmed, library, kept):
    def harm(folder):
        content = (folder / DATABASE).read_bytes()
        (folder / DATABASE).write_bytes(content[: int(kept * len(content))])

    repaired = harmed(harm)
    if kept == 0.95:
        assert repaired.lost < EVERY_FILM
    if kept >= 0.5:
        assert " of 30 known videos" in repaired.problems[0].repaired
        with Catalog.open(library) as catalog:
            assert catalog.provenance is not None  # which model to index with again
    if kept == 0:
        assert "is empty" in repaired.problems[0].what


def test_tags_are_kept(harmed, library):
    harmed(zeroed(pages_of(library, "ix_tags_name")[0]))
    with Catalog.open(library) as catalog:
        assert [(one.name, one.videos) for one in catalog.tags.counted()] == [("dog", 2)]


def test_more_of_a_larger_catalog_survives(new_shelf, tmp_path):
    shelf = new_shelf(tmp_path / "large")
    for n in range(400):
        shelf.add(f"{n}.mp4", clips=40, seed=n)
    shelf.catalog.close()
    file = tmp_path / "large" / DATABASE
    for number in pages_of(tmp_path / "large", "clips")[50:60]:
        zeroed(number)(tmp_path / "large")
    repaired = verify_catalog(tmp_path / "large", repair=True)
    assert repaired.sound
    # Ten pages hold some thousand of these short clips: those of 30 films or so, and two at edges.
    assert 340 < repaired.videos < 380
    assert repaired.clips == 40 * repaired.videos
    assert file.stat().st_size > 0


def flip(folder, at):
    content = (folder / DATABASE).read_bytes()
    overwrite(folder, at, bytes([content[at] ^ 0x40]))


@pytest.mark.parametrize("seed", range(25))
def test_the_repair_of_flipped_bytes_leaves_a_sound_catalog(library, query, seed):
    drawn = random.Random(seed)
    for _ in range(1 + seed % 4):
        flip(library, drawn.randrange((library / DATABASE).stat().st_size))
    assert verify_catalog(library, repair=True).sound
    found = verify_catalog(library)
    assert found.problems == ()
    with Catalog.open(library) as catalog:
        assert (
            len(catalog.nearest_clips(query, limit=1000)) == found.clips == catalog.status().clips
        )


@pytest.mark.parametrize("seed", range(10))
def test_the_repair_of_misplaced_pages_leaves_a_sound_catalog(library, query, seed):
    drawn = random.Random(seed)
    content = (library / DATABASE).read_bytes()
    one, other = drawn.sample(range(1, PAGES), 2)
    overwrite(library, PAGE * one, content[PAGE * other : PAGE * (other + 1)])
    assert verify_catalog(library, repair=True).sound
    assert verify_catalog(library).problems == ()
    with Catalog.open(library) as catalog:
        catalog.nearest_clips(query, limit=1000)


def test_the_last_commits_are_recovered_from_the_log(shelf, folder, tmp_path, query):
    for n in range(20):
        shelf.add(f"{n}.mp4", clips=20, seed=n)
    shelf.catalog.close()
    with Catalog.open(folder) as shelf.catalog:
        for n in range(20, 25):
            shelf.add(f"{n}.mp4", clips=20, seed=n)
        killed = shutil.copytree(folder, tmp_path / "killed")
    zeroed(pages_of(folder, "clips")[1])(killed)
    assert verify_catalog(killed, repair=True).sound
    with Catalog.open(killed) as catalog:
        assert all(catalog.video_with(f"content {n}") for n in range(20, 25))
        assert 10 < catalog.status().videos < 25


def test_a_repaired_catalog_is_another_one_whose_ids_go_on(harmed, library, new_shelf):
    with Catalog.open(library) as catalog:
        before = catalog.status()
    harmed(lambda folder: zeroed(pages_of(folder, "clips")[-1])(folder))
    with Catalog.open(library) as catalog:
        after = catalog.status()
        assert after.catalog_uuid != before.catalog_uuid
        assert after.provenance == before.provenance
        assert after.generation >= before.generation
    shelf = new_shelf(library)
    assert shelf.add("new.mp4", seed=1000) == 31
    shelf.catalog.close()


def test_queries_name_the_command_before_the_repair_and_answer_after_it(library, query):
    for number in pages_of(library, "clips"):
        zeroed(number)(library)
    (library / SNAPSHOT_NAME).unlink()
    with pytest.raises(CatalogDamagedError, match="vsearch verify --repair") as told:
        ask(library, query)
    assert "\n" not in str(told.value)
    assert verify_catalog(library, repair=True).sound
    assert ask(library, query) == []


def ask(folder, query):
    with Catalog.open(folder) as catalog:
        return catalog.nearest_clips(query, limit=10)


def test_an_invalid_text_is_reported_as_damage(library, query):
    with closing(sqlite3.connect(library / DATABASE)) as connection, connection:
        connection.execute("UPDATE files SET relative_path = CAST(x'68ff' AS TEXT) WHERE id = 3")
    with (
        Catalog.open(library) as catalog,
        pytest.raises(CatalogDamagedError, match="vsearch verify --repair"),
    ):
        catalog.known_files([Path("/films")])


REPAIR = """
import sys
from pathlib import Path
from catalog.verify import verify_catalog

verify_catalog(
    Path(sys.argv[1]), repair=True, on_progress=lambda *_: (print(flush=True), sys.stdin.readline())
)
print("repaired")
"""


def test_a_repair_that_is_killed_can_be_begun_again(library, query):
    zeroed(pages_of(library, "clips")[1])(library)
    (library / "repair-killed" / "new").mkdir(parents=True)  # by one that came less far
    with subprocess.Popen(
        [sys.executable, "-c", REPAIR, library],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(package.__file__).parents[1],
    ) as process:
        assert process.stdout.readline() == "\n"  # it waits while it checks the new file
        process.kill()
    assert verify_catalog(library, repair=True).sound
    assert verify_catalog(library).problems == ()
    assert ask(library, query)
    assert list(library.glob("repair-*")) == []
    assert len(damaged_files(library)) == 1


def test_a_full_disk_leaves_the_damaged_file_as_it_was(run_mounted, new_shelf, tmp_path):
    shelf = new_shelf(tmp_path / "catalog")
    for n in range(60):
        shelf.add(f"{n}.mp4", clips=500, seed=n)
    shelf.catalog.close()
    zeroed(pages_of(tmp_path / "catalog", "clips")[5])(tmp_path / "catalog")
    size = (tmp_path / "catalog" / DATABASE).stat().st_size
    disk = tmp_path / "disk"
    disk.mkdir()
    program = """
import sys
from pathlib import Path
from catalog import *
from catalog.verify import verify_catalog

folder = Path(sys.argv[1])
before = (folder / "catalog.sqlite").read_bytes()
try:
    verify_catalog(folder, repair=True)
except CatalogStorageError as error:
    print(error)
assert (folder / "catalog.sqlite").read_bytes() == before
print(sorted(path.name for path in folder.iterdir() if path.suffix != ".sqlite"))
"""
    mount = f"mount -t tmpfs -o size={size + 1_000_000} none {disk}\n"
    said = run_mounted(
        f"{mount}cp -r {tmp_path}/catalog {disk}", program, folder=disk / "catalog"
    ).splitlines()
    assert "see that the disk has room" in said[0]
    assert len(said) == 2
    assert "repair" not in said[1]
    assert "damaged" not in said[1]


def test_a_read_only_catalog_is_verified_and_not_repaired(run_mounted, library):
    program = """
import sys
from pathlib import Path
from catalog import *
from catalog.verify import verify_catalog

folder = Path(sys.argv[1])
assert verify_catalog(folder).problems == ()
try:
    verify_catalog(folder, repair=True)
except CatalogStorageError as error:
    print(error)
"""
    mount = f"mount --bind {library} {library}\nmount -o remount,bind,ro {library}"
    assert "read-only" in run_mounted(mount, program, folder=library)
