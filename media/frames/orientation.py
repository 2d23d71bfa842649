"""Which way up a film is: the display matrix as flips and a transposition of pixels."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Orientation:
    """How stored pixels become upright ones: transpose first, then flip.

    All eight ways to lay a rectangle down, mirrored ones included.
    """

    transposed: bool = False
    flipped_x: bool = False
    flipped_y: bool = False

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """Upright pixels (H', W', C), contiguous, from stored pixels (H, W, C)."""
        if self.transposed:
            pixels = pixels.swapaxes(0, 1)
        if self.flipped_y:
            pixels = pixels[::-1]
        if self.flipped_x:
            pixels = pixels[:, ::-1]
        return np.ascontiguousarray(pixels)


def orientation_of_matrix(matrix: bytes) -> Orientation:
    """The orientation that a display matrix asks for; angles between are taken to the nearest.

    `matrix` holds 9 int32 in machine order, rows (a b u), (c d v), (x y w): a stored pixel at
    (p, q), q counted downwards, is shown at (a p + c q + x, b p + d q + y). Source: FFmpeg's
    libavutil/display.h. Anything else than 9 numbers is taken as upright.
    """
    if len(matrix) != 9 * 4:
        return Orientation()
    a, b, _, c, d = np.frombuffer(matrix, dtype=np.int32)[:5].tolist()
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(transposed=True, flipped_x=c < 0, flipped_y=b < 0)
    return Orientation(flipped_x=a < 0, flipped_y=d < 0)
