"""Frame vectors: one for each distinct frame of a video, in bytes instead of floats.

They say at which second of a clip something is to be seen. Letters of dimensions: F distinct frames
of a video, T frames of a clip, D length of a vector.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

_LARGEST = 127  # of an int8, on both sides of 0
_SCALE = np.dtype("<f2")


@dataclass(frozen=True, slots=True, eq=False)
class QuantisedVectors:
    """Vectors of D numbers as int8, each with its own scale: D + 2 bytes a vector.

    The dimensions before D are free: (T,) for a clip, (B, T) for a batch. A product with a unit
    vector is wrong by about 0.003 of the vector's length at D = 512.

    Attributes:
        scales: (…) float16; a number of the vector is its scale times its value.
        values: (…, D) int8.
    """

    scales: NDArray[np.float16]
    values: NDArray[np.int8]

    def __post_init__(self) -> None:
        if self.values.shape[:-1] != self.scales.shape:
            raise ValueError(f"{self.scales.shape} scales for vectors {self.values.shape}")

    @classmethod
    def of(cls, vectors: NDArray[np.float32]) -> Self:
        """Quantise vectors (…, D) float32."""
        scales = (np.abs(vectors).max(axis=-1) / _LARGEST).astype(_SCALE)
        # By the scale as it is stored; a vector that is nearly 0 becomes 0.
        divisors = scales.astype(np.float32)
        divisors[divisors == 0.0] = np.inf
        values = np.rint(vectors / divisors[..., None]).clip(-_LARGEST, _LARGEST)
        return cls(scales, values.astype(np.int8))

    @classmethod
    def from_bytes(cls, content: bytes, *, dim: int) -> Self:
        """Read what `to_bytes` wrote: (N,) vectors of `dim` numbers.

        Raises:
            ValueError: it is of another length, or a scale is not a finite number from 0 on.
        """
        rows = np.frombuffer(content, dtype=_row(dim))
        scales = rows["scale"]
        if not (np.isfinite(scales) & (scales >= 0)).all():
            raise ValueError("the scale of a stored frame vector is no finite number from 0 on")
        return cls(scales, rows["values"])

    def to_bytes(self) -> bytes:
        """The stored form of (N,) vectors."""
        rows = np.empty(len(self.scales), dtype=_row(self.values.shape[-1]))
        rows["scale"], rows["values"] = self.scales, self.values
        return rows.tobytes()

    def __getitem__(self, which: Any) -> Self:
        """Those at an index of the free dimensions."""
        return type(self)(self.scales[which], self.values[which])

    def vectors(self) -> NDArray[np.float32]:
        """The vectors (…, D) float32."""
        return self.values.astype(np.float32) * self.scales[..., None].astype(np.float32)


def _row(dim: int) -> np.dtype[np.void]:
    return np.dtype([("scale", _SCALE), ("values", np.int8, (dim,))])


def row_bytes(dim: int) -> int:
    """The bytes of one stored vector of `dim` numbers."""
    return _row(dim).itemsize


@dataclass(frozen=True, slots=True, eq=False)
class FrameVectors:
    """Frames of one video with their vectors, in order of time.

    Attributes:
        times: (F,) float64, seconds in the video, ascending.
        quantised: the F vectors.
    """

    times: NDArray[np.float64]
    quantised: QuantisedVectors

    def __post_init__(self) -> None:
        if self.times.shape != self.quantised.scales.shape or self.times.ndim != 1:
            raise ValueError(f"{self.times.shape} times of {self.quantised.scales.shape} frames")

    def __len__(self) -> int:
        """F."""
        return len(self.times)

    def products(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """The product (F,) of each frame's vector with `vector` (D,), both float32."""
        products = self.quantised.values.astype(np.float32) @ vector
        return products * self.quantised.scales.astype(np.float32)

    @classmethod
    def joined(cls, parts: Sequence[Self], *, dim: int) -> Self:
        """All frames of several parts of one video, in order of time."""
        times = np.concatenate([np.empty(0), *(part.times for part in parts)])
        scales = [np.empty(0, _SCALE), *(part.quantised.scales for part in parts)]
        values = [np.empty((0, dim), np.int8), *(part.quantised.values for part in parts)]
        order = np.argsort(times, kind="stable")
        every = QuantisedVectors(np.concatenate(scales)[order], np.concatenate(values)[order])
        return cls(times[order], every)
