"""Work of several threads that is done together: by one of them, for all that wait for it."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import BoundedSemaphore, Lock
from typing import Generic, TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


class Together(Generic[Given, Made]):
    """A function of many things, to be called for one; calls of several threads become one.

    Whoever finds the function idle calls it for all that came meanwhile; the others wait.

    Args:
        function: makes one thing of each, in order.
        at_a_time: calls of it that may run side by side.

    Attributes:
        waiting: those that the next call is for, with what tells them the result.
    """

    def __init__(
        self, function: Callable[[Sequence[Given]], Sequence[Made]], *, at_a_time: int = 1
    ) -> None:
        self._function = function
        self._turn = BoundedSemaphore(at_a_time)
        self._adding = Lock()
        self.waiting: list[tuple[Given, Future[Made]]] = []

    def __call__(self, given: Given) -> Made:
        """What the function makes of it. Raises what it raises, for all that it was called for."""
        future: Future[Made] = Future()
        with self._adding:
            self.waiting.append((given, future))
        with self._turn:
            self._make_all()
        return future.result()

    def _make_all(self) -> None:
        with self._adding:
            waiting, self.waiting = self.waiting, []
        if not waiting:  # somebody else has taken them
            return
        try:
            made = self._function([given for given, _ in waiting])
        except BaseException as error:
            for _, future in waiting:
                future.set_exception(error)
            return
        for (_, future), one in zip(waiting, made, strict=True):
            future.set_result(one)
