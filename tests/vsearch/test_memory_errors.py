"""A lack of memory, or a limit on the size of files, is told in a sentence."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vsearch.memory_errors import is_lack_of_memory


def run_with(limit: str, home: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    limited = ["sh", "-c", f'ulimit {limit} && exec "$@"', "sh"]
    return subprocess.run(
        [*limited, sys.executable, "-m", "vsearch", *map(str, arguments)],
        env={**os.environ, "VSEARCH_HOME": str(home), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="Linux limits the memory of a process")
@pytest.mark.parametrize("kilobytes", [300_000, 600_000])
def test_with_too_little_memory_a_command_says_so(tmp_path: Path, kilobytes: int) -> None:
    (tmp_path / "a.mp4").touch()
    done = run_with(f"-v {kilobytes}", tmp_path / "home", "index", tmp_path, "--model", "demo")
    assert "Traceback" not in done.stderr
    if kilobytes == 300_000:  # with more, it depends on the libraries
        assert done.returncode == 1
        assert "there is not enough memory" in done.stderr


@pytest.mark.parametrize("words", [["index", ".", "--model", "demo"], ["status"]])
def test_where_no_file_may_grow_a_command_says_so(tmp_path: Path, words: list[str]) -> None:
    done = run_with("-f 0", tmp_path / "home", *words)
    assert done.returncode == 1
    assert done.stderr.startswith("vsearch: ")
    assert done.stderr.count("\n") == 1


def from_(cause: Exception) -> RuntimeError:
    try:
        raise RuntimeError("failed to load libcublas.so.12") from cause
    except RuntimeError as error:
        return error


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
        from_(OSError("libcublas.so.12: failed to map segment from shared object")),
    ],
)
def test_each_way_to_say_it_is_understood(error: Exception) -> None:
    assert is_lack_of_memory(error)


@pytest.mark.parametrize("error", [ImportError("no module"), OSError(errno.EIO, "I/O"), KeyError()])
def test_other_errors_are_not_taken_for_it(error: Exception) -> None:
    assert not is_lack_of_memory(error)
