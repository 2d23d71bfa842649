"""The number of cores that may be used: the limits of a container count."""

import os
from pathlib import Path

import pytest

from machine import usable_cores

ALL = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cores_within(folder: Path, *, limits: dict[str, str]) -> int:
    """The cores of a process in the group a/b, where the groups named in `limits` are limited."""
    own = folder / "cgroup"
    own.write_text("1:cpu:/c\n0::/a/b\n")
    (folder / "a" / "b").mkdir(parents=True)
    for group, limit in limits.items():
        (folder / group / "cpu.max").write_text(limit)
    return usable_cores(own_group=own, groups=folder)


def test_without_a_limit_all_cores_of_the_process_are_used(tmp_path: Path):
    assert cores_within(tmp_path, limits={"a": "max 100000\n"}) == ALL
    assert usable_cores(own_group=tmp_path / "none", groups=tmp_path) == ALL


@pytest.mark.skipif(ALL < 2, reason="one core cannot be limited to fewer")
def test_the_narrowest_limit_around_the_process_counts_and_leaves_one_core_at_least(tmp_path):
    assert cores_within(tmp_path, limits={"a": "150000 100000\n", "a/b": "max 100000\n"}) == 1
    (tmp_path / "a" / "cpu.max").write_text("20000 100000\n")
    assert usable_cores(own_group=tmp_path / "cgroup", groups=tmp_path) == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux can confine a process")
@pytest.mark.skipif(ALL < 2, reason="one core cannot be limited to fewer")
def test_a_process_that_is_confined_to_one_core_uses_one():
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize("odd", ["0 0\n", "100000 0\n", "many 100000\n", f"{5000 * '9'} 1\n"])
def test_a_limit_that_makes_no_sense_is_none(tmp_path: Path, odd: str):
    assert cores_within(tmp_path, limits={"a": odd}) == ALL
