"""Frame vectors in bytes: how near they are to the floats, and what is refused."""

import numpy as np
import pytest

from catalog import FrameVectors, QuantisedVectors
from catalog.frame_vectors import row_bytes

DIM = 512


@pytest.fixture
def vectors() -> np.ndarray:
    drawn = np.random.default_rng(1).normal(size=(40, 8, DIM)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=-1, keepdims=True)


def test_a_vector_takes_two_bytes_more_than_numbers_and_keeps_its_products(vectors):
    quantised = QuantisedVectors.of(vectors)
    assert row_bytes(DIM) == DIM + 2
    assert len(quantised[3].to_bytes()) == 8 * 514
    asked = vectors[::-1, ::-1]
    exact = (vectors * asked).sum(axis=-1)
    assert np.abs((quantised.vectors() * asked).sum(axis=-1) - exact).max() < 0.003
    lengths = np.linalg.norm(quantised.vectors(), axis=-1)
    assert np.abs(lengths - 1).max() < 0.003


def test_what_is_stored_comes_back_to_the_bit(vectors):
    quantised = QuantisedVectors.of(vectors)[7]
    again = QuantisedVectors.from_bytes(quantised.to_bytes(), dim=DIM)
    assert np.array_equal(again.scales, quantised.scales)
    assert np.array_equal(again.values, quantised.values)
    assert np.array_equal(QuantisedVectors.of(again.vectors()).values, quantised.values)


@pytest.mark.parametrize("length", [0.0, 1e-9, 1e-3, 1.0, 50.0])
def test_vectors_of_any_length_are_kept_in_proportion(vectors, length):
    back = QuantisedVectors.of(vectors[0] * length).vectors()
    assert np.isfinite(back).all()
    assert np.abs(back - vectors[0] * length).max() <= max(0.005 * length, 1e-6)


@pytest.mark.parametrize("harm", [b"\x00\x7e", b"\x00\xfc", b"\x00\xbc"])
def test_a_scale_that_is_no_finite_number_from_0_on_is_refused(vectors, harm):
    stored = QuantisedVectors.of(vectors)[0].to_bytes()
    with pytest.raises(ValueError, match="scale"):
        QuantisedVectors.from_bytes(harm + stored[2:], dim=DIM)
    with pytest.raises(ValueError, match="size"):
        QuantisedVectors.from_bytes(stored[:-1], dim=DIM)


def test_parts_of_a_video_are_joined_in_order_of_time(vectors):
    late = FrameVectors(np.arange(8.0) + 0.5, QuantisedVectors.of(vectors[0]))
    early = FrameVectors(np.arange(8.0), QuantisedVectors.of(vectors[1]))
    joined = FrameVectors.joined([late, early], dim=DIM)
    assert joined.times.tolist() == sorted([*early.times, *late.times])
    asked = vectors[2, 0]
    expected = np.stack([vectors[1] @ asked, vectors[0] @ asked], axis=1).ravel()
    np.testing.assert_allclose(joined.products(asked), expected, atol=0.003)
    assert len(FrameVectors.joined([], dim=DIM)) == 0
    with pytest.raises(ValueError, match="times"):
        FrameVectors(np.arange(7.0), QuantisedVectors.of(vectors[0]))
