"""Column types for numbers, paths and messages, and the stored form of vectors."""

import math
import os
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, Column, Dialect, Double, Integer, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from catalog.errors import InvalidVectorError

STORED_VECTOR = np.dtype("<f2")
_UNIT_TOLERANCE = 1e-3
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
_LARGEST = 2**63 - 1  # the largest integer that databases hold


class WholeNumber(TypeDecorator[int]):
    """An integer of 64 bits; one that is larger (a wrong clock, a file system) is clamped."""

    impl = Integer
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[int]:
        """BIGINT, where INTEGER has 32 bits."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Clamp the number."""
        if value is None or -_LARGEST <= value <= _LARGEST:
            return value
        return _LARGEST if value > 0 else -_LARGEST - 1


class LargeNumber(WholeNumber):
    """The same under the name BIGINT, which SQLite writes into its schema."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[int]:
        """BIGINT everywhere."""
        return dialect.type_descriptor(BigInteger())


class RealNumber(TypeDecorator[float]):
    """A finite number in double precision: sums of them, and JSON, can hold it.

    SQLite would take NaN for NULL. NaN is stored as 0, and infinite or absurdly large numbers are
    clamped to those of WholeNumber.
    """

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:  # noqa: ARG002
        """Clamp the number."""
        if value is None or -_LARGEST <= value <= _LARGEST:
            return value
        return 0.0 if math.isnan(value) else math.copysign(_LARGEST, value)


class PathText(TypeDecorator[str]):
    """A path as text that every database can hold, and that gives the same bytes back.

    File names are bytes; those that are not UTF-8 reach Python as lone surrogates, which no
    database takes. They are written as `%XX`, and so is `%` itself; all other names stay as they
    are. Every character is escaped on its own, so prefixes stay prefixes.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        """Text in the order of code points, as SQLite's is."""
        collation = None if dialect.name == "sqlite" else "C"
        return dialect.type_descriptor(Text(collation=collation))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Escape bytes that are not UTF-8."""
        if value is None:
            return None
        plain = os.fsencode(value).replace(b"%", b"%25").decode("utf-8", "surrogateescape")
        return _ESCAPED_BYTE.sub(lambda found: f"%{ord(found[0]) - 0xDC00:02X}", plain)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Restore the bytes of the file system."""
        if value is None or "%" not in value:
            return value
        return os.fsdecode(unquote_to_bytes(value))


class MessageText(TypeDecorator[str]):
    """Text for people; bytes of odd file names, which no database can hold, become `\\udcXX`.

    The character NUL, which PostgreSQL does not hold, becomes a space.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Make the text storable."""
        if value is None:
            return None
        return value.replace("\0", " ").encode("utf-8", "backslashreplace").decode("utf-8")


def stored_kind(column: Column[Any]) -> type:
    """The type of this column's values in the database itself: int, float, str or bytes."""
    kind = column.type
    return (kind.impl_instance if isinstance(kind, TypeDecorator) else kind).python_type


def require_unit_vectors(
    vectors: NDArray[np.float32], *, shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """Check that float32 vectors of `shape`, (N, D) or (D,), are fit for cosines; the same array.

    Raises:
        InvalidVectorError: wrong shape, not finite, not of unit length.
    """
    if vectors.shape != shape:
        raise InvalidVectorError(
            f"vectors of shape {vectors.shape} do not fit: the catalog holds vectors of"
            f" {shape[-1]} numbers"
        )
    if not np.isfinite(vectors).all():
        raise InvalidVectorError("a vector holds NaN or infinity; the model or its input is broken")
    lengths = np.atleast_1d(np.linalg.norm(vectors, axis=-1))
    if len(lengths) and np.abs(lengths - 1.0).max() > _UNIT_TOLERANCE:
        raise InvalidVectorError(
            f"a vector has length {lengths[np.abs(lengths - 1.0).argmax()]:.4g}; they must be"
            " normalised to length 1"
        )
    return vectors


def pack_vectors(vectors: NDArray[np.float32]) -> list[bytes]:
    """The rows of (N, D) float32 as little-endian float16, which changes a cosine by 0.0002."""
    return [row.tobytes() for row in vectors.astype(STORED_VECTOR)]


def unpack_vectors(blobs: Sequence[bytes], *, dim: int) -> NDArray[np.float32]:
    """N stored vectors as (N, D) float32.

    Raises:
        ValueError: a stored vector does not have `dim` numbers.
    """
    expected = dim * STORED_VECTOR.itemsize
    if any(len(blob) != expected for blob in blobs):
        raise ValueError(f"a stored vector is not {expected} bytes long")
    flat = np.frombuffer(b"".join(blobs), dtype=STORED_VECTOR)
    return flat.reshape(len(blobs), dim).astype(np.float32)
