"""The background of a catalog: one row, which is only a copy of what its clips tell."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, insert, select

from catalog.database.tables import BACKGROUND
from catalog.records import Background

_FLOATS, _IDS = np.dtype("<f4"), np.dtype("<i8")
_ARRAYS: dict[str, np.dtype[Any]] = {
    "mean_text": _FLOATS,
    "mean_clip": _FLOATS,
    "maxima": _FLOATS,
    "best_clips": _IDS,
}


def read_background(connection: Connection, *, dim: int) -> Background | None:
    """Read the row; None where there is none that is whole and for vectors of `dim` numbers."""
    values = _stored(connection)
    if values is None or values.pop("digest") != _digest(values):
        return None
    arrays = {name: _unpacked(values[name], kind) for name, kind in _ARRAYS.items()}
    of_dim = len(arrays["mean_text"]) == len(arrays["mean_clip"]) == dim
    paired = len(arrays["maxima"]) == len(arrays["best_clips"]) > 0
    return Background(**{**values, **arrays}) if of_dim and paired else None


def write_background(connection: Connection, background: Background) -> None:
    """Write the row in place of an earlier one."""
    arrays = {name: getattr(background, name) for name in _ARRAYS}
    blobs = {name: arrays[name].astype(kind).tobytes() for name, kind in _ARRAYS.items()}
    others = {column.name for column in BACKGROUND.columns} - {"id", "digest", *_ARRAYS}
    values = {**{name: getattr(background, name) for name in others}, **blobs}
    connection.execute(delete(BACKGROUND))
    connection.execute(insert(BACKGROUND).values(id=1, digest=_digest(values), **values))


def is_damaged(connection: Connection) -> bool:
    """Whether there is a row whose values are not those that were written."""
    values = _stored(connection)
    return values is not None and bool(values.pop("digest") != _digest(values))


def remove(connection: Connection) -> None:
    """Remove the row: the next index run, or question, computes it anew."""
    connection.execute(delete(BACKGROUND))


def _stored(connection: Connection) -> dict[str, Any] | None:
    """The values of the row by name, but for its id; None where there is none."""
    row = connection.execute(select(BACKGROUND)).one_or_none()
    if row is None:
        return None
    return {name: value for name, value in row._mapping.items() if name != "id"}


def _digest(values: Mapping[str, Any]) -> str:
    """Hexadecimal sha256 of the stored values by name."""
    digest = hashlib.sha256()
    for name in sorted(values):
        digest.update(f"{name} {values[name]!r}\n".encode())
    return digest.hexdigest()


def _unpacked(blob: bytes, kind: np.dtype[Any]) -> NDArray[Any]:
    """The numbers (N,) of an array."""
    return np.frombuffer(blob, kind).astype(kind.newbyteorder("="))
