"""The entry point: runs one command line, and says in one sentence what could not be done."""

import errno
import os
import sys

import typer

from vsearch.cli import DONE, INTERRUPTED, app

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


def run(arguments: list[str]) -> int:
    """Run one command line; returns its exit code."""
    try:
        code = app(args=arguments, prog_name="vsearch", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        return _refuse(error.format_message(), code=error.exit_code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (BrokenPipeError, SystemExit):
        # Whoever reads the pipe has enough (Typer makes a SystemExit of that): no fault of ours.
        _drop_output()
        return DONE
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        _drop_output()
        return _refuse(f"{error.strerror}; make room and try again", code=1)
    except Exception as error:
        from vsearch.wiring import USER_ERRORS

        if not isinstance(error, USER_ERRORS):
            raise
        return _refuse(str(error), code=1)
    return int(code or DONE)


def _drop_output() -> None:
    """What stdout still holds would fail once more when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse(sentence: str, *, code: int) -> int:
    if sentence:  # Typer has none to say where it showed the help instead
        print(f"vsearch: {' '.join(sentence.split())}", file=sys.stderr)
    return code


def main() -> None:
    """The entry point of the `vsearch` command."""
    for stream in (sys.stdout, sys.stderr):
        # A file name need not be Unicode, nor the terminal: every name can be printed all the same.
        unicode = (stream.encoding or "").lower().replace("-", "") == "utf8"
        stream.reconfigure(errors="surrogateescape" if unicode else "backslashreplace")  # type: ignore[union-attr]
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
