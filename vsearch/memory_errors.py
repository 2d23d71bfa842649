"""Recognition of a lack of memory, for which each library raises another error."""

import errno
from collections.abc import Iterator

NO_MEMORY = (
    "there is not enough memory for this; end other programs, or raise the limit that is set for "
    "you (`ulimit -v`, or that of the container)"
)
# As the system's loader, PyTorch, and Rust and C++ libraries say it.
_WORDS = ("failed to map segment", "allocate memory", "bad_alloc", "out of memory")
# What is refused on purpose has words of its own.
_KINDS = (ImportError, MemoryError, OSError, RuntimeError, SystemError)


def is_lack_of_memory(error: BaseException) -> bool:
    """Whether the error, or one of its causes, is a lack of memory."""
    return isinstance(error, _KINDS) and any(
        isinstance(one, MemoryError)
        or (isinstance(one, OSError) and one.errno == errno.ENOMEM)
        or any(words in str(one) for words in _WORDS)
        for one in _chain(error)
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
