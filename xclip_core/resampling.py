"""Resizing pictures as Pillow does it, to the level: the processors of published models use it.

Pillow weighs the pixels under a kernel that widens when a picture shrinks (so nothing aliases),
first along the rows, then along the columns, with weights of 22 bits and bytes in between.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

_WEIGHT_ONE = 2**22

KERNEL_RADII = {"bilinear": 1.0, "bicubic": 2.0}


def resize(
    pixels: NDArray[np.uint8], *, size: tuple[int, int], interpolation: str
) -> NDArray[np.uint8]:
    """Resize a picture, antialiased.

    Args:
        pixels: (H, W, 3) bytes.
        size: the new height and width.
        interpolation: a name from `KERNEL_RADII`.

    Returns:
        (*size, 3) bytes: Pillow's own where both sides grow or the kernel is cubic, at most one
        grey level off otherwise.
    """
    if size == pixels.shape[:2]:
        return pixels
    if interpolation == "bilinear" and size[0] <= pixels.shape[0] and size[1] <= pixels.shape[1]:
        return _shrink(pixels, size=size)
    rows = _weigh(pixels, _weights(pixels.shape[1], size[1], interpolation))  # (H, w, 3)
    columns = _weigh(rows.swapaxes(0, 1), _weights(pixels.shape[0], size[0], interpolation))
    return np.ascontiguousarray(columns.swapaxes(0, 1))


def _shrink(pixels: NDArray[np.uint8], *, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The usual case, by torch's byte arithmetic: weights of 16 bits, many times as fast.

    Those weights are exact to one level only while a picture shrinks.
    """
    # torch wants memory that it could write to, without negative strides.
    frame = torch.from_numpy(np.require(pixels, requirements=["C", "W"]))
    frame = frame.permute(2, 0, 1)[None]  # (1, 3, H, W), channels last in memory
    resized = F.interpolate(frame, size=size, mode="bilinear", antialias=True, align_corners=False)
    shrunk: NDArray[np.uint8] = resized[0].permute(1, 2, 0).numpy()
    return shrunk


def _weigh(pixels: NDArray[np.uint8], weights: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(A, n, 3) to (A, m, 3) bytes, by weights (m, n)."""
    # Whole numbers below 2**53: exact in doubles.
    sums = np.matmul(weights, pixels.astype(np.float64))
    levels: NDArray[np.float64] = np.floor((sums + _WEIGHT_ONE // 2) / _WEIGHT_ONE)
    return np.clip(levels, 0, 255).astype(np.uint8)


@lru_cache(maxsize=16)
def _weights(before: int, after: int, interpolation: str) -> NDArray[np.float64]:
    """How much each of `before` pixels counts in each of `after`: (after, before), whole."""
    scale = before / after
    widening = max(scale, 1.0)
    reach = KERNEL_RADII[interpolation] * widening
    centres = ((np.arange(after) + 0.5) * scale)[:, None]
    places = np.arange(before)[None]
    # A pixel counts if its middle, to the nearest, lies within reach of the centre.
    first = np.floor(np.maximum(centres - reach + 0.5, 0))
    last = np.floor(np.minimum(centres + reach + 0.5, before))
    shares = _kernel((places - centres + 0.5) / widening, interpolation)
    shares = np.where((places >= first) & (places < last), shares, 0.0)
    shares /= shares.sum(axis=1, keepdims=True)
    return np.trunc(shares * _WEIGHT_ONE + np.copysign(0.5, shares))


def _kernel(distance: NDArray[np.float64], interpolation: str) -> NDArray[np.float64]:
    """A triangle, or Keys' cubic with a = -1/2."""
    x = np.abs(distance)
    if interpolation == "bilinear":
        return np.maximum(1.0 - x, 0.0)
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = -0.5 * (((x - 5.0) * x + 8.0) * x - 4.0)
    return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))
