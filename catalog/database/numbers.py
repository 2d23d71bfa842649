"""Numbers: rows that hold nothing else, as an array."""

from collections.abc import Mapping
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select


def read_numbers(
    connection: Connection,
    query: Select[*tuple[object, ...]],
    values: Mapping[str, object] | None = None,
) -> NDArray[np.float64]:
    """The rows (N, C) of a query for C columns of numbers, none of which may be NULL.

    To make a row of SQLAlchemy of each takes longer than SQLite takes to find them.
    """
    with connection.execute(query, values) as result:
        columns = len(result.keys())
        rows = result.cursor.fetchall() if result.cursor else []
    found = np.fromiter(chain.from_iterable(rows), np.float64, count=columns * len(rows))
    return found.reshape(-1, columns)
