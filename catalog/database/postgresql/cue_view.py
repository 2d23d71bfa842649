"""The full-text index of cues on this machine: a view of the cues on the server.

It is SQLite's, as in a catalog in a folder, so that words match and score the same. It is caught up
before a question by the ids of subtitles: they only grow, and what a subtitle holds never changes.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import zip_longest
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from sqlalchemy import Connection, Float, Integer, func, select, text

from catalog.database.database import CueMatches
from catalog.database.given import given_rows, written
from catalog.database.sqlite.full_text import (
    ACROSS,
    CREATE_CUE_INDEX,
    HOLDING,
    WITHIN,
    agrees_with_its_rows,
)
from catalog.database.tables import CUES, SUBTITLES
from catalog.folder import make_file

NAME = "words.sqlite"

_WAIT_MS = 60_000
_SUBTITLES_AT_A_TIME = 1000
_ROWS_AT_A_TIME = 10_000
_CREATE = (
    "CREATE TABLE state (uuid TEXT NOT NULL, generation INTEGER NOT NULL,"
    " subtitles INTEGER NOT NULL, newest INTEGER NOT NULL)",
    "CREATE TABLE cues (id INTEGER PRIMARY KEY, subtitle_id INTEGER NOT NULL, text TEXT NOT NULL,"
    " words TEXT)",
    "CREATE INDEX ix_cues_subtitle_id ON cues (subtitle_id)",
    *CREATE_CUE_INDEX,
)
_STATE_NOW = text(
    "SELECT uuid, generation FROM history WHERE generation = (SELECT generation FROM meta)"
)
_KNOWN = text("SELECT 1 FROM history WHERE generation = :generation AND uuid = :uuid")

_IDS = given_rows("postgresql", "rows", id=Integer())
_PAIRS = given_rows("postgresql", "rows", first=Integer(), last=Integer(), score=Float())

_Rows = Sequence[Sequence[float]]


class _State(NamedTuple):
    """The state of the catalog that the view is of, and what subtitles there are."""

    uuid: str
    generation: int
    subtitles: int
    newest: int


class CueView:
    """The index of cues in a file in `folder`; in memory where nothing can be written there."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._in_memory: sqlite3.Connection | None = None
        self._lock = Lock()

    def holding(self, connection: Connection, whole: str) -> CueMatches:
        """See `database.CueIndex`."""
        return CueMatches(_IDS, self._found(connection, HOLDING, {"whole": whole}))

    def within_one_cue(
        self, connection: Connection, whole: str, *, subtitles: str | None
    ) -> CueMatches:
        """See `database.CueIndex`."""
        asked = {"whole": whole, "subtitles": subtitles}
        return CueMatches(_PAIRS, self._found(connection, WITHIN, asked))

    def across_two_cues(
        self, connection: Connection, head: str, tail: str, *, subtitles: str | None
    ) -> CueMatches:
        """See `database.CueIndex`."""
        asked = {"head": head, "tail": tail, "subtitles": subtitles}
        return CueMatches(_PAIRS, self._found(connection, ACROSS, asked))

    def is_in_step(self, connection: Connection) -> bool:
        """See `database.CueIndex`."""

        def compare(view: sqlite3.Connection) -> _Rows:
            held = view.execute("SELECT id, subtitle_id, text, words FROM cues ORDER BY id")
            columns = select(CUES.c.id, CUES.c.subtitle_id, CUES.c.text, CUES.c.words)
            with connection.execute(
                columns.order_by(CUES.c.id), execution_options={"yield_per": _ROWS_AT_A_TIME}
            ) as stored:
                alike = all(
                    row == tuple(other) for row, other in zip_longest(held, stored, fillvalue=())
                )
            return [[alike and agrees_with_its_rows(view)]]

        return bool(self._in_step(connection, compare)[0][0])

    def rebuild(self, _connection: Connection) -> bool:
        """Remove it: the next question makes it again."""
        for ending in ("", "-wal", "-shm"):
            with suppress(OSError):
                self._path.with_name(NAME + ending).unlink(missing_ok=True)
        return True

    def _found(
        self, connection: Connection, query: str, values: dict[str, str | None]
    ) -> dict[str, object]:
        def ask(view: sqlite3.Connection) -> _Rows:
            return view.execute(query, values).fetchall()

        return {"rows": written(self._in_step(connection, ask))}

    def _in_step(self, connection: Connection, ask: Callable[[sqlite3.Connection], _Rows]) -> _Rows:
        """What `ask` returns of the view, once it shows what the transaction sees."""
        for build_anew in (False, True):
            if build_anew:  # it was damaged
                self.rebuild(connection)
            try:
                with self._opened() as view:
                    return _asked(view, connection, ask)
            except sqlite3.OperationalError:
                break  # no room, or no permission
            except sqlite3.DatabaseError:
                continue
        with self._lock:
            if self._in_memory is None:
                self._in_memory = _prepared(sqlite3.connect(":memory:", check_same_thread=False))
            return _asked(self._in_memory, connection, ask)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            make_file(self._path)
        except OSError as error:
            raise sqlite3.OperationalError(error.strerror) from error
        with closing(sqlite3.connect(self._path, timeout=_WAIT_MS / 1000)) as view:
            yield _prepared(view)


