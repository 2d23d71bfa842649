"""As many cores as may be used, and as are free: a container's limits count, and other work."""

import os
from pathlib import Path

import pytest

from machine import idle_cores, thread_limit, usable_cores

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


@pytest.mark.parametrize(("running", "own", "others"), [(1, 1, 0), (2, 1, 1), (4, 4, 0), (1, 4, 0)])
def test_cores_on_which_others_run_are_not_free(
    tmp_path: Path, running: int, own: int, others: int
):
    load = tmp_path / "loadavg"
    load.write_text(f"3.21 1.30 0.70 {running}/812 30571\n")
    free = max(min(usable_cores(), ALL - others), 1)
    assert idle_cores(own_threads=own, load=load) == free


def test_one_core_counts_as_free_however_much_runs(tmp_path: Path):
    load = tmp_path / "loadavg"
    load.write_text("3.21 1.30 0.70 9999/30571 30571\n")
    assert idle_cores(load=load) == 1


@pytest.mark.parametrize("told", [None, "", "3.21 1.30 0.70 many/812 30571\n", "3.21\n"])
def test_a_system_that_does_not_tell_what_runs_is_not_guessed_at(tmp_path: Path, told: str | None):
    load = tmp_path / "loadavg"
    if told is not None:
        load.write_text(told)
    assert idle_cores(load=load) is None


@pytest.mark.skipif(not Path("/proc/loadavg").exists(), reason="Linux tells what runs NOW")
def test_this_machine_tells():
    assert 1 <= (idle_cores() or 0) <= ALL


@pytest.mark.parametrize("odd", ["0 0\n", "100000 0\n", "many 100000\n", f"{5000 * '9'} 1\n"])
def test_a_limit_that_makes_no_sense_is_none(tmp_path: Path, odd: str):
    assert cores_within(tmp_path, limits={"a": odd}) == ALL


@pytest.mark.parametrize(
    ("said", "limit"), [("2", 2), ("0", None), (5000 * "9", None), ("x", None)]
)
def test_a_number_of_threads_that_makes_no_sense_counts_for_nothing(monkeypatch, said, limit):
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    assert thread_limit() == limit
