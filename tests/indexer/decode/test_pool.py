"""Reader processes: bounded, prompt to stop, and never taking more down than one video."""

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from indexer.decode.clip_reader import ClipReader
from indexer.decode.messages import ClipRead, VideoOpened, VideoRead, VideoUnreadable
from indexer.decode.plan import Sampling
from indexer.decode.pool import DecodePool
from indexer.errors import WorkerStartError
from indexer.scan.fingerprint import read_sample
from indexer.scan.jobs import VideoJob
from indexer.scan.walk import FoundFile
from media import write_video
from tests.indexer.colours import FRAMES, ColourProcessor, ModelBrokeError
from tests.indexer.processes import command_of, reader_processes, started_by


def job(path: Path) -> VideoJob:
    state = path.stat()
    file = FoundFile(
        root=path.parent, pathname=str(path), size=state.st_size, mtime_ns=state.st_mtime_ns
    )
    return VideoJob(file, read_sample(path))


@contextmanager
def decode_pool(processor=None, *, workers=1, timeout=60.0, stride=4.0):
    reader = ClipReader(
        processor=processor or ColourProcessor(),
        frames=FRAMES,
        window=8.0,
        stride=stride,
        sampling=Sampling.AUTO,
        threads=1,
    )
    with closing(DecodePool(reader, workers=workers, timeout=timeout)) as pool:
        yield pool


def received(readers, *, timeout=60.0):
    """Everything until all videos have told their end."""
    messages = []
    deadline = time.monotonic() + timeout
    while readers.unfinished:
        assert time.monotonic() < deadline
        if (message := readers.receive(timeout=0.2)) is not None:
            messages.append(message)
    return messages


def test_videos_are_read_side_by_side_and_every_clip_arrives(film):
    paths = [film(f"{number}.mp4", seconds=20, first=40 * number) for number in range(5)]
    with decode_pool(workers=2) as readers:
        for path in paths:
            readers.submit(job(path))
        messages = received(readers)
    clips = Counter(job.file.path for job, told in messages if isinstance(told, ClipRead))
    assert clips == dict.fromkeys(paths, 4)
    for path in paths:
        kinds = [type(told) for of, told in messages if of.file.path == path]
        assert kinds == [VideoOpened, *[ClipRead] * 4, VideoRead]
    levels = {told.frames.mean().round() for _, told in messages if isinstance(told, ClipRead)}
    assert len(levels) == 20  # no clip was overwritten by a later one before it was taken


def settled_size(path: Path) -> int:
    """The size of a file once it has not grown for a while."""
    sizes = [-1, 0]
    while sizes[-1] != sizes[-2] or sizes[-1] == 0:
        time.sleep(0.3)
        sizes.append(path.stat().st_size if path.exists() else 0)
    return sizes[-1]


def test_a_worker_pauses_while_nobody_receives_what_it_reads(film, tmp_path):
    path = film("long.mp4", seconds=60, step=1)
    tally = tmp_path / "tally"
    large = ColourProcessor(tally=tally, side=256)  # a clip of it fits into no pipe
    with decode_pool(large) as readers:
        readers.submit(job(path))
        # A clip is complete every 4 s, that is with every two frames; one is being sent.
        assert settled_size(tally) == 4
        assert isinstance(readers.receive(timeout=30)[1], VideoOpened)
        assert isinstance(readers.receive(timeout=30)[1], ClipRead)
        assert settled_size(tally) == 4 + 2
        assert len(received(readers)) == 13 + 1
    assert tally.stat().st_size == 30  # every sample time that two clips share was prepared once


def test_a_worker_that_is_killed_while_it_sends_a_clip_costs_its_video_alone(film):
    bad, good = film("a.mp4", seconds=60, step=1), film("b.mp4", seconds=9)
    with decode_pool(ColourProcessor(side=256)) as readers:
        readers.submit(job(bad))
        readers.submit(job(good))
        assert isinstance(readers.receive(timeout=60)[1], VideoOpened)
        (process,) = reader_processes()
        wait_until_it_sleeps(process)
        os.kill(process, signal.SIGKILL)
        messages = received(readers)
    ends = {of.file.path: told for of, told in messages if not isinstance(told, ClipRead)}
    assert ends[bad] == VideoUnreadable("its decoder was killed, perhaps for lack of memory")
    assert isinstance(ends[good], VideoRead)


def wait_until_it_sleeps(process: int) -> None:
    """Wait until the process waits for something twice in a row: its pipe is full."""
    asleep = 0
    deadline = time.monotonic() + 60
    while asleep < 2:
        assert time.monotonic() < deadline
        time.sleep(0.2)
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        asleep = asleep + 1 if state == "S" else 0


