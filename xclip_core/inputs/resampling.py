"""Resizing pictures as Pillow does it, to the level: the processors of published models use it.

Pillow weighs the pixels under a kernel that widens when a picture shrinks (so nothing aliases),
first along the rows, then along the columns, with weights of 22 bits and bytes in between.
"""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

_WEIGHT_ONE = 2**22

KERNEL_RADII = {"bilinear": 1.0, "bicubic": 2.0}


def resize(
    pixels: NDArray[np.uint8],
    *,
    size: tuple[int, int],
    interpolation: str,
    window: tuple[slice, slice] | None = None,
) -> NDArray[np.uint8]:
    """Resize a picture, antialiased.

    Args:
        pixels: (H, W, 3) bytes.
        size: the height and width of the whole new picture.
        interpolation: a name from `KERNEL_RADII`.
        window: the rows and columns of the new picture that are wanted; all unless given. When a
            picture grows nothing else is computed: a ribbon of pixels grows to thousands of times
            the square that is cut from it.

    Returns:
        (h, w, 3) bytes of the window: Pillow's own where both sides grow or the kernel is cubic, at
        most one grey level off otherwise.
    """
    rows, columns = window or (slice(0, size[0]), slice(0, size[1]))
    if size == pixels.shape[:2]:
        return pixels[rows, columns]
    if interpolation == "bilinear" and size[0] <= pixels.shape[0] and size[1] <= pixels.shape[1]:
        return _shrink(pixels, size=size)[rows, columns]
    weights = partial(_weights, interpolation=interpolation)
    left, across = weights(pixels.shape[1], size[1], first=columns.start, stop=columns.stop)
    top, down = weights(pixels.shape[0], size[0], first=rows.start, stop=rows.stop)
    seen = pixels[top : top + down.shape[1], left : left + across.shape[1]]
    stretched = _weigh(_weigh(seen, across).swapaxes(0, 1), down)
    return np.ascontiguousarray(stretched.swapaxes(0, 1))


def _shrink(pixels: NDArray[np.uint8], *, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The usual case, by torch's byte arithmetic: weights of 16 bits, many times as fast.

    Those weights are exact to one level only while a picture shrinks.
    """
    import torch  # whoever gives frames of the right size does not wait for it
    from torch.nn import functional as F

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
def _weights(
    before: int, after: int, *, first: int, stop: int, interpolation: str
) -> tuple[int, NDArray[np.float64]]:
    """How much each of `before` pixels counts in those from `first` to `stop` of `after`.

    Returns:
        The first pixel that counts at all, and the weights (stop - first, n) of it and the n - 1
        behind it, whole numbers.
    """
    scale = before / after
    widening = max(scale, 1.0)
    reach = KERNEL_RADII[interpolation] * widening
    centres = ((np.arange(first, stop) + 0.5) * scale)[:, None]
    # A pixel counts if its middle, to the nearest, lies within reach of the centre.
    nearest = np.floor(np.maximum(centres - reach + 0.5, 0))
    farthest = np.floor(np.minimum(centres + reach + 0.5, before))
    begin = int(nearest[0, 0])
    places = np.arange(begin, int(farthest[-1, 0]))[None]
    shares = _kernel((places - centres + 0.5) / widening, interpolation)
    shares = np.where((places >= nearest) & (places < farthest), shares, 0.0)
    shares /= shares.sum(axis=1, keepdims=True)
    return begin, np.trunc(shares * _WEIGHT_ONE + np.copysign(0.5, shares))


def _kernel(distance: NDArray[np.float64], interpolation: str) -> NDArray[np.float64]:
    """A triangle, or Keys' cubic with a = -1/2."""
    x = np.abs(distance)
    if interpolation == "bilinear":
        return np.maximum(1.0 - x, 0.0)
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = -0.5 * (((x - 5.0) * x + 8.0) * x - 4.0)
    return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))
