"""How the bytes of clips come to where they are encoded."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Feeding(Protocol):
    """A way to a device."""

    def bring(self, clips: NDArray[np.uint8]) -> Tensor:
        """Clips (B, T, S, S, 3) as a tensor on the device, ready for what is computed next."""

    def finish(self) -> None:
        """Return when the device has done all that it was given."""


def feeding(device: str) -> Feeding:
    """The way to `device` that keeps it waiting least."""
    return PinnedFeeding(device) if device.startswith("cuda") else PlainFeeding(device)


class PlainFeeding:
    """For devices that share the processor's memory."""

    def __init__(self, device: str) -> None:
        self._device = device

    def bring(self, clips: NDArray[np.uint8]) -> Tensor:
        """On the processor without a copy, where the clips lie in one piece."""
        return _tensor(clips).to(self._device)

    def finish(self) -> None:
        """A processor is done when the call returns; of others nobody asks."""


class PinnedFeeding:
    """For CUDA: clips are copied while the device still computes those before them."""

    def __init__(self, device: str) -> None:
        self._device = torch.device(device)
        self._copies = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]

    def bring(self, clips: NDArray[np.uint8]) -> Tensor:
        """Copied from pinned memory beside what the device computes."""
        pinned = _tensor(clips).pin_memory()
        with torch.cuda.stream(self._copies):
            brought = pinned.to(self._device, non_blocking=True)
        computing = torch.cuda.current_stream(self._device)
        computing.wait_stream(self._copies)
        brought.record_stream(computing)  # its memory is in use until that stream is through
        return brought

    def finish(self) -> None:
        """All streams of the device."""
        torch.cuda.synchronize(self._device)


def _tensor(clips: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.require(clips, requirements=["C", "W"]))
