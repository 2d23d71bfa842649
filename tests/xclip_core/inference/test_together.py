"""Calls of several threads that become one."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from xclip_core.inference.together import Together


def test_those_who_wait_are_served_by_one_call() -> None:
    calls: list[list[int]] = []
    begun, go_on = threading.Event(), threading.Event()

    def squares(numbers: Sequence[int]) -> list[int]:
        calls.append(list(numbers))
        begun.set()
        assert go_on.wait(20)
        return [number**2 for number in numbers]

    square = Together(squares)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(square, 100)
        assert begun.wait(20)
        others = [threads.submit(square, number) for number in range(7)]
        while len(square.waiting) < 7:
            pass
        go_on.set()
        assert first.result(20) == 10_000
        assert [other.result(20) for other in others] == [0, 1, 4, 9, 16, 25, 36]
    assert calls[0] == [100]
    assert [sorted(call) for call in calls[1:]] == [[0, 1, 2, 3, 4, 5, 6]]


def test_an_error_is_that_of_all_it_was_called_for_and_of_nobody_later() -> None:
    def inverses(numbers: Sequence[int]) -> list[float]:
        return [1 / number for number in numbers]

    inverse = Together(inverses)
    with pytest.raises(ZeroDivisionError):
        inverse(0)
    assert inverse(4) == 0.25
