"""The server that readers are forked from: it depends on nothing on disk, and leaves nothing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from indexer.decode.messages import VideoRead
from tests.indexer.colours import ColourProcessor
from tests.indexer.decode.test_pool import decode_pool, job, received
from tests.indexer.processes import command_of, reader_processes, server_processes, started_by

RUN = [sys.executable, "-m", "tests.indexer.indexing_process"]


def test_it_starts_anew_where_something_ended_it(film):
    paths = [film(f"{number}.mp4", seconds=3, first=20 + 40 * number) for number in range(2)]
    servers = []
    for path in paths:
        with decode_pool() as readers:
            readers.submit(job(path))
            assert isinstance(received(readers)[-1][1], VideoRead)
            (server,) = server_processes()
        servers.append(server)
        os.kill(server, signal.SIGKILL)
    assert len(set(servers)) == 2


def test_it_serves_one_run_after_the_other(film):
    path = film("a.mp4", seconds=3)
    servers = []
    for _ in range(2):
        with decode_pool() as readers:
            readers.submit(job(path))
            received(readers)
            servers += server_processes()
    assert len(set(servers)) == 1
    assert reader_processes() == []


def test_videos_that_are_being_read_outlive_it(film, tmp_path):
    go_on = tmp_path / "go on"
    processor = ColourProcessor(trouble="slow", trouble_above=0, until=go_on)
    with decode_pool(processor) as readers:
        readers.submit(job(film("a.mp4", seconds=9)))
        readers.receive(timeout=60)
        os.kill(server_processes()[0], signal.SIGKILL)
        go_on.touch()
        assert isinstance(received(readers)[-1][1], VideoRead)


def environment(temporary_files: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "TMPDIR": str(temporary_files),
    }


@pytest.mark.parametrize("kind", ["long", "missing", "a file", "not to be written to"])
def test_a_strange_folder_for_temporary_files_stops_nothing(film, tmp_path, kind):
    library = film("a.mp4", seconds=3).parent
    folder = tmp_path / ("x" * 200)
    if kind == "a file":
        folder.touch()
    elif kind != "missing":
        folder.mkdir(mode=0o500 if kind == "not to be written to" else 0o700)
    run = subprocess.run(
        [*RUN, library, tmp_path / "catalog"],
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="Linux tells who started whom")
def test_a_killed_run_leaves_neither_processes_nor_temporary_files(film, tmp_path):
    library = film("long.mp4", seconds=100, first=10, step=1).parent
    temporary_files = tmp_path / "temporary"
    temporary_files.mkdir()
    run = subprocess.Popen(
        [*RUN, library, tmp_path / "catalog"],
        env=environment(temporary_files),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    assert run.stdout.readline()  # clips are embedded
    servers = [one for one in started_by(run.pid) if "fork_server" in command_of(one)]
    helpers = [*servers, *(reader for server in servers for reader in started_by(server))]
    assert len(helpers) >= 2
    run.kill()
    _, err = run.communicate()
    assert (run.returncode, err) == (-signal.SIGKILL, "")
    deadline = time.monotonic() + 60
    while any(map(command_of, helpers)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert list(temporary_files.iterdir()) == []


def test_it_loads_no_database():
    code = (
        "import sys\nimport indexer.decode.fork_server\nimport media\n"
        "print(*({'faiss', 'sqlalchemy', 'torch'} & {*sys.modules}))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(Path()),
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout == "\n"
