"""What to compute on, in which numbers, and with how many threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

import torch

from xclip_core.errors import DeviceError

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

_TURN = RLock()  # to set PyTorch's number of threads


def choose_device(wanted: str) -> str:
    """The device to run on.

    Raises:
        DeviceError: it is not here; the message names what is.
    """
    present = ["cpu"]
    if torch.backends.mps.is_available():
        present.insert(0, "mps")
    if torch.cuda.is_available():
        present = ["cuda", *(f"cuda:{i}" for i in range(torch.cuda.device_count())), *present]
    if wanted == "auto":
        return present[0]
    if wanted not in present:
        raise DeviceError(
            f"the device {wanted!r} is not on this machine; it has {', '.join(present)} "
            "('auto' takes the first)"
        )
    return wanted


def choose_precision(wanted: str, *, device: str) -> str:
    """What to compute in.

    "auto" is fp16 on CUDA (X-CLIP was trained in it, and it is finer than bf16), bf16 on
    processors with instructions for it, else fp32.

    Raises:
        DeviceError: the name is unknown, or the device does not compute in it.
    """
    if wanted == "auto":
        if device.startswith("cuda"):
            return "fp16"
        return "bf16" if device == "cpu" and cpu_computes_bf16() else "fp32"
    if wanted not in PRECISIONS:
        raise DeviceError(
            f"the precision {wanted!r} is unknown; there are auto, {', '.join(PRECISIONS)}"
        )
    if wanted == "fp16" and device == "cpu":
        raise DeviceError("fp16 needs a GPU, and the device is cpu: use fp32 or auto")
    return wanted


def cpu_computes_bf16() -> bool:
    """Whether the processor multiplies bf16 matrices itself; emulated, they take ages."""
    checks = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, check, lambda: False)() for check in checks)


@contextmanager
def computing_threads(count: int | None) -> Iterator[None]:
    """Compute on the processor with so many threads; None leaves the number as it is.

    PyTorch has one number for the whole process: what other threads of the process compute in the
    meantime is done with as many. Blocks that set it take turns, so that each leaves it as it was.
    """
    if count is None:
        yield
        return
    with _TURN:
        before = torch.get_num_threads()
        torch.set_num_threads(count)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def compute_in_one_thread() -> None:
    """From now on every call computes on the processor in the thread that makes it, and no other.

    For whoever makes several calls at once: none of them waits for the threads of another one.
    """
    torch.set_num_threads(1)
