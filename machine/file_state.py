"""What the system says of a file, in numbers that the catalog can hold and give back."""

import os

_TIMES = 2**64


def size_and_time(state: os.stat_result) -> tuple[int, int]:
    """Bytes, and the time of the last change in nanoseconds since 1970.

    They tell whether a file has changed, by being compared. Clocks set wrong, SMB and NTFS bring
    times before 1677 and after 2262, which take more than 64 bits: these go round and begin anew,
    so that two of them differ as they did.
    """
    size, mtime_ns = state.st_size, state.st_mtime_ns
    if not -_TIMES // 2 <= mtime_ns < _TIMES // 2:
        mtime_ns = (mtime_ns + _TIMES // 2) % _TIMES - _TIMES // 2
    return size, mtime_ns
