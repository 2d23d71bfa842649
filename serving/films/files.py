"""Files of the catalog's films, found by id and opened only as they were indexed."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO

from catalog import CatalogError, CatalogGoneError, CatalogMissingError
from machine.file_state import size_and_time
from vsearch.services.models import open_catalog

if TYPE_CHECKING:
    from pathlib import Path

    from catalog import Catalog, FileLocation, VideoFiles
    from vsearch.settings import Settings


class FilmError(Exception):
    """A refusal: the HTTP status, and one sentence for the person at the page."""

    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass(frozen=True, slots=True)
class Film:
    """A file that holds a film of the catalog, and is still as it was indexed.

    `duration` is in seconds, `container` FFmpeg's name, `size` in bytes.
    """

    video_id: int
    path: Path
    size: int
    mtime_ns: int
    duration: float
    container: str

    def tag(self, *parts: str | float) -> str:
        """An ETag for the file, or for what is made of it with these parameters."""
        told = repr((str(self.path), self.size, self.mtime_ns, *parts))
        return f'"{sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]}"'

    def open(self) -> BinaryIO:
        """Open the file for reading. Raises `FilmError` if it is not the same any more."""
        try:
            # A pipe that took its name would wait for a writer.
            number = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise _gone() from error
        file = os.fdopen(number, "rb", buffering=0)
        with suppress(OSError):
            if _is_as_indexed(os.fstat(number), size=self.size, mtime_ns=self.mtime_ns):
                return file
        file.close()
        raise _changed()


class Films:
    """The films of one catalog, which is opened when the first is asked for. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._catalog: Catalog | None = None
        self._lock = Lock()

    def find(self, video_id: int) -> Film:
        """The first file of a video that is as it was indexed.

        Raises `FilmError`: 404 without such a video, 410 without a file, 409 if all files that are
        left have changed, 503 if the catalog cannot be read.
        """
        known = self._known(video_id)
        if known is None:
            raise FilmError(404, "There is no such film in the catalog.")
        states = [(location, _state(location)) for location in known.locations]
        for location, state in states:
            if state and _is_as_indexed(state, size=location.size, mtime_ns=location.mtime_ns):
                return Film(
                    video_id,
                    location.path,
                    location.size,
                    location.mtime_ns,
                    known.duration,
                    known.container,
                )
        raise _changed() if any(state for _, state in states) else _gone()

    def close(self) -> None:
        """Close the catalog's files."""
        with self._lock:
            if self._catalog is not None:
                self._catalog.close()
            self._catalog = None

    def _known(self, video_id: int) -> VideoFiles | None:
        try:
            try:
                return self._opened().details.files_of(video_id)
            except CatalogGoneError:
                self.close()  # it was deleted, or restored from a backup
                return self._opened().details.files_of(video_id)
        except CatalogMissingError:
            return None
        except CatalogError as error:
            raise FilmError(
                503, "The catalog cannot be read at the moment; `vsearch status` tells why."
            ) from error

    def _opened(self) -> Catalog:
        with self._lock:
            if self._catalog is None:
                self._catalog = open_catalog(self._settings)
            return self._catalog


def _state(location: FileLocation) -> os.stat_result | None:
    try:
        return location.path.stat()
    except (OSError, ValueError):
        return None


def _is_as_indexed(state: os.stat_result, *, size: int, mtime_ns: int) -> bool:
    return stat.S_ISREG(state.st_mode) and size_and_time(state) == (size, mtime_ns)


def _gone() -> FilmError:
    return FilmError(
        410,
        "The file is gone from where it was indexed; if it moved, say where to: "
        "`vsearch index FOLDER`.",
    )


def _changed() -> FilmError:
    return FilmError(
        409,
        "The file has changed since it was indexed; bring the catalog up to date: "
        "`vsearch index FOLDER`.",
    )
