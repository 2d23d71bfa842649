"""Numbers: rows of nothing else as an array, and functions that engines name differently."""

from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import ReturnTypeFromArgs


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


class lesser(ReturnTypeFromArgs[float]):  # noqa: N801 - a function of SQL
    """The lesser of two numbers in a row, none of which is NULL."""

    name = "least"
    inherit_cache = True


class greater(ReturnTypeFromArgs[float]):  # noqa: N801
    """The greater of two numbers in a row, none of which is NULL."""

    name = "greatest"
    inherit_cache = True


@compiles(lesser, "sqlite")
def _min(element: lesser, compiler: Any, **options: Any) -> str:
    return f"min({compiler.process(element.clauses, **options)})"


@compiles(greater, "sqlite")
def _max(element: greater, compiler: Any, **options: Any) -> str:
    return f"max({compiler.process(element.clauses, **options)})"
