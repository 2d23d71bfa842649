"""The activation functions of `config.json` in NumPy, on arrays of float32 of any shape.

Their PyTorch counterparts are in `xclip_core.model.attention`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
ArrayFunction = Callable[[Floats], Floats]

# SELU (arXiv 1706.02515): the constants for which zero mean and unit variance are a fixed point.
_SELU_ALPHA = np.float32(1.6732632423543772)
_SELU_SCALE = np.float32(1.0507009873554805)

# Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26: off by 1.5e-7 at most.
_ERF_P = np.float32(0.3275911)
_ERF_A = tuple(map(np.float32, (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)))


def quick_gelu(x: Floats) -> Floats:
    """CLIP's approximation of GELU: ``x * sigmoid(1.702 x)``."""
    with np.errstate(over="ignore"):  # far below zero the sigmoid is zero
        gate = np.exp(np.float32(-1.702) * x)
    gate += np.float32(1)
    gated: Floats = np.divide(x, gate, out=gate)
    return gated


def gelu(x: Floats) -> Floats:
    """The exact form, by the error function, of which NumPy has none."""
    half: Floats = x * np.float32(0.5)
    return half + half * _erf(x * np.float32(0.5**0.5))


def gelu_new(x: Floats) -> Floats:
    """The form with tanh."""
    inner = np.float32((2 / np.pi) ** 0.5) * (x + np.float32(0.044715) * x * x * x)
    half: Floats = x * np.float32(0.5)
    return half + half * np.tanh(inner)


def relu(x: Floats) -> Floats:
    """What is above zero."""
    return np.maximum(x, np.float32(0))


def selu(x: Floats) -> Floats:
    """Self-normalising: linear above zero, exponential below."""
    below = _SELU_ALPHA * np.expm1(np.minimum(x, np.float32(0)))
    return _SELU_SCALE * (np.maximum(x, np.float32(0)) + below)


ACTIVATION_ARRAYS: dict[str, ArrayFunction] = {
    "quick_gelu": quick_gelu,
    "gelu": gelu,
    "relu": relu,
    "selu": selu,
    "gelu_new": gelu_new,
}


def _erf(x: Floats) -> Floats:
    t = np.float32(1) / (np.float32(1) + _ERF_P * np.abs(x))
    series = np.zeros_like(t)
    for a in reversed(_ERF_A):
        series = (series + a) * t
    signed: Floats = np.copysign(np.float32(1) - series * np.exp(-(x * x)), x)
    return signed
