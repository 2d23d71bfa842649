"""Orientation of frames: the display matrix as a transposition and flips of pixels."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Orientation:
    """Transposition, then flips, that make stored pixels upright: all eight orientations."""

    transposed: bool = False
    flipped_x: bool = False
    flipped_y: bool = False

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """Make stored pixels (height, width, 3) uint8 upright; (width, height, 3) if transposed."""
        if self.transposed:
            pixels = pixels.swapaxes(0, 1)
        if self.flipped_y:
            pixels = pixels[::-1]
        if self.flipped_x:
            pixels = pixels[:, ::-1]
        return np.ascontiguousarray(pixels)


def orientation_of_matrix(matrix: bytes) -> Orientation:
    """Orientation of a display matrix, with its angle rounded to a quarter turn.

    `matrix` holds 9 int32 in machine byte order, rows (a b u), (c d v), (x y w): a stored pixel at
    (p, q), q counted downwards, is displayed at (a p + c q + x, b p + d q + y) (ISO/IEC 14496-12,
    6.2.2; FFmpeg's libavutil/display.h). A matrix of another length means upright.
    """
    if len(matrix) != 9 * 4:
        return Orientation()
    a, b, _, c, d = np.frombuffer(matrix, dtype=np.int32)[:5].tolist()
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(transposed=True, flipped_x=c < 0, flipped_y=b < 0)
    return Orientation(flipped_x=a < 0, flipped_y=d < 0)
