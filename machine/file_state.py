"""Size and time of a file, in numbers that the catalog can store."""

import os

_TIMES = 2**64


def size_and_time(state: os.stat_result) -> tuple[int, int]:
    """Size in bytes, and time of the last change in nanoseconds since 1970.

    They are compared to see whether a file has changed. Clocks set wrong, SMB and NTFS bring
    times before 1677 and after 2262, which take more than 64 bits: these are taken
    modulo 2**64, so that two of them still differ.
    """
    size, mtime_ns = state.st_size, state.st_mtime_ns
    if not -_TIMES // 2 <= mtime_ns < _TIMES // 2:
        mtime_ns = (mtime_ns + _TIMES // 2) % _TIMES - _TIMES // 2
    return size, mtime_ns
