"""The index follows the files: a real process, real events, real films, a small model."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog import Catalog
from tests.indexer.videos import change_pictures, turn, write_padded

SETTLE = 0.9
PATIENCE = 60.0  # seconds; how long a test waits for what has to come


class Watch:
    """A `vsearch watch --json` that is running, and the passes that it has told of."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.passes: list[dict[str, Any]] = []
        self._lines: queue.Queue[str] = queue.Queue()
        self._errors: list[str] = []
        self._threads = [
            threading.Thread(target=self._read_passes, daemon=True),
            threading.Thread(target=self._read_messages, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _read_passes(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._lines.put(line)

    def _read_messages(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self._errors.append(line)

    @property
    def err(self) -> str:
        return "".join(self._errors)

    def next_pass(self) -> dict[str, Any]:
        try:
            told = json.loads(self._lines.get(timeout=PATIENCE))
        except queue.Empty:
            pytest.fail(f"no pass was made; on stderr: {self.err}")
        self.passes.append(told)
        return dict(told)

    def next_change(self) -> dict[str, Any]:
        """What changed in the next pass, without counts that are nothing."""
        told = self.next_pass()
        counts = ("indexed", "moved", "removed", "failed", "damaged")
        return {name: told[name] for name in counts if told.get(name)}

    def wait_for_message(self, text: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while text not in self.err:
            assert time.monotonic() < deadline, self.err
            time.sleep(0.02)

    def wait_for_film_under_way(self) -> None:
        """Until the progress tells of a film some of whose clips are embedded."""
        deadline = time.monotonic() + PATIENCE
        while not any(json.loads(line).get("path_seconds") for line in self._errors):
            assert time.monotonic() < deadline, self.err
            time.sleep(0.02)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; the exit code, once the process and all it has started are gone."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """The exit code, once the process and all it has started are gone."""
        code = self.process.wait(timeout=PATIENCE)
        self.clear_away()
        deadline = time.monotonic() + PATIENCE
        while group_lives(self.process.pid):
            assert time.monotonic() < deadline, "a process was left behind"
            time.sleep(0.02)
        assert self._lines.empty(), "a pass was made that nobody expected"
        return code

    def clear_away(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(timeout=PATIENCE)
        for thread in self._threads:
            thread.join(timeout=PATIENCE)


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def watch(vsearch: Any, model: Path) -> Iterator[Callable[..., Watch]]:
    """Starts `vsearch watch`; ends what a test leaves behind."""
    begun: list[Watch] = []

    def begin(*arguments: object, within: tuple[str, ...] = ()) -> Watch:
        # The first pass looks at everything; the files that it finds have rested then.
        flags = ("--model", model, "--settle", SETTLE, "--workers", 1, "--json")
        process = vsearch.start("watch", *arguments, *flags, within=within, start_new_session=True)
        begun.append(Watch(process))
        return begun[-1]

    yield begin
    for one in begun:
        one.clear_away()


def rested(*paths: Path) -> None:
    """Make files look as if nothing had happened to them for long."""
    for path in paths:
        os.utime(path, (1e9, 1e9))


def copy_slowly(source: Path, target: Path) -> None:
    """As a download or a slow disk does: a piece at a time, never still for as long as SETTLE."""
    content = source.read_bytes()
    step = len(content) // 12 + 1
    with target.open("wb", buffering=0) as file:
        for start in range(0, len(content), step):
            file.write(content[start : start + step])
            time.sleep(SETTLE / 3)


def places(vsearch: Any) -> set[str]:
    """Where the films lie whose clips can be found."""
    with Catalog.open(vsearch.home / "catalog") as catalog:
        if catalog.provenance is None:
            return set()
        vector = np.eye(catalog.provenance.dim, dtype=np.float32)[0]
        found = catalog.nearest_clips(vector, limit=100)
    return {str(path) for match in found for path in match.paths}


@pytest.mark.parametrize("mode", [(), ("--poll", SETTLE)], ids=["events", "polling"])
def test_the_index_follows_the_files(
    watch: Callable[..., Watch],
    vsearch: Any,
    make_film: Callable[..., Path],
    tmp_path: Path,
    mode: tuple[object, ...],
) -> None:
    library = tmp_path / "films"
    first = make_film(library / "first.mp4", seed=1)
    rested(first)
    source = make_film(tmp_path / "elsewhere" / "slow.mp4", seconds=30, seed=2)

    running = watch(library, *mode)
    assert running.next_change() == {"indexed": 1}

    copy_slowly(source, library / "slow.mp4")
    assert running.next_change() == {"indexed": 1}
    assert running.passes[-1]["video_seconds"] == 30

    (library / "in" / "here").mkdir(parents=True)
    (library / "slow.mp4").rename(library / "in" / "here" / "renamed.mp4")
    while (change := running.next_change()) != {"moved": 1}:
        assert change == {}  # the new folders may be seen before what is put into them

    (library / "in").rename(library / "out")
    assert running.next_change() == {"moved": 1}
    assert places(vsearch) == {str(first), str(library / "out" / "here" / "renamed.mp4")}

    (library / "out" / "here" / "renamed.mp4").unlink()
    assert running.next_change() == {"removed": 1}
    assert places(vsearch) == {str(first)}

    assert running.end() == 0


@pytest.mark.parametrize("mode", [(), ("--poll", SETTLE)], ids=["events", "polling"])
def test_subtitles_are_followed_and_no_film_is_read_for_it(
    watch: Callable[..., Watch],
    vsearch: Any,
    make_film: Callable[..., Path],
    tmp_path: Path,
    mode: tuple[object, ...],
) -> None:
    film = make_film(tmp_path / "films" / "film.mp4", seed=1)
    rested(film)
    running = watch(film.parent, *mode)
    assert running.next_change() == {"indexed": 1}

    subtitles = film.with_name("film.en.srt")
    for words in ("first words", "quite other words"):
        subtitles.write_text(f"1\n00:00:01,000 --> 00:00:02,000\n{words}\n")
        assert running.next_change() == {}
        assert (running.passes[-1]["subtitles"], running.passes[-1]["unchanged"]) == (1, 1)
        assert said(vsearch, "words") == [words]

    subtitles.write_bytes(bytes(range(256)))
    assert running.next_change() == {}
    (failed,) = running.passes[-1]["failed_subtitles"]
    assert failed == {"path": str(subtitles), "error": "is binary, not text"}

    subtitles.unlink()
    assert running.next_change() == {}
    assert running.passes[-1]["failed_subtitles"] == []
    assert said(vsearch, "words") == []
    assert running.end() == 0


def said(vsearch: Any, words: str) -> list[str]:
    """The cues that hold words."""
    with Catalog.open(vsearch.home / "catalog") as catalog:
        return [match.text for match in catalog.details.cues_saying(words, limit=9)]


def test_a_film_that_is_repaired_copied_or_turned_in_its_place_is_known_by_all_of_its_bytes(
    watch: Callable[..., Watch], tmp_path: Path
) -> None:
    path = write_padded(tmp_path / "films" / "a.mp4", seed=1)
    sound = change_pictures(path)
    rested(path)
    running = watch(path.parent)
    assert running.next_change()["indexed"] == 1
    assert len(running.passes[-1]["damaged"]) == 1
    change_pictures(path, to=sound)
    assert running.next_change() == {"indexed": 1}
    copy = path.with_name("b.mp4")
    copy.write_bytes(path.read_bytes())
    assert running.next_change() == {"moved": 1}
    turn(copy)
    assert running.next_change() == {"indexed": 1}
    assert running.end() == 0


def test_at_the_start_a_file_that_is_no_film_is_listed_once_and_one_that_grows_is_waited_for(
    watch: Callable[..., Watch], make_film: Callable[..., Path], tmp_path: Path
) -> None:
    library = tmp_path / "films"
    growing = make_film(library / "growing.mp4")
    ahead = time.time() + 3600  # as if its last byte came when the watch began
    os.utime(growing, (ahead, ahead))
    broken = library / "broken.mp4"
    broken.write_text("this is no film")
    rested(broken)
    running = watch(library)
    first = running.next_pass()
    assert first["indexed"] == 0
    assert [one["path"] for one in first["failed"]] == [str(broken)]
    assert running.next_change() == {"indexed": 1}
    assert running.end(signal.SIGINT) == 0
    assert "stopped; what is finished stays" in running.err


HOLD = """
import sys
from pathlib import Path
from catalog import Catalog

with Catalog.open(Path(sys.argv[1])) as catalog, catalog.lock("a long work"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_while_another_process_holds_the_catalog_the_watch_says_so_once_and_waits(
    watch: Callable[..., Watch], vsearch: Any, make_film: Callable[..., Path], tmp_path: Path
) -> None:
    library = tmp_path / "films"
    rested(make_film(library / "first.mp4", seed=1))
    running = watch(library)
    assert running.next_change() == {"indexed": 1}
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(vsearch.home / "catalog")],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    make_film(tmp_path / "second.mp4", seed=2).rename(library / "second.mp4")
    running.wait_for_message("a long work")
    time.sleep(4 * SETTLE)  # it tries again meanwhile, without another word
    assert running.err.count("a long work") == 1
    holder.communicate("done\n", timeout=PATIENCE)
    assert running.next_change() == {"indexed": 1}
    assert running.end() == 0


def test_a_signal_in_the_middle_of_a_film_ends_the_watch_with_0_and_leaves_nothing_behind(
    watch: Callable[..., Watch], vsearch: Any, make_film: Callable[..., Path], tmp_path: Path
) -> None:
    library = tmp_path / "films"
    rested(make_film(library / "long.mp4", seconds=300, seed=3))
    # So many clips that most of them are still to come when the first are told of.
    running = watch(library, "--window", 1, "--stride", 0.1)
    running.wait_for_film_under_way()
    running.process.send_signal(signal.SIGTERM)
    assert running.next_change() == {}
    assert running.wait() == 0
    assert vsearch("verify").code == 0
    assert places(vsearch) == set()


def test_where_the_system_allows_too_few_watches_folders_are_looked_through(
    watch: Callable[..., Watch], make_film: Callable[..., Path], tmp_path: Path
) -> None:
    within = ("unshare", "--user", "--map-root-user", "sh", "-c")
    limited = (*within, 'echo 2 > /proc/sys/user/max_inotify_watches && exec "$@"', "sh")
    try:
        can = subprocess.run([*limited, "true"], check=False, capture_output=True).returncode == 0
    except OSError:
        can = False
    if not can:
        pytest.skip("this system lets nobody make user NAMESPACES")
    library = tmp_path / "films"
    for name in "abcd":
        rested(make_film(library / name / "film.mp4", seed=ord(name)))
    running = watch(library, within=limited)
    assert running.next_change() == {"indexed": 4}
    running.wait_for_message("sysctl fs.inotify.max_user_watches=")
    running.wait_for_message("looked through every 60 s")
    assert running.end() == 0


def mounting() -> tuple[str, ...]:
    """Runs a command where it may mount, and nobody else sees what."""
    as_root = () if os.geteuid() == 0 else ("--map-root-user",)
    return ("unshare", "--mount", *as_root, "--propagation", "private")


def may_mount() -> bool:
    try:
        command = [*mounting(), "mount", "-t", "tmpfs", "none", "/tmp"]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not may_mount(), reason="this process may not MOUNT file systems for itself")
def test_a_disk_that_is_unmounted_loses_nothing_and_is_watched_again_when_it_is_back(
    watch: Callable[..., Watch], vsearch: Any, make_film: Callable[..., Path], tmp_path: Path
) -> None:
    films, disk, root = (tmp_path / name for name in ("films", "disk", "root"))
    first = make_film(films / "first.mp4", seed=1)
    second = make_film(tmp_path / "second.mp4", seed=2)
    rested(first, second)
    disk.mkdir()
    root.mkdir()
    plug_in = f"mount --bind {disk} {root}"
    prepare = f"mount -t tmpfs none {disk} && cp -p {first} {disk} && {plug_in}"
    running = watch(root, within=(*mounting(), "sh", "-c", f'{prepare} && exec "$@"', "sh"))
    assert running.next_change() == {"indexed": 1}

    def inside(command: str) -> None:
        as_root = ["--mount"] if os.geteuid() == 0 else ["--user", "--mount", "--preserve"]
        enter = ["nsenter", "--target", str(running.process.pid), *as_root]
        subprocess.run([*enter, "sh", "-c", command], check=True)

    inside(f"umount {root}")
    (missing,) = running.next_pass()["failed"]
    assert missing["path"] == str(root)
    assert places(vsearch) == {str(root / "first.mp4")}

    inside(f"cp -p {second} {disk} && {plug_in}")
    assert running.next_change() == {"indexed": 1}
    assert running.passes[-1]["unchanged"] == 1

    inside(f"mv {root}/first.mp4 {root}/renamed.mp4")
    assert running.next_change() == {"moved": 1}
    assert places(vsearch) == {str(root / "renamed.mp4"), str(root / "second.mp4")}
    assert running.end() == 0
