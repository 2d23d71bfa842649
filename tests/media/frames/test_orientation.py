import numpy as np
import pytest

from media.frames.orientation import Orientation, orientation_of_matrix

ONE = 1 << 16


def _matrix(a: int, b: int, c: int, d: int) -> bytes:
    return np.array([a, b, 0, c, d, 0, 0, 0, 1 << 30], dtype=np.int32).tobytes()


def test_a_phone_held_upright_is_turned_clockwise():
    # The matrix that phones write into QuickTime files for a portrait video.
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    upright = orientation_of_matrix(_matrix(0, ONE, -ONE, 0)).apply(pixels)
    assert upright[..., 0].tolist() == [[3, 0], [4, 1], [5, 2]]


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(("x", "y"), [(1, 1), (1, -1), (-1, 1), (-1, -1)])
def test_every_pixel_is_displayed_where_the_matrix_puts_it(transposed, x, y):
    a, b, c, d = (0, y, x, 0) if transposed else (x, 0, 0, y)
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    orientation = orientation_of_matrix(_matrix(a * ONE, b * ONE, c * ONE, d * ONE))
    upright = orientation.apply(pixels)[..., 0]
    height, width = upright.shape
    for q in range(2):
        for p in range(3):
            column, row = (a * p + c * q) % width, (b * p + d * q) % height
            column -= 1 if a + c < 0 else 0  # a flip sends pixel 0 to the far end, which is -1
            row -= 1 if b + d < 0 else 0
            assert upright[row % height, column % width] == pixels[q, p, 0]


def test_other_angles_are_rounded_to_a_right_angle():
    assert orientation_of_matrix(_matrix(60_000, 9_000, -9_000, 60_000)) == Orientation()


@pytest.mark.parametrize("matrix", [b"", b"\0" * 36, b"\1" * 35])
def test_an_invalid_matrix_means_upright(matrix):
    assert orientation_of_matrix(matrix) == Orientation()
