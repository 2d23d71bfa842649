"""How many clips go through a model at once: what the device likes and has memory for."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xclip_core.errors import ModelError

Encode = Callable[[NDArray[np.uint8]], Tensor]

_WORTH = 1.05  # a larger batch has to be this much faster to be worth its memory


class Batches:
    """A size of batch that grows while that is faster, and halves when memory runs out.

    Safe to use from several threads: they share the size, and find it together.

    Attributes:
        size: clips that go through the model at once at present.
    """

    def __init__(
        self,
        *,
        first: int,
        most: int,
        finish: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Begin with batches of `first` clips and try up to `most`.

        `finish` returns when the device has done all that it was given; `clock` tells seconds.
        """
        self.size = first
        self._most = most
        self._finish = finish
        self._clock = clock
        self._warm = False  # what a device does first with a new size takes longer than usual
        self._fastest = 0.0  # clips a second, of half the size
        self._changing = Lock()

    def run(self, encode: Encode, clips: NDArray[np.uint8]) -> list[Tensor]:
        """Encode clips (B, …) batch by batch.

        Raises:
            ModelError: there is not the memory for a single clip.
        """
        vectors: list[Tensor] = []
        done = 0
        while done < len(clips):
            part = clips[done : done + self.size]  # which another thread may change meanwhile
            try:
                vectors.append(self._timed(encode, part))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self._shrink(len(part), error)
            else:
                done += len(part)
        return vectors

    def _timed(self, encode: Encode, part: NDArray[np.uint8]) -> Tensor:
        growing = self.size < self._most and len(part) == self.size
        if not growing:
            return encode(part)
        self._finish()
        began = self._clock()
        vectors = encode(part)
        self._finish()
        self._learn(len(part), seconds=self._clock() - began)
        return vectors

    def _learn(self, clips: int, *, seconds: float) -> None:
        with self._changing:
            if clips != self.size:
                return  # another thread has changed it since
            if self._warm:
                self._grow(clips / seconds)
            self._warm = not self._warm

    def _grow(self, clips_per_second: float) -> None:
        if clips_per_second > self._fastest * _WORTH:
            self._fastest = clips_per_second
            self.size = min(2 * self.size, self._most)
        else:
            self.size = self._most = self.size // 2

    def _shrink(self, tried: int, error: Exception) -> None:
        if tried == 1:
            raise ModelError(
                "there is not enough memory for one clip; close other programs, or use a smaller "
                "model or another device"
            ) from error
        with self._changing:
            self.size = self._most = min(self.size, tried // 2)


def is_out_of_memory(error: Exception) -> bool:
    """Whether PyTorch failed for want of memory: for the processor it has no error of its own."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    said = str(error)
    return "DefaultCPUAllocator" in said or "out of memory" in said or "not enough memory" in said
