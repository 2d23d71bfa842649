"""A test that CI skips in silence is a test that nobody runs: in CI such a skip fails."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Generator
from typing import TypeVar

import pytest

from tests.postgresql_server import Server, running_server

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

# What a machine may lack, by the word that a skip's reason has to name it with.
_MAY_BE_MISSING = {
    "VSEARCH_TEST_VIDEOS": lambda: "VSEARCH_TEST_VIDEOS" not in os.environ,
    "VSEARCH_TEST_CLIP_BPE": lambda: "VSEARCH_TEST_CLIP_BPE" not in os.environ,
    "CUDA": lambda: not _cuda_is_here(),
    "MPS": lambda: not _mps_is_here(),
    "NAMESPACES": lambda: not _namespaces_can_be_made(),
    "REPAIR": lambda: os.geteuid() != 0,  # of TCP connections, which the kernel then forgets
    "MOUNT": lambda: not _may_mount(),
    "BINDFS": lambda: not _bindfs_works(),
    "CORES": lambda: not _cores_can_be_chosen(),
}


def _cuda_is_here() -> bool:
    import torch

    return torch.cuda.is_available()


def _mps_is_here() -> bool:
    import torch

    return torch.backends.mps.is_available()


def _bindfs_works() -> bool:
    return (
        shutil.which("bindfs") is not None and os.geteuid() == 0 and os.access("/dev/fuse", os.W_OK)
    )


def _cores_can_be_chosen() -> bool:
    return hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 1


def _may_mount() -> bool:
    """Whether a process may mount file systems for itself, as tests of full disks do."""
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    mount = ["unshare", "--mount", *as_root, "mount", "-t", "tmpfs", "none", "/tmp"]
    try:
        return subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False


def _namespaces_can_be_made() -> bool:
    command = ["unshare", "--user", "--map-root-user", "true"]
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def _is_excused(reason: str) -> bool:
    return any(word in reason and missing() for word, missing in _MAY_BE_MISSING.items())


def _fail_when_skipped(report: Report) -> Report:
    if not report.skipped or hasattr(report, "wasxfail") or not os.environ.get("CI"):
        return report
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not _is_excused(reason):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, which has what it takes to run it: {reason}"
    return report


def pytest_configure() -> None:
    """Hear signals also in the background of a script or under nohup, which have them ignored.

    Processes inherit that, and those that tests start have to be interrupted.
    """
    for number, usual in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGHUP, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _fail_when_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _fail_when_skipped((yield))


@pytest.fixture(scope="session")
def postgresql_server() -> Generator[Server]:
    """A PostgreSQL server of this process."""
    with running_server() as server:
        yield server


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Local time is that of Berlin: two hours ahead of UTC in summer, one in winter."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(autouse=True)
def usual_scheduling() -> Generator[None]:
    """Take back the real-time priority that SVT-AV1 gives to a process of root that encodes.

    All processes that it starts inherit the priority, and on one core such a process can keep the
    kernel from finishing what it waits for itself: it then spins for ever, and nothing ends it.
    """
    yield
    if hasattr(os, "sched_setscheduler") and os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
