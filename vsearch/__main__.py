"""The entry point: runs one command line; an error that a user can mend is one sentence."""

import os
import sys

from vsearch.startup import prepare_surroundings

# Nothing else is imported before the surroundings are prepared.


def run(arguments: list[str], *, obj: object = None) -> int:
    """Run one command line, with `obj` as that of its context; returns its exit code."""
    import typer

    from vsearch.cli import command
    from vsearch.commands.help import as_options, way_to_help
    from vsearch.exit_codes import DONE
    from vsearch.messages import sentence_of

    try:
        code = command()(
            args=as_options(arguments), prog_name="vsearch", standalone_mode=False, obj=obj
        )
        sys.stdout.flush()
    except typer.TyperException as error:
        said = sentence_of(error)
        return _refuse(said and said + way_to_help(error), code=error.exit_code)
    except SystemExit as error:
        # Typer makes one of a broken pipe.
        if not isinstance(error.__context__, BrokenPipeError):
            raise
        _drop_output()
        return DONE
    except Exception as error:
        return _code_of(error)
    return int(code or DONE)


def _code_of(error: Exception) -> int:
    """The exit code after an error that a user can mend, which is printed; others are raised."""
    from vsearch import caller
    from vsearch.exit_codes import DONE, REFUSED, WRONG_USAGE
    from vsearch.messages import sentence_of

    here = caller.current() is None
    sentence = _why_no_output(error) if here and isinstance(error, OSError) else None
    if sentence is not None:
        _drop_output()
        return _refuse(sentence, code=REFUSED) if sentence else DONE
    sentence = sentence_of(error)
    if sentence is None:
        raise error

    from vsearch.errors import usage_errors

    return _refuse(sentence, code=WRONG_USAGE if isinstance(error, usage_errors()) else REFUSED)


def _why_no_output(error: OSError) -> str | None:
    """The sentence for an error of stdout, "" if its reader is gone; None for other errors."""
    import errno

    again = "make room and try again"
    advice = {
        # Its disk is full, or its terminal was closed.
        errno.ENOSPC: again,
        errno.EDQUOT: again,
        errno.EFBIG: "see which limits are set for you (`ulimit -a`)",
        errno.EIO: "the result could not be written; see what became of the terminal or the disk",
    }
    if isinstance(error, BrokenPipeError):
        return "" if _nobody_reads() else None
    return f"{error.strerror}; {advice[error.errno]}" if error.errno in advice else None


def _nobody_reads() -> bool:
    """Whether the other end of stdout or stderr is gone."""
    import select

    watched = select.poll()
    for stream in (sys.stdout, sys.stderr):
        watched.register(stream.fileno(), 0)
    return any(happened & (select.POLLERR | select.POLLHUP) for _, happened in watched.poll(0))


def _drop_output() -> None:
    """Drop the buffer of stdout, which would fail once more when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse(sentence: str | None, *, code: int) -> int:
    from vsearch.messages import refuse

    if sentence:  # Typer has none to say where it showed the help instead
        refuse(sentence)
    return code


def main() -> None:
    """The entry point of the `vsearch` command."""
    try:
        prepare_surroundings()
        code = _handed_over()
        if code is None:
            code = _run_or_refuse()
    except KeyboardInterrupt:  # before signals are handled, or after
        code = 130
    sys.exit(code)


def _handed_over() -> int | None:
    """The exit code of a command line that a running server has answered; see `handover`."""
    from vsearch.commands.handover import handed_over

    try:
        return handed_over(sys.argv[1:])
    except Exception as error:
        return _code_of(error)


def _run_or_refuse() -> int:
    from vsearch.exit_codes import REFUSED
    from vsearch.interruption import Interruption

    if not _is_supported():
        sentence = "vsearch runs on Linux, in WSL on Windows, and on macOS"
        return _refuse(f"this system is not supported; {sentence}", code=REFUSED)
    return Interruption().exit_code_of(_run_command_line)


def _is_supported() -> bool:
    """Whether Python has the modules that lock files and limit processes."""
    try:
        import fcntl  # noqa: F401
        import resource  # noqa: F401
    except ImportError:
        return False
    return True


def _run_command_line() -> int:
    from machine import prepare_process
    from vsearch.terminal import drop_sizes_that_are_none

    prepare_process()
    drop_sizes_that_are_none()
    return run(sys.argv[1:])


if __name__ == "__main__":
    main()