def test_leaving_ends_readers_at_once_whatever_they_do(film):
    for trouble in ("slow", "hang"):
        processor = ColourProcessor(trouble=trouble, trouble_above=0)
        with decode_pool(processor, workers=2) as readers:
            readers.submit(job(film("a.mp4", seconds=3)))
            readers.submit(job(film("b.mp4", seconds=3, first=90)))
            readers.receive(timeout=30)
            began = time.monotonic()
        assert time.monotonic() - began < 3
        assert not reader_processes()


def test_what_preparing_a_frame_fails_with_is_raised_to_the_receiver(film):
    processor = ColourProcessor(trouble="raise", trouble_above=0)
    with decode_pool(processor) as readers:
        readers.submit(job(film("a.mp4", seconds=3)))
        with pytest.raises(ModelBrokeError):
            received(readers)


def test_receiving_gives_up_after_the_time_it_was_given(film):
    processor = ColourProcessor(trouble="hang", trouble_above=0)
    with decode_pool(processor) as readers:
        readers.submit(job(film("a.mp4", seconds=3)))
        assert isinstance(readers.receive(timeout=30)[1], VideoOpened)
        began = time.monotonic()
        assert readers.receive(timeout=0.05) is None
        assert time.monotonic() - began < 3


def test_what_a_video_has_ready_is_not_read_again(film):
    path = film("long.mp4", seconds=60, step=1)
    with decode_pool() as readers:
        readers.submit(job(path))
        messages = received(readers)
    opened, clips = messages[0][1], [told for _, told in messages if isinstance(told, ClipRead)]
    some = frozenset(opened.spans[:9])
    resumed = VideoJob(
        job(path).file,
        job(path).sample,
        ready=some,
        ready_of=opened.record.fingerprint,
        ready_duration=opened.record.duration,
    )
    with decode_pool() as readers:
        readers.submit(resumed)
        again = [told for _, told in received(readers) if isinstance(told, ClipRead)]
    assert [clip.clip for clip in again] == [clip.clip for clip in clips[9:]]
    for before, after in zip(clips[9:], again, strict=True):
        assert np.array_equal(before.frames, after.frames)


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        ("crash", "its decoder crashed (SIGSEGV)"),
        ("killed", "its decoder was killed, perhaps for lack of memory"),
    ],
)
def test_a_video_that_ends_its_reader_is_told_and_the_others_are_read(film, trouble, error):
    paths = [film(f"{number}.mp4", seconds=9, first=20) for number in range(3)]
    bad = film("bad.mp4", seconds=9, first=200)
    processor = ColourProcessor(trouble=trouble, trouble_above=150)
    with decode_pool(processor, workers=1) as readers:
        for path in (bad, *paths):
            readers.submit(job(path))
        messages = received(readers)
    ends = {of.file.path: told for of, told in messages if not isinstance(told, ClipRead)}
    assert ends.pop(bad) == VideoUnreadable(error)
    assert [type(told) for told in ends.values()] == [VideoRead] * 3


def test_readers_that_have_ended_keep_nothing_open(film):
    processor = ColourProcessor(trouble="killed", trouble_above=150)
    open_after_each = []
    with decode_pool(processor) as readers:
        for number in range(3):
            readers.submit(job(film(f"{number}.mp4", seconds=1, first=200)))
            received(readers)
            open_after_each.append(open_files())
    assert len(set(open_after_each)) == 1


def test_a_video_that_hangs_is_given_up_after_a_time_that_fits_it(film):
    bad, good = film("bad.mp4", seconds=0.5, first=200), film("good.mp4", seconds=9)
    processor = ColourProcessor(trouble="hang", trouble_above=150)
    began = time.monotonic()
    with decode_pool(processor, timeout=0.5) as readers:
        readers.submit(job(bad))
        readers.submit(job(good))
        messages = received(readers, timeout=60)
    assert 5 < time.monotonic() - began < 60
    ends = {of.file.path: told for of, told in messages if not isinstance(told, ClipRead)}
    assert "hangs" in ends[bad].error
    assert isinstance(ends[good], VideoRead)


def test_a_video_that_takes_too_much_memory_fails_alone(film):
    bad, good = film("bad.mp4", seconds=1, first=200), film("good.mp4", seconds=9)
    processor = ColourProcessor(trouble="memory", trouble_above=150)
    with decode_pool(processor) as readers:
        readers.submit(job(bad))
        readers.submit(job(good))
        messages = received(readers)
    ends = {of.file.path: told for of, told in messages if not isinstance(told, ClipRead)}
    assert "memory" in ends[bad].error
    assert isinstance(ends[good], VideoRead)


