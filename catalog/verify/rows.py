"""What must hold between the rows of a catalog; the numbers in clips have a file of their own."""

import math
import sys
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import Executable, delete, exists, func, literal, or_, select, text, update
from sqlalchemy.orm import Session, aliased

from catalog.database.tables import Base, Clip, DraftVideo, File, Meta, Root, Video
from catalog.store.files import in_batches
from catalog.store.provenance import stored_provenance
from catalog.store.roots import absolute_text, relative_to, roots_by_id
from catalog.verify.findings import READ_AGAIN, Fault, drop_files, drop_videos, named, videos_named

_ROWS_AT_A_TIME = 10_000
_LARGEST = sys.float_info.max


def provenance_damage(session: Session) -> str | None:
    """Why the vectors cannot be compared with anything: nobody knows what made them."""
    meta = session.scalars(select(Meta)).one()
    parts = (
        meta.model,
        meta.weights_digest,
        meta.dimension,
        meta.frames_per_clip,
        meta.window,
        meta.stride,
    )
    stored = stored_provenance(meta)
    if stored is None:
        known = any(part is not None for part in parts)
        used = session.scalar(select(exists().where(Video.id.is_not(None))))
        return "what made its vectors is no longer recorded" if known or used else None
    numbers = (stored.dimension, stored.frames_per_clip, stored.window, stored.stride)
    if not all(math.isfinite(number) and number > 0 for number in numbers):
        return "the record of what made its vectors holds numbers that cannot be"
    return None


def row_faults(session: Session) -> Iterator[Fault]:
    """Every kind of fault among roots, files, videos and the references between all tables."""
    dangling = [*_reference_faults(session)]
    yield from dangling
    if not dangling:  # with rows missing, nothing else can be told
        checks = (_identity_faults, _root_faults, _file_faults, _doubled_files, _video_faults)
        yield from chain.from_iterable(check(session) for check in checks)
        yield from _sequence_faults(session)


def _identity_faults(session: Session) -> Iterator[Fault]:
    stored = session.scalar(select(Meta.catalog_uuid)) or ""
    try:
        UUID(stored)
    except ValueError:
        renamed = update(Meta).values(catalog_uuid=str(uuid4()), snapshot_digest=None)
        yield Fault(
            f"the catalog's own identity is {stored!r}, which is no UUID",
            "it has a new one",
            lambda session: _execute(session, renamed),
        )


def _reference_faults(session: Session) -> Iterator[Fault]:
    """Rows that refer to rows which are not there."""
    dangling: dict[str, set[int]] = {}
    for table, number, *_ in session.execute(text("PRAGMA foreign_key_check")):
        dangling.setdefault(table, set()).add(number)
    for name, rows in dangling.items():
        yield Fault(
            f"{len(rows)} rows of table {name} refer to what is not there",
            "removed; the next `vsearch index` reads anew what they stood for",
            partial(_drop_rows, name=name, rows=sorted(rows)),
        )


def _drop_rows(session: Session, *, name: str, rows: list[int]) -> None:
    if name == File.__tablename__:
        drop_files(session, rows)
        return
    table = Base.metadata.tables[name]
    for some in in_batches(rows):
        session.execute(delete(table).where(table.c.id.in_(some)))


def _root_faults(session: Session) -> Iterator[Fault]:
    wrong = {number: root for number, root in roots_by_id(session).items() if not _is_root(root)}
    if wrong:
        yield Fault(
            f"{len(wrong)} roots are not absolute paths in plain form: {named([*wrong.values()])}",
            READ_AGAIN,
            partial(_drop_roots, root_ids=sorted(wrong)),
        )


def _drop_roots(session: Session, *, root_ids: list[int]) -> None:
    for number in root_ids:
        drop_files(session, session.scalars(select(File.id).where(File.root_id == number)).all())
        _execute(session, delete(DraftVideo).where(DraftVideo.root_id == number))
        _execute(session, delete(Root).where(Root.id == number))


