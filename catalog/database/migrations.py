"""The versions of the schema, and the upgrade from one to the next.

`catalog.database.tables` is the newest version: a new catalog is made from it. A catalog of an
earlier version is brought up to it by the steps in `UPGRADES`, on SQLite after a backup.
"""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, insert, inspect, select, text, update

from catalog.address import Address
from catalog.database.sqlite.full_text import create_cue_index
from catalog.database.tables import META, METADATA
from catalog.errors import (
    CatalogMissingError,
    CatalogNewerError,
    CatalogOutdatedError,
    NotACatalogError,
)
from catalog.folder import DATABASE_NAME
from machine.names import command_line, quoted


def _add_frames_captures_and_background(connection: Connection) -> None:
    """Version 2: vectors of frames, capture times, and the background; earlier videos lack all."""
    connection.execute(
        text(
            "CREATE TABLE frames (id INTEGER NOT NULL PRIMARY KEY, video_id INTEGER NOT NULL"
            " REFERENCES videos (id) ON DELETE CASCADE, start DOUBLE NOT NULL,"
            " step DOUBLE NOT NULL, vectors BLOB NOT NULL, UNIQUE (video_id, start))"
        )
    )
    connection.execute(text("ALTER TABLE partial_clips ADD COLUMN frames BLOB"))
    for column in ("captured DOUBLE", "captured_from TEXT", "camera TEXT"):
        connection.execute(text(f"ALTER TABLE videos ADD COLUMN {column}"))
    connection.execute(
        text(
            "CREATE TABLE background (id INTEGER NOT NULL PRIMARY KEY, bank TEXT NOT NULL,"
            " generation BIGINT NOT NULL, newest INTEGER NOT NULL, clips INTEGER NOT NULL,"
            " drawn_from INTEGER NOT NULL, changed INTEGER NOT NULL,"
            " most DOUBLE NOT NULL, mean_text BLOB NOT NULL, mean_clip BLOB NOT NULL,"
            " maxima BLOB NOT NULL, best_clips BLOB NOT NULL, digest TEXT NOT NULL,"
            " CONSTRAINT one_background CHECK (id = 1))"
        )
    )


def _add_tags(connection: Connection) -> None:
    """Version 3: stretches of videos under names, and an index of the times of clips."""
    connection.execute(
        text(
            "CREATE TABLE tags (id INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL,"
            " video_id INTEGER NOT NULL REFERENCES videos (id) ON DELETE CASCADE,"
            ' start DOUBLE NOT NULL, "end" DOUBLE NOT NULL, confidence TEXT NOT NULL,'
            " score DOUBLE NOT NULL)"
        )
    )
    connection.execute(text("CREATE INDEX ix_tags_name ON tags (name)"))
    connection.execute(text("CREATE INDEX ix_tags_video_id ON tags (video_id)"))
    connection.execute(text('CREATE INDEX ix_clips_times ON clips (video_id, start, "end")'))


def _add_subtitles(connection: Connection) -> None:
    """Version 4: subtitles and their words; those inside of earlier videos are not read yet."""
    connection.execute(text("ALTER TABLE videos ADD COLUMN subtitles_read INTEGER"))
    connection.execute(
        text(
            "CREATE TABLE subtitles (id INTEGER NOT NULL PRIMARY KEY,"
            " video_id INTEGER REFERENCES videos (id) ON DELETE CASCADE, stream INTEGER,"
            " file_id INTEGER REFERENCES files (id) ON DELETE CASCADE, name TEXT, size BIGINT,"
            " mtime_ns BIGINT, language TEXT, error TEXT, UNIQUE (video_id, stream),"
            " UNIQUE (file_id, name),"
            " CONSTRAINT video_or_file CHECK ((video_id IS NULL) <> (file_id IS NULL)))"
        )
    )
    connection.execute(
        text(
            "CREATE TABLE cues (id INTEGER NOT NULL PRIMARY KEY, subtitle_id INTEGER NOT NULL"
            " REFERENCES subtitles (id) ON DELETE CASCADE, start DOUBLE NOT NULL,"
            ' "end" DOUBLE NOT NULL, text TEXT NOT NULL, words TEXT)'
        )
    )
    connection.execute(text("CREATE INDEX ix_cues_subtitle_id ON cues (subtitle_id)"))
    create_cue_index(connection)


