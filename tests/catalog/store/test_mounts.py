"""Mount points that were seen."""

from pathlib import Path

import pytest

DISK, STICK = Path("/mnt/disk"), Path("/mnt/stick")


def test_mount_points_are_found_below_and_above_a_path(catalog):
    catalog.note_mounts([DISK, DISK / "films/inner", STICK])
    assert catalog.mounts([DISK]) == {DISK, DISK / "films/inner"}
    assert catalog.mounts([DISK / "films/2023"]) == {DISK}
    assert catalog.mounts([DISK / "films/inner/a.mp4"]) == {DISK, DISK / "films/inner"}
    assert catalog.mounts([Path("/mnt/dis"), Path("/mnt/disk2")]) == frozenset()
    assert catalog.mounts([Path("/")]) == {DISK, DISK / "films/inner", STICK}
    assert catalog.mounts([STICK, DISK / "x"]) == {DISK, STICK}
    assert catalog.mounts([]) == frozenset()


def test_mount_points_that_are_noted_already_write_nothing(catalog, folder):
    catalog.note_mounts([DISK])
    before = (folder / "catalog.sqlite-wal").read_bytes()
    catalog.note_mounts([DISK, Path("/mnt/./disk/")])
    catalog.note_mounts([])
    assert (folder / "catalog.sqlite-wal").read_bytes() == before
    catalog.note_mounts([STICK, DISK])
    assert catalog.mounts([Path("/mnt")]) == {DISK, STICK}


def test_mount_points_change_no_answer(catalog):
    before = catalog.status().generation
    catalog.note_mounts([DISK])
    assert catalog.status().generation == before


def test_relative_paths_are_refused(catalog):
    with pytest.raises(ValueError, match="not absolute"):
        catalog.note_mounts([Path("mnt")])
    with pytest.raises(ValueError, match="not absolute"):
        catalog.mounts([Path("mnt")])
