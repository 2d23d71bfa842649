"""Devices, precisions, and the number of threads."""

from __future__ import annotations

import torch

from xclip_core.errors import DeviceError

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def choose_device(wanted: str) -> str:
    """Return the device to run on: the wanted one, or for "auto" a GPU if there is one.

    Raises:
        DeviceError: this machine has no such device; the message names those that it has.
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
    """Return the precision to compute in.

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
    """Tell whether the processor has instructions for bf16 matrices; emulation is very slow."""
    checks = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, check, lambda: False)() for check in checks)


def compute_in_one_thread() -> None:
    """Make every later call compute on the processor in the thread of its caller alone.

    It sets PyTorch's number of threads, which is one for the whole process. For a program that
    makes several calls at once: none of them waits for the threads of another one.
    """
    torch.set_num_threads(1)