def _file_faults(session: Session) -> Iterator[Fault]:
    rows = session.execute(
        select(File.id, File.relative_path), execution_options={"yield_per": _ROWS_AT_A_TIME}
    )
    odd = [(number, path) for number, path in rows if not _is_relative(path)]
    if odd:
        yield Fault(
            f"{len(odd)} files have paths that do not lie below their root:"
            f" {named([repr(path) for _, path in odd])}",
            READ_AGAIN,
            partial(drop_files, file_ids=[number for number, _ in odd]),
        )
    both_or_none = File.video_id.is_(None) == File.error.is_(None)
    torn = session.scalars(select(File.id).where(both_or_none)).all()
    if torn:
        yield Fault(
            f"{len(torn)} files hold neither a video nor a reason why not, or both",
            READ_AGAIN,
            partial(drop_files, file_ids=torn),
        )


def _doubled_files(session: Session) -> Iterator[Fault]:
    """One absolute path in two rows: a root may lie below another, so no constraint sees it."""
    roots = {path: number for number, path in roots_by_id(session).items()}
    nested = [
        (outer.as_posix(), inner)
        for inner in roots
        for outer in Path(inner).parents
        if outer.as_posix() in roots
    ]
    older: set[int] = set()
    one, other = aliased(File), aliased(File)
    for outer, inner in nested:
        prefix = literal(f"{relative_to(inner, outer)}/", File.relative_path.type)
        pairs = select(one.id, other.id).where(
            one.root_id == roots[outer],
            other.root_id == roots[inner],
            one.relative_path == prefix + other.relative_path,
        )
        older.update(min(row[0], row[1]) for row in session.execute(pairs))
    if older:
        yield Fault(
            f"{len(older)} files are in the catalog twice, through one root and through another",
            "the older rows were removed",
            partial(drop_files, file_ids=older),
        )


def _video_faults(session: Session) -> Iterator[Fault]:
    placed = exists().where(File.video_id == Video.id)
    cut = exists().where(Clip.video_id == Video.id)
    # SQLite keeps no NaN; what is not finite is above the largest number or below the smallest.
    finite = Video.duration.between(0.0, _LARGEST) & Video.frame_rate.between(-_LARGEST, _LARGEST)
    sized = (Video.width > 0) & (Video.height > 0) & (Video.fingerprint != "")
    for condition, what in (
        (~placed, "lie nowhere"),
        (~cut, "have no clips"),
        (or_(~finite, ~sized), "have a length, size or fingerprint that cannot be"),
    ):
        found = session.scalars(select(Video.id).where(condition).order_by(Video.id)).all()
        if found:
            yield Fault(
                f"{len(found)} videos {what}: {videos_named(session, found)}",
                READ_AGAIN,
                partial(drop_videos, video_ids=found),
            )


def _sequence_faults(session: Session) -> Iterator[Fault]:
    """Ids above the counter of ids: the counter would give them out again once they are free."""
    rows = session.execute(text("SELECT name, seq FROM sqlite_sequence"))
    counters = {name: seq for name, seq in rows if isinstance(seq, int)}
    for table in (Root, Video, File, Clip):
        name = table.__tablename__
        highest = session.scalar(select(func.max(table.id))) or 0
        if highest > counters.get(name, 0):
            yield Fault(
                f"the counter of ids for table {name} stands at {counters.get(name, 0)}, but"
                f" {highest} is in use",
                "it was set right",
                partial(_set_counter, name=name, highest=highest),
            )


def _set_counter(session: Session, *, name: str, highest: int) -> None:
    session.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": name})
    session.execute(
        text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"),
        {"name": name, "seq": highest},
    )


def _is_root(path: str) -> bool:
    return "\0" not in path and Path(path).is_absolute() and absolute_text(Path(path)) == path


def _is_relative(path: str) -> bool:
    return "\0" not in path and not any(part in ("", ".", "..") for part in path.split("/"))


def _execute(session: Session, statement: Executable) -> None:
    session.execute(statement, execution_options={"synchronize_session": False})
