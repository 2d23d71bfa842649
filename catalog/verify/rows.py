"""What must hold between the rows of a catalog; the numbers in clips have a file of their own."""

import math
import sys
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import (
    Connection,
    Executable,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    update,
)

from catalog.database.tables import CLIPS, FILES, META, METADATA, PARTIALS, ROOTS, VIDEOS
from catalog.store.files import in_batches
from catalog.store.meta import read_meta
from catalog.store.roots import absolute_text, relative_to, roots_by_id
from catalog.verify.findings import READ_AGAIN, Fault, drop_files, drop_videos, named, videos_named

_ROWS_AT_A_TIME = 10_000
_LARGEST = sys.float_info.max


def provenance_damage(connection: Connection) -> str | None:
    """Why the vectors cannot be compared with anything: nobody knows what made them."""
    stored = read_meta(connection).provenance
    if stored is None:
        names = ("model", "model_digest", "dimension", "frames_per_clip", "window", "stride")
        row = connection.execute(select(*(META.c[name] for name in names))).one()
        known = any(part is not None for part in row)
        used = connection.scalar(select(exists().where(VIDEOS.c.id.is_not(None))))
        return "what made its vectors is no longer recorded" if known or used else None
    numbers = (stored.dimension, stored.frames_per_clip, stored.window, stored.stride)
    if not all(math.isfinite(number) and number > 0 for number in numbers):
        return "the record of what made its vectors holds numbers that cannot be"
    return None


def row_faults(connection: Connection) -> Iterator[Fault]:
    """Every kind of fault among roots, files, videos and the references between all tables."""
    dangling = [*_reference_faults(connection)]
    yield from dangling
    if not dangling:  # with rows missing, nothing else can be told
        checks = (_identity_faults, _root_faults, _file_faults, _doubled_files, _video_faults)
        yield from chain.from_iterable(check(connection) for check in checks)
        yield from _sequence_faults(connection)


def _identity_faults(connection: Connection) -> Iterator[Fault]:
    stored = connection.scalar(select(META.c.catalog_uuid)) or ""
    try:
        UUID(stored)
    except ValueError:
        renamed = update(META).values(catalog_uuid=str(uuid4()), snapshot_digest=None)
        yield Fault(
            f"the catalog's own identity is {stored!r}, which is no UUID",
            "it has a new one",
            lambda connection: _execute(connection, renamed),
        )


def _reference_faults(connection: Connection) -> Iterator[Fault]:
    """Rows that refer to rows which are not there."""
    dangling: dict[str, set[int]] = {}
    for table, number, *_ in connection.execute(text("PRAGMA foreign_key_check")):
        dangling.setdefault(table, set()).add(number)
    for name, rows in dangling.items():
        yield Fault(
            f"{len(rows)} rows of table {name} refer to what is not there",
            "removed; the next `vsearch index` reads anew what they stood for",
            partial(_drop_rows, name=name, rows=sorted(rows)),
        )


def _drop_rows(connection: Connection, *, name: str, rows: list[int]) -> None:
    if name == FILES.name:
        drop_files(connection, rows)
        return
    table = METADATA.tables[name]
    for some in in_batches(rows):
        connection.execute(delete(table).where(table.c.id.in_(some)))


def _root_faults(connection: Connection) -> Iterator[Fault]:
    wrong = {number: root for number, root in roots_by_id(connection).items() if not _is_root(root)}
    if wrong:
        yield Fault(
            f"{len(wrong)} roots are not absolute paths in plain form: {named([*wrong.values()])}",
            READ_AGAIN,
            partial(_drop_roots, root_ids=sorted(wrong)),
        )


def _drop_roots(connection: Connection, *, root_ids: list[int]) -> None:
    for number in root_ids:
        drop_files(
            connection,
            connection.scalars(select(FILES.c.id).where(FILES.c.root_id == number)).all(),
        )
        _execute(connection, delete(PARTIALS).where(PARTIALS.c.root_id == number))
        _execute(connection, delete(ROOTS).where(ROOTS.c.id == number))


