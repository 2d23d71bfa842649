"""The background of a catalog: one row, which is only a copy of what its clips tell."""

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
    """Read the row; None where there is none, or none for vectors of `dim` numbers."""
    row = connection.execute(select(BACKGROUND)).one_or_none()
    if row is None:
        return None
    values = {name: value for name, value in row._mapping.items() if name != "id"}
    try:
        arrays = {name: _unpacked(values[name], kind) for name, kind in _ARRAYS.items()}
    except ValueError:  # bytes are missing
        return None
    of_dim = len(arrays["mean_text"]) == len(arrays["mean_clip"]) == dim
    paired = len(arrays["maxima"]) == len(arrays["best_clips"]) > 0
    return Background(**{**values, **arrays}) if of_dim and paired else None


def write_background(connection: Connection, background: Background) -> None:
    """Write the row in place of an earlier one."""
    arrays = {name: getattr(background, name) for name in _ARRAYS}
    blobs = {name: arrays[name].astype(kind).tobytes() for name, kind in _ARRAYS.items()}
    names = [column.name for column in BACKGROUND.columns if column.name not in ("id", *_ARRAYS)]
    values = {name: getattr(background, name) for name in names}
    connection.execute(delete(BACKGROUND))
    connection.execute(insert(BACKGROUND).values(id=1, **values, **blobs))


def _unpacked(blob: bytes, kind: np.dtype[Any]) -> NDArray[Any]:
    """The finite numbers of an array (N,); ValueError if they are not."""
    numbers = np.frombuffer(blob, kind)
    if not np.isfinite(numbers).all():
        raise ValueError("not finite")
    return numbers.astype(kind.newbyteorder("="))
