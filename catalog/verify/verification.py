"""The check of a whole catalog, and its repair.

There are three kinds of problems. The SQLite file may be damaged: then nothing else can be checked,
and the repair is a new file with all that can be read of the old one. (A server sees to its files
itself: where one is damaged, its error says so.) Rows may be wrong: they are removed, so that the
next index run reads their videos again. And files beside the rows may be useless: they are made
again, or removed.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from shutil import rmtree

from sqlalchemy import Connection, func, select, text

from catalog.address import Address, DatabaseUrl
from catalog.catalog import Catalog
from catalog.database.database import CueIndex
from catalog.database.opening import open_database
from catalog.database.sqlite.database import open_sqlite
from catalog.database.sqlite.errors import translated
from catalog.database.sqlite.file import PAGE_BYTES
from catalog.database.sqlite.lock import HOLDER_NAME, locked
from catalog.database.tables import CLIPS, FILES, VIDEOS
from catalog.errors import (
    CatalogDamagedError,
    CatalogMissingError,
    CatalogStorageError,
    NotACatalogError,
)
from catalog.folder import DATABASE_NAME, SNAPSHOT_NAME
from catalog.records import Problem, Verification
from catalog.vectors.snapshot import is_leftover, read_header
from catalog.verify.findings import REMOVE_DANGLING, Finding, OnProgress, named, row_findings
from catalog.verify.integrity import damage_of
from catalog.verify.recover import FOLDER_PREFIX, recovered, replace_damaged
from catalog.verify.snapshot import snapshot_findings

_PURPOSE = "vsearch verify --repair"
_LEFTOVERS = (f"{SNAPSHOT_NAME}.*.new", f"{HOLDER_NAME}.*.new", f"{FOLDER_PREFIX}*")


def ignore_progress(_done: int, _clips: int) -> None:
    """Report no progress."""


def verify_catalog(
    address: Address, *, repair: bool = False, on_progress: OnProgress = ignore_progress
) -> Verification:
    """Check the catalog at `address`, in a folder also one that cannot be opened.

    With `repair`, remove what is wrong: the next index run reads it again. A damaged SQLite file is
    kept beside the new one. The catalog is locked during the repair; this process must not have it
    open.

    Raises:
        CatalogMissingError, NotACatalogError, CatalogNewerError: there is nothing to verify.
        CatalogLockedError: a repair, while another process works on the catalog.
        CatalogStorageError: the disk is full, or read-only; nothing has been lost.
    """
    if isinstance(address, DatabaseUrl):
        return _verify_server(address, repair=repair, on_progress=on_progress)
    folder = address.absolute()
    if not repair:
        damage = _damage(folder)
        if damage:
            return Verification(tuple(Problem(what, None) for what in damage), 0, 0, 0)
        return _checked_rows(folder, repair=False, on_progress=on_progress)
    if not (folder / DATABASE_NAME).is_file():
        raise CatalogMissingError.of(folder)
    with locked(folder, _PURPOSE), _storage_translated(folder):
        return _repaired(folder, on_progress=on_progress)


def _verify_server(url: DatabaseUrl, *, repair: bool, on_progress: OnProgress) -> Verification:
    if not repair:
        return _checked_rows(url, repair=False, on_progress=on_progress)
    with closing(open_database(url, create=False)) as database, database.locked(_PURPOSE):
        found = _checked_rows(url, repair=True, on_progress=on_progress)
        if found.problems:
            _make_snapshot_anew(url, folder=database.folder)
    return found


def _make_snapshot_anew(address: Address, *, folder: Path) -> None:
    """Make the snapshot anew: what harmed the rows may have changed vectors that are vectors still.

    It only saves time; why it cannot be saved is a finding of its own.
    """
    with suppress(OSError):
        (folder / SNAPSHOT_NAME).unlink(missing_ok=True)
    with suppress(CatalogStorageError), Catalog.open(address) as catalog:
        catalog.save_snapshot()


def _repaired(folder: Path, *, on_progress: OnProgress) -> Verification:
    for unfinished in folder.glob(f"{FOLDER_PREFIX}*"):
        if not is_leftover(unfinished):  # of a repair that was killed: this process has the lock
            rmtree(unfinished, ignore_errors=True)
    damage = _damage(folder)
    effect = _recovered(folder) if damage else ""
    found = _checked_rows(folder, repair=True, on_progress=on_progress)
    if damage or found.problems:
        _make_snapshot_anew(folder, folder=folder)
    return replace(found, problems=(*(Problem(what, effect) for what in damage), *found.problems))


def _checked_rows(address: Address, *, repair: bool, on_progress: OnProgress) -> Verification:
    """Check the rows of an undamaged database, and the files beside them."""
    with closing(open_database(address, create=False)) as database:
        with database.reading() as connection:
            findings = [*row_findings(connection, on_progress=on_progress)]
            if not findings:
                findings.extend(snapshot_findings(connection, database))
            if not database.cues.is_in_step(connection):  # what removes cues needs it
                findings.insert(0, _words_out_of_step(database.cues))
            findings.extend(_leftover_findings(database.folder))
            problems = [Problem(finding.what, None) for finding in findings]
            counts = _counts(connection)
        if repair and findings:
            with database.writing() as connection:
                done = [finding.repair(connection) for finding in findings]
                for statement in REMOVE_DANGLING:
                    connection.execute(text(statement))
                counts = _counts(connection)
            problems = [
                Problem(finding.what, finding.repaired if repaired else None)
                for finding, repaired in zip(findings, done, strict=True)
            ]
    return Verification(tuple(problems), *counts)


def _words_out_of_step(cues: CueIndex) -> Finding:
    return Finding(
        "the index of the words of subtitles does not agree with the subtitles",
        "made again from them",
        cues.rebuild,
    )


def _counts(connection: Connection) -> tuple[int, ...]:
    queries = (select(func.count()).select_from(table) for table in (FILES, VIDEOS, CLIPS))
    return tuple(connection.scalar(query) or 0 for query in queries)


def _damage(folder: Path) -> tuple[str, ...]:
    """The damage of the SQLite file, in sentences; this reads all of it."""
    try:
        with closing(open_sqlite(folder, create=False)), translated(folder):
            found = damage_of(folder / DATABASE_NAME)
    except CatalogDamagedError as error:
        return (_without_advice(error),)
    except NotACatalogError as error:
        if not _was_a_catalog(folder):
            raise NotACatalogError(
                f"{_without_advice(error)}, and holds nothing of a catalog; give another folder, or"
                " move that file away and make a new catalog with `vsearch index PATH`"
            ) from error
        return (_without_advice(error),)
    return tuple(f"{DATABASE_NAME} is damaged: {what}" for what in found)


def _without_advice(error: Exception) -> str:
    return str(error).partition(";")[0]


def _was_a_catalog(folder: Path) -> bool:
    """Whether a file that is not a catalog was one."""
    with (folder / DATABASE_NAME).open("rb") as file:
        begins_alike = b"catalog_uuid" in file.read(PAGE_BYTES)  # from the definition of a table
    return begins_alike or read_header(folder) is not None


def _leftover_findings(folder: Path) -> Iterator[Finding]:
    """Half-written files of killed processes."""
    found = sorted(chain.from_iterable(folder.glob(pattern) for pattern in _LEFTOVERS))
    old = [path for path in found if is_leftover(path)]
    if old:
        yield Finding(
            f"{len(old)} half-written files of killed processes are in the folder:"
            f" {named([path.name for path in old])}",
            "they were removed",
            partial(_remove, old),
        )


def _remove(leftovers: list[Path], _connection: Connection) -> bool:
    for path in leftovers:
        if path.is_dir():
            rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return True


def _recovered(folder: Path) -> str:
    """Put a new file with all that is readable in place of the damaged one; a sentence about it."""
    with recovered(folder) as new:
        kept = replace_damaged(folder, new=new.folder)
    found = new.videos + new.without_file
    if not new.known_videos:
        return (
            "nothing of it could be recovered, so a new and empty file has taken its place, and"
            f" `vsearch index` fills it again; the damaged one is kept as {kept}"
        )
    rest = ["none is missing"] if found == new.known_videos else []
    if new.without_file:
        rest.append(f"for {new.without_file} of them `vsearch index` has to find the file again")
    if found < new.known_videos:
        rest.append("`vsearch index` with the same folders reads the rest again")
    return (
        f"a new file holds the {found} of {new.known_videos} known videos that could be read"
        f" completely, with {new.clips} clips ({'; '.join(rest)}); the damaged one is kept as"
        f" {kept}"
    )


@contextmanager
def _storage_translated(folder: Path) -> Iterator[None]:
    """Turn errors of the file system into one sentence each."""
    try:
        with translated(folder):
            yield
    except OSError as error:
        raise CatalogStorageError(
            f"cannot repair the catalog in {folder}: {error.strerror} ({error.filename}); nothing"
            " is lost by that, see that the disk has room and may be written to"
        ) from error
