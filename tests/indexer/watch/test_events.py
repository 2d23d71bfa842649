"""Real events of real files."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer.watch.events import EventSource, PendingEvents


class Ears:
    """Listens, and waits for what it is told to."""

    def __init__(self, *roots: Path) -> None:
        self.notices = EventSource(roots)
        self.heard: set[Path] = set()
        self.notices.open()

    def take(self) -> set[Path]:
        self.heard |= set(self.notices.drain().paths)
        return self.heard

    def wait_for(self, *paths: Path) -> set[Path]:
        """Everything that was heard until all `paths` were."""
        deadline = time.monotonic() + 20
        while not self.take() >= set(paths):
            assert time.monotonic() < deadline, f"heard only {self.heard}"
            time.sleep(0.01)
        heard, self.heard = self.heard, set()
        return heard


@pytest.fixture
def listen() -> Iterator[Callable[..., Ears]]:
    opened: list[Ears] = []

    def begin(*roots: Path) -> Ears:
        opened.append(Ears(*roots))
        return opened[-1]

    yield begin
    for ears in opened:
        ears.notices.close()


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    (folder / "x").mkdir(parents=True)
    (folder / "a.mp4").write_bytes(b"a film")
    return folder


def test_a_new_video_is_heard_of(listen: Callable[..., Ears], films: Path) -> None:
    ears = listen(films)
    (films / "x" / "new.mp4").write_bytes(b"another")
    ears.wait_for(films / "x" / "new.mp4")


def test_both_names_of_a_renamed_video_are_heard(listen: Callable[..., Ears], films: Path) -> None:
    ears = listen(films)
    (films / "a.mp4").rename(films / "x" / "b.mp4")
    ears.wait_for(films / "a.mp4", films / "x" / "b.mp4")


def test_a_video_that_is_deleted_is_heard_of(listen: Callable[..., Ears], films: Path) -> None:
    ears = listen(films)
    (films / "a.mp4").unlink()
    ears.wait_for(films / "a.mp4")


def test_what_happens_in_a_new_folder_is_heard(listen: Callable[..., Ears], films: Path) -> None:
    ears = listen(films)
    (films / "new" / "deep").mkdir(parents=True)
    ears.wait_for(films / "new")
    (films / "new" / "deep" / "a.mp4").write_bytes(b"a film")
    ears.wait_for(films / "new" / "deep" / "a.mp4")


def test_a_folder_that_goes_is_heard_of(listen: Callable[..., Ears], films: Path) -> None:
    ears = listen(films)
    (films / "x").rename(films.parent / "elsewhere")
    ears.wait_for(films / "x")
    (films.parent / "elsewhere").rename(films / "back")
    ears.wait_for(films / "back")


def test_a_video_that_only_gets_other_times_is_heard_of(
    listen: Callable[..., Ears], films: Path
) -> None:
    ears = listen(films)
    os.utime(films / "a.mp4", (1, 1))
    ears.wait_for(films / "a.mp4")


def test_reading_a_video_is_not_heard(listen: Callable[..., Ears], films: Path) -> None:
    ears = listen(films)
    for _ in range(3):
        (films / "a.mp4").read_bytes()
        list(os.scandir(films))
    (films / "x" / "marker.mp4").touch()
    assert ears.wait_for(films / "x" / "marker.mp4") == {films / "x" / "marker.mp4"}


def test_what_is_no_video_is_not_heard(listen: Callable[..., Ears], films: Path) -> None:
    ears = listen(films)
    (films / "notes.txt").write_text("nothing")
    (films / ".hidden.mp4").write_bytes(b"nothing")
    (films / ".trash").mkdir()
    (films / ".trash" / "a.mp4").write_bytes(b"nothing")
    (films / "x" / "marker.mp4").touch()
    assert ears.wait_for(films / "x" / "marker.mp4") == {films / "x" / "marker.mp4"}


def test_of_a_single_file_nothing_beside_it_is_heard(
    listen: Callable[..., Ears], films: Path
) -> None:
    ears = listen(films / "a.mp4")
    (films / "b.mp4").write_bytes(b"another")
    (films / "a.mp4").write_bytes(b"a longer film")
    assert ears.wait_for(films / "a.mp4") == {films / "a.mp4"}


def test_a_name_that_is_not_unicode_is_heard(listen: Callable[..., Ears], films: Path) -> None:
    ears = listen(films)
    odd = films / os.fsdecode(b"caf\xe9.mp4")
    odd.touch()
    ears.wait_for(odd)


def test_a_watch_whose_folder_is_deleted_is_no_longer_alive(
    listen: Callable[..., Ears], films: Path
) -> None:
    ears = listen(films)
    assert ears.notices.alive
    shutil.rmtree(films)
    deadline = time.monotonic() + 20
    while ears.notices.alive:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_closing_ends_every_thread(films: Path) -> None:
    before = set(threading.enumerate())
    notices = EventSource([films])
    notices.open()
    assert set(threading.enumerate()) > before
    notices.close()
    assert set(threading.enumerate()) <= before
    assert not notices.alive
    notices.close()


def test_nothing_heard_is_nothing_told(films: Path) -> None:
    notices = EventSource([films])
    notices.open()
    assert notices.drain() == PendingEvents({})
    notices.close()


LISTEN = """
import sys, time
from pathlib import Path
from indexer import NoWatchesError
from indexer.watch.events import EventSource