def _file_faults(connection: Connection) -> Iterator[Fault]:
    rows = connection.execute(
        select(FILES.c.id, FILES.c.relative_path), execution_options={"yield_per": _ROWS_AT_A_TIME}
    )
    odd = [(number, path) for number, path in rows if not _is_relative(path)]
    if odd:
        yield Fault(
            f"{len(odd)} files have paths that do not lie below their root:"
            f" {named([repr(path) for _, path in odd])}",
            READ_AGAIN,
            partial(drop_files, file_ids=[number for number, _ in odd]),
        )
    both_or_none = FILES.c.video_id.is_(None) == FILES.c.error.is_(None)
    torn = connection.scalars(select(FILES.c.id).where(both_or_none)).all()
    if torn:
        yield Fault(
            f"{len(torn)} files hold neither a video nor a reason why not, or both",
            READ_AGAIN,
            partial(drop_files, file_ids=torn),
        )


def _doubled_files(connection: Connection) -> Iterator[Fault]:
    """One absolute path in two rows: a root may lie below another, so no constraint sees it."""
    roots = {path: number for number, path in roots_by_id(connection).items()}
    nested = [
        (outer.as_posix(), inner)
        for inner in roots
        for outer in Path(inner).parents
        if outer.as_posix() in roots
    ]
    older: set[int] = set()
    one, other = FILES.alias(), FILES.alias()
    for outer, inner in nested:
        prefix = literal(f"{relative_to(inner, outer)}/", FILES.c.relative_path.type)
        pairs = select(one.c.id, other.c.id).where(
            one.c.root_id == roots[outer],
            other.c.root_id == roots[inner],
            one.c.relative_path == prefix + other.c.relative_path,
        )
        older.update(min(row[0], row[1]) for row in connection.execute(pairs))
    if older:
        yield Fault(
            f"{len(older)} files are in the catalog twice, through one root and through another",
            "the older rows were removed",
            partial(drop_files, file_ids=older),
        )


def _video_faults(connection: Connection) -> Iterator[Fault]:
    placed = exists().where(FILES.c.video_id == VIDEOS.c.id)
    cut = exists().where(CLIPS.c.video_id == VIDEOS.c.id)
    # SQLite keeps no NaN; what is not finite is above the largest number or below the smallest.
    finite = VIDEOS.c.duration.between(0.0, _LARGEST) & VIDEOS.c.frame_rate.between(
        -_LARGEST, _LARGEST
    )
    sized = (VIDEOS.c.width > 0) & (VIDEOS.c.height > 0) & (VIDEOS.c.fingerprint != "")
    for condition, what in (
        (~placed, "lie nowhere"),
        (~cut, "have no clips"),
        (or_(~finite, ~sized), "have a length, size or fingerprint that cannot be"),
    ):
        found = connection.scalars(select(VIDEOS.c.id).where(condition).order_by(VIDEOS.c.id)).all()
        if found:
            yield Fault(
                f"{len(found)} videos {what}: {videos_named(connection, found)}",
                READ_AGAIN,
                partial(drop_videos, video_ids=found),
            )


def _sequence_faults(connection: Connection) -> Iterator[Fault]:
    """Ids above the counter of ids: the counter would give them out again once they are free."""
    rows = connection.execute(text("SELECT name, seq FROM sqlite_sequence"))
    counters = {name: seq for name, seq in rows if isinstance(seq, int)}
    for table in (ROOTS, VIDEOS, FILES, CLIPS):
        name = table.name
        highest = connection.scalar(select(func.max(table.c.id))) or 0
        if highest > counters.get(name, 0):
            yield Fault(
                f"the counter of ids for table {name} stands at {counters.get(name, 0)}, but"
                f" {highest} is in use",
                "it was set right",
                partial(_set_counter, name=name, highest=highest),
            )


def _set_counter(connection: Connection, *, name: str, highest: int) -> None:
    connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": name})
    connection.execute(
        text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"),
        {"name": name, "seq": highest},
    )


def _is_root(path: str) -> bool:
    return "\0" not in path and Path(path).is_absolute() and absolute_text(Path(path)) == path


def _is_relative(path: str) -> bool:
    return "\0" not in path and not any(part in ("", ".", "..") for part in path.split("/"))


def _execute(connection: Connection, statement: Executable) -> None:
    connection.execute(statement)
