"""Rows of numbers that a statement is given: they are joined with those of tables."""

import json
from collections.abc import Iterable, Sequence

from sqlalchemy import Subquery, text
from sqlalchemy.types import TypeEngine

_TYPES = {int: "BIGINT", float: "DOUBLE PRECISION"}


def given_rows(
    engine: str, parameter: str, **columns: TypeEngine[int] | TypeEngine[float]
) -> Subquery:
    """Rows with these columns of numbers, which the parameter holds as `written`.

    The limit, which is none, has SQLite read each row once, and not for each row of the tables.
    """
    if engine == "sqlite":
        parts = [f"json_extract(value, '$[{n}]') AS \"{name}\"" for n, name in enumerate(columns)]
        query = f"SELECT {', '.join(parts)} FROM json_each(:{parameter}) LIMIT -1"
    else:
        kinds = [_TYPES[kind.python_type] for kind in columns.values()]
        parts = [
            f'CAST(each->>{n} AS {kind}) AS "{name}"'
            for n, (name, kind) in enumerate(zip(columns, kinds, strict=True))
        ]
        listed = f"json_array_elements(CAST(:{parameter} AS json))"
        query = f"SELECT {', '.join(parts)} FROM {listed} AS each"
    return text(query).columns(**columns).subquery("given")


def written(rows: Iterable[Sequence[float]]) -> str:
    """Rows of numbers as a parameter of `given_rows`; no bit of a number is lost."""
    return json.dumps([*rows])
