"""Work that may never come back."""

import os
import time

import pytest

from indexer.errors import reason
from indexer.scan.timeout import call_with_timeout


def test_what_comes_in_time_is_returned_or_raised_as_it_is():
    assert call_with_timeout(30, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        call_with_timeout(30, lambda: 1 // 0)
    with pytest.raises(TimeoutError, match="of its own"):
        call_with_timeout(30, lambda: (_ for _ in ()).throw(TimeoutError("of its own")))


def test_what_hangs_is_left_to_itself():
    ours, theirs = os.pipe()
    began = time.monotonic()
    try:
        with pytest.raises(OSError, match="longer --decode-timeout") as refused:
            call_with_timeout(0.2, lambda: os.read(ours, 1))
    finally:
        os.write(theirs, b".")
        os.close(theirs)
    assert time.monotonic() - began < 20
    assert reason(refused.value).startswith("cannot be read: nothing came for 0 s;")
