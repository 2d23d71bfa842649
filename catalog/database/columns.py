"""How numbers, paths, messages and vectors are put into columns and taken out again."""

import math
import os
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, Column, Dialect, Double, Integer, Text
from sqlalchemy.types import TypeDecorator

from catalog.errors import InvalidVectorError

STORED_VECTOR = np.dtype("<f2")
_UNIT_TOLERANCE = 1e-3
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")


_LARGEST = 2**63 - 1  # of the whole numbers that databases hold


class WholeNumber(TypeDecorator[int]):
    """A whole number of 64 bits; one beyond (a clock set wrong, a file system) is the nearest."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Bring the number within bounds."""
        if value is None or -_LARGEST <= value <= _LARGEST:
            return value
        return _LARGEST if value > 0 else -_LARGEST - 1


class LargeNumber(WholeNumber):
    """The same, where databases hold less than 64 bits unless they are asked to."""

    impl = BigInteger
    cache_ok = True


class RealNumber(TypeDecorator[float]):
    """A finite number in double precision: sums of them, and JSON, can hold it.

    SQLite would take NaN for NULL. What is no number counts as 0, what is infinite or beyond any
    use as the largest of the whole numbers.
    """

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:  # noqa: ARG002
        """Bring the number within bounds."""
        if value is None or -_LARGEST <= value <= _LARGEST:
            return value
        return 0.0 if math.isnan(value) else math.copysign(_LARGEST, value)


class PathText(TypeDecorator[str]):
    """A path as text that every database can hold and that gives back the very same bytes.

    File names are bytes; those that are not UTF-8 reach Python as lone surrogates, which no
    database takes. They are written as `%XX`, and so is `%` itself; all other names stay as they
    read. Every character is written on its own, so prefixes stay prefixes.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Escape what is not UTF-8."""
        if value is None:
            return None
        plain = os.fsencode(value).replace(b"%", b"%25").decode("utf-8", "surrogateescape")
        return _ESCAPED_BYTE.sub(lambda found: f"%{ord(found[0]) - 0xDC00:02X}", plain)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Restore the bytes as the file system gave them."""
        if value is None or "%" not in value:
            return value
        return os.fsdecode(unquote_to_bytes(value))


class MessageText(TypeDecorator[str]):
    """Text for people: what no database can hold, bytes of odd file names, reads `\\udcXX`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Make the text storable."""
        return None if value is None else value.encode("utf-8", "backslashreplace").decode("utf-8")


def stored_kind(column: Column[Any]) -> type:
    """What a value of this column is in the database itself: int, float, str or bytes."""
    kind = column.type
    return (kind.impl_instance if isinstance(kind, TypeDecorator) else kind).python_type


def require_unit_vectors(vectors: NDArray[np.float32], *, dimension: int) -> NDArray[np.float32]:
    """(N, D) float32 vectors as they came, once they are seen to be fit for cosines.

    Raises:
        InvalidVectorError: another shape, a number that is not finite, a length that is not 1.
    """
    if vectors.ndim != 2 or vectors.shape[1] != dimension:
        raise InvalidVectorError(
            f"vectors of shape {vectors.shape} do not fit: the catalog holds vectors of"
            f" {dimension} numbers"
        )
    if not np.isfinite(vectors).all():
        raise InvalidVectorError("a vector holds NaN or infinity; the model or its input is broken")
    lengths = np.linalg.norm(vectors, axis=1)
    if len(lengths) and np.abs(lengths - 1.0).max() > _UNIT_TOLERANCE:
        raise InvalidVectorError(
            f"a vector has length {lengths[np.abs(lengths - 1.0).argmax()]:.4g}; they must be"
            " normalised to length 1"
        )
    return vectors


def pack_vectors(vectors: NDArray[np.float32]) -> list[bytes]:
    """Rows of (N, D) as little-endian float16, which costs a cosine about 0.0002."""
    return [row.tobytes() for row in vectors.astype(STORED_VECTOR)]


def unpack_vectors(blobs: Sequence[bytes], *, dimension: int) -> NDArray[np.float32]:
    """Stored rows as (N, D) float32.

    Raises:
        ValueError: a row is not `dimension` numbers long.
    """
    expected = dimension * STORED_VECTOR.itemsize
    if any(len(blob) != expected for blob in blobs):
        raise ValueError(f"a stored vector is not {expected} bytes long")
    flat = np.frombuffer(b"".join(blobs), dtype=STORED_VECTOR)
    return flat.reshape(len(blobs), dimension).astype(np.float32)
