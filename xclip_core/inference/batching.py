"""Batches: as many clips per forward pass as a device is quick with and has memory for."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from xclip_core.errors import ModelError

_Vectors = TypeVar("_Vectors")

# Seconds. A pass that takes longer gains nothing by more clips: what a pass costs by itself counts
# no more. Short passes also keep the end of an index run, and a Ctrl-C, short.
_QUICK = 0.25


class Batcher:
    """Encodes clips in batches and learns how many suit the device. Safe to use from threads.

    Args:
        most: clips per pass at most.
        clock: seconds, from any origin.
    """

    def __init__(self, *, most: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self._most = most
        self._clock = clock
        self._wanted = 1
        self._changing = Lock()

    @property
    def wanted(self) -> int:
        """Number of clips that the next call should bring: it doubles while passes are quick."""
        return self._wanted

    def run(
        self, encode: Callable[[NDArray[np.uint8]], _Vectors], clips: NDArray[np.uint8]
    ) -> list[_Vectors]:
        """Encode clips (B, T, S, S, 3), in as few passes as the memory allows.

        Args:
            encode: one pass; it returns when its vectors are in the memory of the processor.

        Returns:
            The vectors of each pass, in order.

        Raises:
            ModelError: there is not enough memory for a single clip.
        """
        vectors: list[_Vectors] = []
        done = 0
        while done < len(clips):
            part = clips[done : done + self._most]
            began = self._clock()
            try:
                vectors.append(encode(part))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self._shrink(len(part), error)
            else:
                done += len(part)
                self._grow(len(part), seconds=self._clock() - began)
        return vectors

    def _grow(self, clips: int, *, seconds: float) -> None:
        with self._changing:
            if seconds < _QUICK and clips >= self._wanted:
                self._wanted = min(2 * self._wanted, self._most)

    def _shrink(self, tried: int, error: Exception) -> None:
        if tried == 1:
            raise ModelError(
                "there is not enough memory for one clip; close other programs, or use a smaller "
                "model or another device"
            ) from error
        with self._changing:
            self._most = min(self._most, tried // 2)
            self._wanted = min(self._wanted, self._most)


def is_out_of_memory(error: Exception) -> bool:
    """Tell whether PyTorch lacked memory; on the processor it raises a plain RuntimeError."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    message = str(error)
    needles = ("DefaultCPUAllocator", "out of memory", "not enough memory")
    return any(needle in message for needle in needles)