def test_a_signal_to_every_process_of_a_service_is_not_blamed_on_the_video(film, tmp_path):
    go_on = tmp_path / "go on"
    processor = ColourProcessor(trouble="slow", trouble_above=0, until=go_on)
    with decode_pool(processor) as readers:
        readers.submit(job(film("a.mp4", seconds=9)))
        assert isinstance(readers.receive(timeout=60)[1], VideoOpened)
        (process,) = reader_processes()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(process, number)
        go_on.touch()
        assert type(received(readers)[-1][1]) is VideoRead


_DEAF_RUN = """
import signal, sys
from pathlib import Path
from tests.indexer.indexing_process import run
signal.signal(signal.SIGINT, lambda *_: None)
sys.exit(run(Path(sys.argv[1]), Path(sys.argv[2])).indexed != 1)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="Linux tells who started whom")
def test_a_ctrl_c_in_the_terminal_while_a_reader_starts_is_for_the_run_alone(film, tmp_path):
    library = film("a.mp4", seconds=9).parent
    run = subprocess.Popen(
        [sys.executable, "-c", _DEAF_RUN, library, tmp_path / "catalog"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,  # it and what it starts are what a terminal's Ctrl-C goes to
    )
    while not any("fork_server" in command_of(process) for process in started_by(run.pid)):
        assert run.poll() is None
    os.killpg(run.pid, signal.SIGINT)
    _, err = run.communicate(timeout=120)
    assert (run.returncode, err) == (0, "")


@contextmanager
def soft_limit(kind: int, limit: int) -> Iterator[None]:
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir())) - 1


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Linux tells what is open")
def test_without_enough_open_files_no_process_starts_and_a_sentence_says_so(film):
    film_job = job(film("a.mp4", seconds=3))
    with (
        decode_pool() as readers,
        soft_limit(resource.RLIMIT_NOFILE, open_files() + 2),
        pytest.raises(WorkerStartError, match=r"cannot be started .Too many open files.;.*ulimit"),
    ):
        readers.submit(film_job)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Linux tells what is open")
def test_where_the_system_allows_no_second_process_the_first_one_reads_everything(film):
    paths = [film(f"{number}.mp4", seconds=9, first=20 + number) for number in range(3)]
    with decode_pool(workers=3) as readers:
        first, *others = map(job, paths)
        readers.submit(first)
        with soft_limit(resource.RLIMIT_NOFILE, open_files() + 2):
            for other in others:
                readers.submit(other)
        assert len(reader_processes()) == 1
        messages = received(readers)
    assert {of.file.path for of, told in messages if isinstance(told, VideoRead)} == set(paths)


_WITH_FULL_DISKS = """
mount -t tmpfs -o size=16k none /dev/shm && mount -t tmpfs -o size=200k none "$TMPDIR" || exit 99
head -c 16k /dev/zero > /dev/shm/full
head -c 196k /dev/zero > "$TMPDIR/full"  # Python asks for a little room before it takes a folder
exec "$1" -m tests.indexer.indexing_process "$2" "$3"
"""


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder for sockets, whose names may have 107 letters only."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def test_a_full_shared_memory_and_a_full_folder_for_temporary_files_stop_nothing(
    film, tmp_path, short_folder
):
    film("a.mp4", seconds=9)
    library = film("b.mp4", seconds=9, first=40).parent
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = ["unshare", "--mount", *as_root, "sh", "-c", _WITH_FULL_DISKS, "sh", sys.executable]
    environment = {**os.environ, "TMPDIR": str(short_folder)}
    try:
        run = subprocess.run(
            [*command, library, tmp_path / "catalog"],
            env={**environment, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("needs MOUNT: this system has no unshare")
    if "unshare:" in run.stderr or "mount:" in run.stderr:
        pytest.skip(f"needs MOUNT: {run.stderr.strip()}")
    assert run.returncode == 0, run.stderr


def peak_of_reading(path: Path) -> int:
    """Kilobytes of memory that a reader process needed at most for a video."""
    with decode_pool() as readers:
        readers.submit(job(path))
        received(readers)
        (process,) = reader_processes()
        status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells peaks of memory")
def test_three_hours_of_a_picture_a_second_take_the_memory_of_ten_minutes(tmp_path):
    for minutes in (10, 180):
        pictures = (np.full((48, 64, 3), n % 251, np.uint8) for n in range(60 * minutes))
        write_video(tmp_path / f"{minutes}.mp4", pictures, frame_rate=1)
    short = peak_of_reading(tmp_path / "10.mp4")
    assert peak_of_reading(tmp_path / "180.mp4") < short + 12_000
