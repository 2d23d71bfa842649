"""What is computed on and in, and what is refused."""

import pytest
import torch

from xclip_core.errors import DeviceError
from xclip_core.inference.devices import (
    choose_device,
    choose_precision,
    cpu_computes_bf16,
)


def test_auto_takes_a_gpu_where_there_is_one() -> None:
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    if torch.backends.mps.is_available():
        expected = "mps"
    assert choose_device("auto") == expected


@pytest.mark.parametrize("wanted", ["cuda:99", "tpu", ""])
def test_a_device_that_is_not_here_is_told_what_is(wanted: str) -> None:
    with pytest.raises(DeviceError, match=r"it has .*cpu"):
        choose_device(wanted)


def test_auto_precision_fits_the_device() -> None:
    assert choose_precision("auto", device="cuda") == "fp16"
    assert choose_precision("auto", device="mps") == "fp32"
    assert choose_precision("auto", device="cpu") == ("bf16" if cpu_computes_bf16() else "fp32")


def test_a_precision_that_does_not_fit_is_refused() -> None:
    with pytest.raises(DeviceError, match="fp16 needs a GPU"):
        choose_precision("fp16", device="cpu")
    with pytest.raises(DeviceError, match="fp32, bf16, fp16"):
        choose_precision("int8", device="cuda")