notices = EventSource([Path(sys.argv[1])])
try:
    notices.open()
except NoWatchesError as error:
    sys.exit(str(error))
print("listening", flush=True)
sys.stdin.readline()
deadline = time.monotonic() + 20
while time.monotonic() < deadline:
    told = notices.drain()
    if told.lost or told.shortage:
        sys.exit(f"lost {told.lost}, shortage {told.shortage}")
    time.sleep(0.05)
sys.exit("nothing was told")
"""


def start_listening(folder: Path, *within: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*within, sys.executable, "-c", LISTEN, str(folder)],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def put_to_sleep(process: "subprocess.Popen[str]") -> None:
    """Stop a process, and wait until none of its threads reads events any more."""
    process.send_signal(signal.SIGSTOP)
    for thread in Path(f"/proc/{process.pid}/task").iterdir():
        while ") T " not in (thread / "stat").read_text(encoding="ascii"):
            time.sleep(0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
def test_more_events_than_the_system_keeps_are_told_as_a_loss(films: Path) -> None:
    listener = start_listening(films)
    assert listener.stdout is not None
    assert listener.stdout.readline() == "listening\n"
    put_to_sleep(listener)  # while more happens than the kernel keeps
    kept = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text(encoding="ascii"))
    for number in range(kept + 10):
        (films / f"{number % 2}.mp4").touch()
    listener.send_signal(signal.SIGCONT)
    _, err = listener.communicate("go\n", timeout=30)
    assert err == "lost True, shortage None\n"


def with_limit(name: str, number: int) -> tuple[str, ...]:
    """Runs a command in a user namespace of its own, where such a limit hurts nobody else."""
    limit = f"echo {number} > /proc/sys/user/max_inotify_{name}"
    return ("unshare", "--user", "--map-root-user", "sh", "-c", f'{limit} && exec "$@"', "sh")


def limits_can_be_set() -> bool:
    try:
        command = [*with_limit("watches", 3), "true"]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


needs_namespaces = pytest.mark.skipif(
    not limits_can_be_set(), reason="this system lets nobody make user NAMESPACES"
)


@needs_namespaces
def test_a_folder_that_cannot_be_watched_for_a_lack_of_watches_is_told_with_the_remedy(
    films: Path,
) -> None:
    for name in "bcd":
        (films / name).mkdir()
    listener = start_listening(films, *with_limit("watches", 2))
    _, err = listener.communicate("go\n", timeout=30)
    assert "sudo sysctl fs.inotify.max_user_watches=" in err
    assert err.startswith("lost False, shortage this system allows no more watched folders")


@needs_namespaces
@pytest.mark.parametrize("limit", ["watches", "instances"])
def test_where_nothing_can_be_watched_that_is_refused_with_the_remedy(
    films: Path, limit: str
) -> None:
    listener = start_listening(films, *with_limit(limit, 0))
    _, err = listener.communicate("go\n", timeout=30)
    assert f"`sudo sysctl fs.inotify.max_user_{limit}=" in err
