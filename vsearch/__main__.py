"""The entry point: runs one command line, and says in one sentence what could not be done."""

import errno
import os
import sys

from machine import prepare_process
from vsearch.exit_codes import DONE, REFUSED
from vsearch.interruption import Interruption
from vsearch.messages import refuse
from vsearch.terminal import drop_sizes_that_are_none

# What writing to stdout meets where its disk is full, and where its terminal was closed.
_NO_OUTPUT = {
    errno.ENOSPC: "make room and try again",
    errno.EDQUOT: "make room and try again",
    errno.EIO: "the result could not be written; see what became of the terminal or the disk",
}


def run(arguments: list[str]) -> int:
    """Run one command line; returns its exit code."""
    import typer

    from vsearch.cli import app
    from vsearch.help import as_options, way_to_help

    try:
        code = app(args=as_options(arguments), prog_name="vsearch", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        said = error.format_message().rstrip(".")
        return _refuse(said and said + way_to_help(error), code=error.exit_code)
    except (BrokenPipeError, SystemExit):
        # Whoever reads the pipe has enough (Typer makes a SystemExit of that): no fault of ours.
        _drop_output()
        return DONE
    except OSError as error:
        if error.errno not in _NO_OUTPUT:
            raise
        _drop_output()
        return _refuse(f"{error.strerror}; {_NO_OUTPUT[error.errno]}", code=REFUSED)
    except Exception as error:
        from vsearch.wiring import user_errors

        if not isinstance(error, user_errors()):
            raise
        return _refuse(str(error), code=REFUSED)
    return int(code or DONE)


def _drop_output() -> None:
    """What stdout still holds would fail once more when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse(sentence: str, *, code: int) -> int:
    if sentence:  # Typer has none to say where it showed the help instead
        refuse(sentence)
    return code


def main() -> None:
    """The entry point of the `vsearch` command."""
    if not _is_supported():
        refuse(
            "this system is not supported; vsearch runs on Linux, in WSL on Windows, and on macOS"
        )
        sys.exit(REFUSED)
    prepare_process()
    sys.exit(Interruption().exit_code_of(_run_command_line))


def _is_supported() -> bool:
    """Whether Python has here what files are locked and processes are kept in bounds with."""
    try:
        import fcntl  # noqa: F401
        import resource  # noqa: F401
    except ImportError:
        return False
    return True


def _run_command_line() -> int:
    drop_sizes_that_are_none()
    for stream in (sys.stdout, sys.stderr):
        # A file name need not be Unicode, nor the terminal: every name can be printed.
        unicode = (stream.encoding or "").lower().replace("-", "") == "utf8"
        errors = "surrogateescape" if unicode else "backslashreplace"
        stream.reconfigure(errors=errors)  # type: ignore[union-attr]
    return run(sys.argv[1:])


if __name__ == "__main__":
    main()
