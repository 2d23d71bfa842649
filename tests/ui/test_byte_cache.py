import pytest

from ui.byte_cache import ByteCache


def make(size: int, made: list[int]) -> bytes:
    made.append(size)
    return bytes(size)


def test_what_was_made_once_is_kept() -> None:
    made: list[int] = []
    cache = ByteCache(max_bytes=10)
    assert cache.get("a", lambda: make(4, made)) == cache.get("a", lambda: make(4, made))
    assert made == [4]


def test_what_was_not_asked_for_the_longest_goes_first() -> None:
    made: list[int] = []
    cache = ByteCache(max_bytes=10)
    for key in ("a", "b", "a", "c", "a", "b"):
        cache.get(key, lambda: make(4, made))
    assert len(made) == 4  # a, b, c, which pushes b out, and b again


def test_the_bound_holds_for_bytes_and_not_for_pieces() -> None:
    made: list[int] = []
    cache = ByteCache(max_bytes=10)
    for key in range(10):
        cache.get(key, lambda: make(1, made))
    cache.get("large", lambda: make(9, made))
    cache.get(9, lambda: make(1, made))  # the latest small one still fits beside it
    assert len(made) == 11
    cache.get(8, lambda: make(1, made))
    assert len(made) == 12


def test_what_is_larger_than_the_bound_is_handed_out_and_drives_nothing_out() -> None:
    made: list[int] = []
    cache = ByteCache(max_bytes=10)
    cache.get("a", lambda: make(4, made))
    assert len(cache.get("huge", lambda: make(11, made))) == 11
    cache.get("a", lambda: make(4, made))
    cache.get("huge", lambda: make(11, made))
    assert made == [4, 11, 11]


def test_a_failure_is_not_kept() -> None:
    cache = ByteCache(max_bytes=10)

    def fail() -> bytes:
        raise OSError("no such file")

    with pytest.raises(OSError, match="no such file"):
        cache.get("a", fail)
    assert cache.get("a", lambda: b"now") == b"now"
