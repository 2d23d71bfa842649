"""Files that are written: whole or not at all, with errors that tell whether others can be."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av.error

from machine.new_file import new_file
from media.container.source import reason
from media.errors import TargetError, WriteError

_OF_TARGET = frozenset(
    (
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EROFS,
        errno.EACCES,
        errno.EPERM,
        errno.EIO,
        errno.ENOENT,
        errno.ENOTDIR,
    )
)


@contextmanager
def unfinished_file(target: Path, *, replace: bool) -> Iterator[Path]:
    """Give a file to write, which becomes `target` if the block ends without an error.

    Raises FileExistsError if there is such a file, unless it is to be replaced; `TargetError` where
    nothing can be written, `WriteError` for other errors.
    """
    try:
        with new_file(target, replace=replace) as unfinished:
            yield unfinished
    except FileExistsError:
        raise
    except (av.error.FFmpegError, OSError) as error:
        kind = TargetError if error.errno in _OF_TARGET else WriteError
        raise kind(f"{target} cannot be written: {reason(error)}") from error
