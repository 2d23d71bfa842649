"""Whether everything holds that must hold in a catalog, and mending what does not.

Three kinds of things may be wrong. The SQLite file may be damaged: then nothing else can be told,
and the mending is a new file with all that can be read of the old one. Rows may contradict each
other: they are removed, so that the next index run reads their films again. And what lies beside
the file may be of no use: it is made anew, or removed.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from shutil import rmtree

from sqlalchemy import Connection, func, select

from catalog.catalog import Catalog
from catalog.database.database import open_database, translated
from catalog.database.sqlite_file import PAGE_BYTES
from catalog.database.tables import CLIPS, FILES, VIDEOS
from catalog.errors import (
    CatalogDamagedError,
    CatalogMissingError,
    CatalogStorageError,
    NotACatalogError,
)
from catalog.folder import DATABASE_NAME, SNAPSHOT_NAME
from catalog.lock import HOLDER_NAME, locked
from catalog.records import Problem, Verification
from catalog.vectors.snapshot import is_leftover, read_header
from catalog.verify.clips import clip_faults
from catalog.verify.findings import Fault, named
from catalog.verify.integrity import damage_of
from catalog.verify.recover import ROOM_PREFIX, salvaged, take_its_place
from catalog.verify.rows import provenance_damage, row_faults
from catalog.verify.snapshot import snapshot_faults

Progress = Callable[[int, int], None]

_PURPOSE = "vsearch verify --repair"
_ROUNDS = 5  # what one round removes may leave something else without its sense
_LEFTOVERS = (f"{SNAPSHOT_NAME}.*.new", f"{HOLDER_NAME}.*.new", f"{ROOM_PREFIX}*")


def ignore_progress(_done: int, _clips: int) -> None:
    """Tell nobody."""


def verify_catalog(
    folder: Path, *, repair: bool = False, on_progress: Progress = ignore_progress
) -> Verification:
    """Check every invariant of the catalog in `folder`, also of one that cannot be opened.

    With `repair`, mend what is wrong: nothing is kept that is not sound, and what goes is read
    again by the next index run. A damaged SQLite file is kept beside the new one. The catalog is
    locked meanwhile; this process may not have it open otherwise. `on_progress` is told how many
    clips have been looked at, and how many there are, from the beginning for each look.

    Raises:
        CatalogMissingError, NotACatalogError, CatalogNewerError: there is nothing to verify.
        CatalogLockedError: to repair, while another process is at work on it.
        CatalogStorageError: the disk is full, or read-only; nothing has been lost.
    """
    folder = folder.absolute()
    if not repair:
        return _examined(folder, on_progress=on_progress).verification(())
    if not (folder / DATABASE_NAME).is_file():
        raise CatalogMissingError.of(folder)
    with locked(folder, _PURPOSE), _storage_translated(folder):
        return _repaired(folder, on_progress=on_progress)


@dataclass(frozen=True, slots=True)
class _Examination:
    """What one look found: with damage nothing else can be told."""

    damage: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    files: int = 0
    videos: int = 0
    clips: int = 0

    def verification(self, mended: tuple[Problem, ...]) -> Verification:
        """The result, after so many problems have been mended."""
        standing = (*self.damage, *(fault.what for fault in self.faults))
        problems = (*mended, *(Problem(what, None) for what in standing))
        return Verification(problems, self.files, self.videos, self.clips)


def _examined(folder: Path, *, on_progress: Progress) -> _Examination:
    damage = _damage(folder)
    return _Examination(damage) if damage else _looked_through(folder, on_progress=on_progress)


def _looked_through(folder: Path, *, on_progress: Progress) -> _Examination:
    """What is wrong in and beside a file that is known to be whole."""
    with closing(open_database(folder, create=False)) as database, database.reading() as connection:
        faults = [*row_faults(connection), *clip_faults(connection, on_progress=on_progress)]
        if not faults:
            faults.extend(snapshot_faults(connection, folder))
        return _Examination((), (*faults, *_leftover_faults(folder)), *_counts(connection))


def _counts(connection: Connection) -> Iterator[int]:
    for table in (FILES, VIDEOS, CLIPS):
        yield connection.scalar(select(func.count()).select_from(table)) or 0


def _damage(folder: Path) -> tuple[str, ...]:
    """What of the SQLite file cannot be read, or cannot be what it should be."""
    try:
        with closing(open_database(folder, create=False)) as database, translated(folder):
            found = damage_of(folder / DATABASE_NAME)
            if not found:
                with database.reading() as connection:
                    found = tuple(filter(None, [provenance_damage(connection)]))
    except CatalogDamagedError as error:
        return (_first_half(error),)
    except NotACatalogError as error:
        if not _was_a_catalog(folder):
            raise NotACatalogError(
                f"{_first_half(error)}, and holds nothing of a catalog; give another folder, or, if"
                " one was here, move that file away and begin anew with `vsearch index PATH`"
            ) from error
        return (_first_half(error),)
    return tuple(f"{DATABASE_NAME} is damaged: {what}" for what in found)


def _first_half(error: Exception) -> str:
    """What was found; what to do about it is being asked already."""
    return str(error).partition(";")[0]


def _was_a_catalog(folder: Path) -> bool:
    """Whether a file that does not look like a catalog any more was one."""
    with (folder / DATABASE_NAME).open("rb") as file:
        begins_alike = b"catalog_uuid" in file.read(PAGE_BYTES)  # our table's own definition
    return begins_alike or read_header(folder) is not None


def _leftover_faults(folder: Path) -> Iterator[Fault]:
    """What killed processes left half-written; a live one needs no hour for its own."""
    found = sorted(chain.from_iterable(folder.glob(pattern) for pattern in _LEFTOVERS))
    old = [path for path in found if is_leftover(path)]
    if old:
        yield Fault(
            f"{len(old)} half-written files of killed processes lie in the folder:"
            f" {named([path.name for path in old])}",
            "they were removed",
            partial(_remove, old),
        )


def _remove(leftovers: list[Path], _session: Connection) -> None:
    for path in leftovers:
        if path.is_dir():
            rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _repaired(folder: Path, *, on_progress: Progress) -> Verification:
    for room in folder.glob(f"{ROOM_PREFIX}*"):
        if not is_leftover(
            room
        ):  # the process with the lock is alone: it is of a repair that was killed
            rmtree(room, ignore_errors=True)
    damage = _damage(folder)
    mended = []
    if damage:
        salvage = _salvage(folder, on_progress=on_progress)
        mended = [Problem(what, salvage) for what in damage]
    found = _looked_through(folder, on_progress=on_progress)
    found = _mended_in_rounds(folder, found, mended, on_progress=on_progress)
    if mended:
        # It only saves time: what keeps it from being saved is told as a problem that stands.
        with suppress(CatalogStorageError), Catalog.open(folder) as catalog:
            catalog.save_snapshot()
    return found.verification(tuple(mended))


def _salvage(folder: Path, *, on_progress: Progress) -> str:
    """Put what can be read in place of the damaged file, checked before; what became of it."""
    with salvaged(folder) as found:
        new = _examined(found.folder, on_progress=on_progress)
        new = _mended_in_rounds(found.folder, new, [], on_progress=on_progress)
        kept = take_its_place(folder, new=found.folder)
    if not found.known_videos:
        return (
            "nothing of it could be read, so a new and empty file has taken its place, and"
            f" `vsearch index` fills it again; the damaged one is kept as {kept}"
        )
    rest = (
        "none is missing"
        if new.videos == found.known_videos
        else "`vsearch index` with the same folders reads the rest again"
    )
    return (
        f"a new file holds the {new.videos} of {found.known_videos} known videos that could be read"
        f" as a whole, with {new.clips} clips ({rest}); the damaged one is kept as {kept}"
    )


def _mended_in_rounds(
    folder: Path, found: _Examination, mended: list[Problem], *, on_progress: Progress
) -> _Examination:
    """Mend until nothing stands that mending helps; what one round removes may leave more."""
    for _ in range(_ROUNDS):
        if not found.faults:
            break
        _mend(folder, found.faults)
        before, found = found, _looked_through(folder, on_progress=on_progress)
        standing = {fault.what for fault in found.faults}
        gone = [fault for fault in before.faults if fault.what not in standing]
        mended.extend(Problem(fault.what, fault.mended) for fault in gone)
        if not gone:
            break
    return found


def _mend(folder: Path, faults: tuple[Fault, ...]) -> None:
    with closing(open_database(folder, create=False)) as database, database.writing() as connection:
        for fault in faults:
            fault.mend(connection)


@contextmanager
def _storage_translated(folder: Path) -> Iterator[None]:
    """Say what the system refuses while files are made and moved."""
    try:
        with translated(folder):
            yield
    except OSError as error:
        raise CatalogStorageError(
            f"cannot repair the catalog in {folder}: {error.strerror} ({error.filename}); nothing"
            " is lost by that, see that the disk has room and may be written to"
        ) from error
