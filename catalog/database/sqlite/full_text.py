"""The full-text index of cues: all that only SQLite's FTS5 understands.

The index holds the words of the table of cues, and no text of its own: triggers keep it in step,
whatever deletes a cue.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Float, Integer, Subquery, text
from sqlalchemy.types import TypeEngine

from catalog.database.database import CueMatches
from catalog.database.sqlite.file import WAIT_FOR_LOCK_MS, connect

# Of schema version 4. Once released, these are never edited: another form is another version.
CREATE_CUE_INDEX = (
    "CREATE VIEW cue_words AS SELECT id, coalesce(words, text) AS words FROM cues",
    "CREATE VIRTUAL TABLE cue_index USING fts5(words, content = 'cue_words', content_rowid = 'id',"
    " tokenize = \"unicode61 remove_diacritics 2 categories 'L* N* Co M*'\")",
    "CREATE TRIGGER cue_added AFTER INSERT ON cues BEGIN INSERT INTO cue_index (rowid, words)"
    " VALUES (new.id, coalesce(new.words, new.text)); END",
    "CREATE TRIGGER cue_deleted AFTER DELETE ON cues BEGIN INSERT INTO cue_index"
    " (cue_index, rowid, words) VALUES ('delete', old.id, coalesce(old.words, old.text)); END",
)
# What a check of pages says of the index in newer versions of SQLite: it is checked here.
ABOUT_THE_INDEX = ("malformed inverted index for FTS5", "unable to validate the inverted index")

# The plus keeps SQLite from asking the index again for each of these cues: that takes longer than
# all of them, whose scores are not computed.
_OF_SOME = (
    "(:subtitles IS NULL OR +rowid IN (SELECT id FROM cues"
    " WHERE subtitle_id IN (SELECT value FROM json_each(:subtitles))))"
)
_FOUND = (
    "SELECT rowid AS id, -bm25(cue_index) AS score FROM cue_index"
    f" WHERE {_OF_SOME} AND cue_index MATCH"
)


def create_cue_index(connection: Connection) -> None:
    """Make the index, empty, beside a table of cues that is empty."""
    for statement in CREATE_CUE_INDEX:
        connection.execute(text(statement))


class CueIndex:
    """The full-text index in the SQLite file `database`: one statement asks it with the rows."""

    def __init__(self, database: Path) -> None:
        self._database = database

    def holding(self, _connection: Connection, whole: str) -> CueMatches:
        """See `database.CueIndex`."""
        return CueMatches(_HOLDING, {"whole": whole})

    def within_one_cue(
        self, _connection: Connection, whole: str, *, subtitles: str | None
    ) -> CueMatches:
        """See `database.CueIndex`."""
        return CueMatches(_WITHIN, {"whole": whole, "subtitles": subtitles})

    def across_two_cues(
        self, _connection: Connection, head: str, tail: str, *, subtitles: str | None
    ) -> CueMatches:
        """See `database.CueIndex`."""
        return CueMatches(_ACROSS, {"head": head, "tail": tail, "subtitles": subtitles})

    def is_in_step(self, _connection: Connection) -> bool:
        """See `database.CueIndex`."""
        with closing(connect(self._database)) as connection:
            connection.execute(f"PRAGMA busy_timeout = {WAIT_FOR_LOCK_MS}")
            return agrees_with_its_rows(connection)

    def rebuild(self, connection: Connection) -> bool:
        """See `database.CueIndex`."""
        connection.execute(text("INSERT INTO cue_index (cue_index) VALUES ('rebuild')"))
        return True


def agrees_with_its_rows(connection: sqlite3.Connection) -> bool:
    """Whether the index holds the words of the rows that it is of; changes nothing."""
    try:
        connection.execute("INSERT INTO cue_index (cue_index, rank) VALUES ('integrity-check', 1)")
    except sqlite3.DatabaseError as error:
        return error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT
    finally:
        if connection.isolation_level is not None:
            connection.rollback()
    return True


def _rows(query: str, **columns: type[TypeEngine[Any]]) -> Subquery:
    return text(query).columns(**columns).subquery("found")


_PAIR = {"first": Integer, "last": Integer, "score": Float}
HOLDING = "SELECT rowid AS id FROM cue_index WHERE cue_index MATCH :whole"
WITHIN = f"SELECT id AS first, id AS last, score FROM ({_FOUND} :whole)"
ACROSS = (
    f"WITH heads AS MATERIALIZED ({_FOUND} :head), tails AS MATERIALIZED ({_FOUND} :tail)"
    " SELECT heads.id AS first, tails.id AS last, heads.score + tails.score AS score"
    " FROM heads JOIN tails ON tails.id = heads.id + 1"
)
# Made once, as the statements that hold them are.
_HOLDING = _rows(HOLDING, id=Integer)
_WITHIN, _ACROSS = _rows(WITHIN, **_PAIR), _rows(ACROSS, **_PAIR)