def _prepared(view: sqlite3.Connection) -> sqlite3.Connection:
    view.isolation_level = None  # transactions begin where we say
    if view.execute("PRAGMA user_version").fetchone() == (0,):
        view.execute("PRAGMA journal_mode = WAL")
        view.execute("PRAGMA synchronous = OFF")  # lost, it is built anew
        view.execute("BEGIN IMMEDIATE")
        if view.execute("PRAGMA user_version").fetchone() == (0,):  # no other process did it
            for statement in _CREATE:
                view.execute(statement)
            view.execute("PRAGMA user_version = 1")
        view.execute("COMMIT")
    view.execute("PRAGMA synchronous = OFF")
    return view


def _asked(
    view: sqlite3.Connection,
    connection: Connection,
    ask: Callable[[sqlite3.Connection], _Rows],
) -> _Rows:
    """Ask the view in one transaction of its own, in which it is caught up if need be."""
    uuid, generation = connection.execute(_STATE_NOW).one_or_none() or ("", -1)
    view.execute("BEGIN")
    try:
        if _state_of(view)[:2] != (uuid, generation):
            view.execute("ROLLBACK")
            view.execute("BEGIN IMMEDIATE")
            _catch_up(view, connection, uuid=uuid, generation=generation)
        found = ask(view)
        view.execute("COMMIT")
    except BaseException:
        if view.in_transaction:
            view.execute("ROLLBACK")
        raise
    return found


def _state_of(view: sqlite3.Connection) -> _State:
    row = view.execute("SELECT uuid, generation, subtitles, newest FROM state").fetchone()
    return _State(*row) if row else _State("", 0, 0, 0)


def _catch_up(
    view: sqlite3.Connection, connection: Connection, *, uuid: str, generation: int
) -> None:
    before = _state_of(view)
    counts = select(func.count(), func.coalesce(func.max(SUBTITLES.c.id), 0)).select_from(SUBTITLES)
    now = _State(uuid, generation, *connection.execute(counts).one())
    of_this = {"generation": before.generation, "uuid": before.uuid}
    if before.uuid and connection.scalar(_KNOWN, of_this) is None:
        view.execute("DELETE FROM cues")  # of a state that a backup has undone
        before = _State("", 0, 0, 0)
    if (before.subtitles, before.newest) != (now.subtitles, now.newest):
        there = {number for (number,) in view.execute("SELECT DISTINCT subtitle_id FROM cues")}
        wanted = set(connection.scalars(select(SUBTITLES.c.id)))
        _remove(view, there - wanted)
        _add(view, connection, wanted - there)
    view.execute("DELETE FROM state")
    view.execute("INSERT INTO state VALUES (?, ?, ?, ?)", now)


def _remove(view: sqlite3.Connection, subtitles: Iterable[int]) -> None:
    gone = [(number,) for number in sorted(subtitles)]
    view.executemany("DELETE FROM cues WHERE subtitle_id = ?", gone)


def _add(view: sqlite3.Connection, connection: Connection, subtitles: Iterable[int]) -> None:
    ids = sorted(subtitles)
    columns = select(CUES.c.id, CUES.c.subtitle_id, CUES.c.text, CUES.c.words).order_by(CUES.c.id)
    for first in range(0, len(ids), _SUBTITLES_AT_A_TIME):
        some = ids[first : first + _SUBTITLES_AT_A_TIME]
        rows = connection.execute(columns.where(CUES.c.subtitle_id.in_(some)))
        view.executemany("INSERT INTO cues VALUES (?, ?, ?, ?)", map(tuple, rows))