# The step at index N takes a catalog from version N + 1 to N + 2. A step that was released is never
# edited, and uses no table of `catalog.database.tables`, which may have changed since. PostgreSQL
# began at version 4: the steps to it are SQLite's alone, later ones are run by both engines. They
# are SQL that both read (BIGINT for whole numbers, DOUBLE PRECISION); where their words differ
# (BLOB, BYTEA), a step asks `connection.dialect.name`.
UPGRADES: tuple[Callable[[Connection], None], ...] = (
    _add_frames_captures_and_background,
    _add_tags,
    _add_subtitles,
)


UNFINISHED = -1  # the version of a copy that is not complete


def newest_version() -> int:
    """The version of the schema that this program reads and writes."""
    return 1 + len(UPGRADES)


def stored_version(connection: Connection, *, address: Address) -> int | None:
    """The schema version of a catalog; 0 for an empty database, None for another program's.

    Raises:
        CatalogOutdatedError: a catalog of before the first version.
    """
    inspector = inspect(connection)
    tables = inspector.get_table_names()
    if not tables:
        return 0
    columns = {c["name"] for c in inspector.get_columns(META.name)} if META.name in tables else ()
    if META.c.schema_version.name not in columns:
        return None
    if META.c.model_digest.name not in columns:
        raise CatalogOutdatedError(_outdated(address))
    version: int | None = connection.execute(select(META.c.schema_version)).scalar_one_or_none()
    return version


def _outdated(address: Address) -> str:
    aside = ""
    if isinstance(address, Path):
        old = command_line("mv", address, address.with_name(f"{address.name}.old"))
        aside = f"move it away with `{old}`, then "
    anew = command_line("vsearch", "index", "PATH", "--catalog", str(address))
    return (
        f"the catalog in {address} was made by an unreleased version of vsearch, which this one"
        f" cannot read; {aside}index your videos again with `{anew}`"
    )


def require_version(
    version: int | None, *, address: Address, create: bool, unfinished: bool = False
) -> None:
    """Check that the stored version is one that this program reads, or, to `create` one, none.

    A copy that is not complete is opened only by who goes on with it (`unfinished`).

    Raises:
        NotACatalogError, CatalogNewerError, CatalogMissingError.
    """
    if version is None:
        file = address / DATABASE_NAME if isinstance(address, Path) else address
        another = "folder" if isinstance(address, Path) else "database"
        raise NotACatalogError(f"{file} is not a catalog of vsearch; give another {another}")
    if version == UNFINISHED and not unfinished:
        raise CatalogMissingError(
            f"the catalog in {address} is a copy that was interrupted; go on with"
            f" `vsearch catalog copy FROM {quoted(str(address))}`"
        )
    if version > newest_version():
        raise CatalogNewerError(
            f"the catalog in {address} has schema version {version}, this program knows up to"
            f" {newest_version()}; upgrade vsearch"
        )
    if version == 0 and not create:
        raise CatalogMissingError.of(address)


def create_tables(connection: Connection) -> None:
    """Make an empty database an empty catalog, inside the caller's transaction."""
    METADATA.create_all(connection)
    first = {"id": 1, "schema_version": newest_version(), "generation": 0}
    connection.execute(insert(META).values(catalog_uuid=str(uuid4()), **first))


def upgrade(connection: Connection, *, version: int) -> None:
    """Take a catalog from `version` to the newest one, inside the caller's transaction."""
    for step in UPGRADES[version - 1 :]:
        step(connection)
    connection.execute(update(META).values(schema_version=newest_version()))
