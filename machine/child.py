"""Start of child processes, all of them here: never in the current folder.

That folder may hold anybody's files. Python looks there for modules unless `-P` is given, and the
system for libraries where a variable of the environment has an empty entry.
"""

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from threading import Thread

_NEUTRAL_FOLDER = "/"  # is always there, and nobody but the system's owner writes into it


def start_python(
    function: str, *arguments: str, keep_open: Iterable[int] = ()
) -> "subprocess.Popen[bytes]":
    """Start a Python process that runs `function`, named as "module:function".

    It finds the modules that this process finds, gets none of the terminal's signals, and gets
    the descriptors `keep_open` under the same numbers. Its stdin is a pipe that nothing is written
    to: it is at its end when this process has ended, however that happened.

    Raises OSError where the system refuses.
    """
    module, _, name = function.partition(":")
    return subprocess.Popen(
        [*python_command(), "-c", f"from {module} import {name}; {name}()", *arguments],
        cwd=_NEUTRAL_FOLDER,
        env=python_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,  # which is for results
        pass_fds=tuple(keep_open),
        start_new_session=True,
    )


def start_detached_python(
    arguments: Sequence[str],
    *,
    variables: dict[str, str],
    stdout: int,
    stderr: int,
    keep_open: Iterable[int] = (),
) -> int:
    """Start a Python process that goes on when this one has ended; its number.

    `variables` are added to its environment. It gets none of the terminal's signals, and the
    descriptors `keep_open` under the same numbers.

    Raises OSError where the system refuses.
    """
    process = subprocess.Popen(
        [*python_command(), *arguments],
        cwd=_NEUTRAL_FOLDER,
        env=python_environment() | variables,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        pass_fds=tuple(keep_open),
        start_new_session=True,
    )
    Thread(target=process.wait, daemon=True).start()  # or it stayed as a zombie
    return process.pid


def end_python(process: "subprocess.Popen[bytes]", *, seconds: float) -> None:
    """Kill a process that `start_python` has started, and wait for its end for so long at most."""
    if process.stdin:
        process.stdin.close()
    process.kill()
    with suppress(subprocess.TimeoutExpired):  # one that waits for a dead disk cannot be killed
        process.wait(timeout=seconds)


def start_detached(command: Sequence[str | os.PathLike[str]], *, seconds: float) -> int | None:
    """Start a program that goes on by itself when this process has ended.

    It gets nothing of the terminal: no signals, no input, no place to print to. `command` begins
    with the program's whole path. Returns the exit code of one that ends within so many seconds.
    Raises OSError where the system refuses.
    """
    process = subprocess.Popen(
        command,
        cwd=_NEUTRAL_FOLDER,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    waiting = Thread(target=process.wait, daemon=True)  # or it stayed as a zombie
    waiting.start()
    waiting.join(seconds)
    return process.returncode


def become_python(arguments: Sequence[str], *, variables: dict[str, str]) -> None:
    """Replace this process by a Python process with these arguments; does not return.

    `variables` are added to its environment.
    """
    command = [*python_command(), *arguments]
    os.execve(command[0], command, python_environment() | variables)


def python_command() -> list[str]:
    """Command of this Python, without modules from the current folder (`-P`)."""
    return [sys.executable, "-P"]


def python_environment() -> dict[str, str]:
    """The environment of a Python process that finds modules where this one does.

    Entries of `sys.path` relative to the current folder are left out.
    """
    places = [entry for entry in sys.path if os.path.isabs(entry)]  # noqa: PTH117 - text
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(places),
        "PYTHONUTF8": str(sys.flags.utf8_mode),  # names of files mean the same
    }
