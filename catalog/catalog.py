"""The catalog: what has been indexed. The database is the truth, FAISS a view of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from catalog.address import Address
from catalog.database.database import Database
from catalog.database.meta import read_meta, write_provenance
from catalog.database.opening import open_database
from catalog.errors import VideoGoneError
from catalog.frame_vectors import FrameVectors, QuantisedVectors
from catalog.provenance import Provenance, mismatch
from catalog.records import (
    Background,
    CatalogStatus,
    ClipMatch,
    ClipSpan,
    FileLocation,
    FileState,
    IndexedVideo,
    PartialVideo,
    Relocated,
    Removed,
    SampleMatch,
    VideoRecord,
)
from catalog.store import clips as clip_rows
from catalog.store import files, mounts, partials, relocation
from catalog.store.background import write_background
from catalog.store.frames import add_frames
from catalog.store.roots import absolute_text, delete_unused_roots
from catalog.store.status import has_vectors, read_status
from catalog.tags import Tags
from catalog.vectors.library import LibraryVectors
from catalog.vectors.view import VectorView
from catalog.video_filter import EVERY_VIDEO, VideoFilter
from machine.presence import is_regular_file

if TYPE_CHECKING:
    from catalog.details.details import Details


class Catalog(AbstractContextManager["Catalog"]):
    """One open catalog. Safe to use from several threads, beside other processes that write.

    Every method is one transaction (`save_snapshot` has one more, for the snapshot's digest): it
    happens as a whole or not at all. Paths are absolute; a relative one is a ValueError. All
    methods may raise CatalogBusyError, CatalogStorageError, CatalogDamagedError and
    CatalogGoneError.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._vectors = VectorView(database)
        self.tags = Tags(database)
        self.claims = database.claims

    @classmethod
    def open(cls, address: Address, *, create: bool = False) -> Self:
        """Open the catalog at `address`; with `create`, make it first if there is none.

        Raises:
            CatalogMissingError, NotACatalogError, CatalogNewerError, CatalogOutdatedError,
            CatalogDamagedError, CatalogStorageError.
        """
        return cls(open_database(address, create=create))

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> Address:
        """Where the catalog is, for messages."""
        return self._database.address

    @property
    def folder(self) -> Path:
        """The folder on this machine for what is kept beside the rows."""
        return self._database.folder

    def lock(self, purpose: str, *, shared: bool = False) -> AbstractContextManager[None]:
        """Lock the catalog for a long task; of all processes only one can.

        It does not wait, and ends with the process, even by `kill -9`. Queries and single
        transactions need no lock. `purpose` names the task in the error that others get meanwhile.
        Where several runs may index, those that ask for a `shared` one have it together.

        Raises:
            CatalogGoneError: it was deleted, moved or replaced. On entering, CatalogLockedError:
            names who has the lock, and since when; CatalogStorageError: it cannot be written to.
        """
        self._database.require_there()
        return self._database.locked(purpose, shared=shared)

    @property
    def provenance(self) -> Provenance | None:
        """What made the vectors; None as long as nothing was indexed, or all is removed."""
        with self._database.reading() as connection:
            return read_meta(connection).provenance

    @property
    def version(self) -> tuple[str, int]:
        """The catalog's UUID and its generation: as long as both are equal, so are all answers."""
        with self._database.reading() as connection:
            return read_meta(connection).version

    @property
    def has_videos(self) -> bool:
        """Whether there is any video, partial ones apart."""
        with self._database.reading() as connection:
            return clip_rows.any_video(connection)

    def videos(self) -> tuple[IndexedVideo, ...]:
        """All videos, partial ones apart, with the files that hold them."""
        with self._database.reading() as connection:
            return files.indexed_videos(connection)

    def bind(self, provenance: Provenance) -> None:
        """Store what makes the vectors, as long as there are none; afterwards only check it.

        Raises:
            ProvenanceMismatchError: the catalog holds vectors that cannot be compared with these.
        """
        with self._database.writing(bump_generation=False) as connection:
            if not self._is_bound(connection, provenance):
                self._database.count_generation(connection)
                write_provenance(connection, provenance)

    def check(self, provenance: Provenance) -> None:
        """Check that vectors made so may be added to this catalog; unlike `bind`, write nothing.

        Raises ProvenanceMismatchError as it does.
        """
        with self._database.reading() as connection:
            self._is_bound(connection, provenance)

    def _is_bound(self, connection: Connection, provenance: Provenance) -> bool:
        """Whether the stored provenance agrees; without vectors it need not."""
        stored = read_meta(connection).provenance
        if stored is not None and stored.agrees_with(provenance):
            return True
        if stored is not None and has_vectors(connection):
            raise mismatch(self.address, made_by=stored, asked=provenance)
        return False

    def known_files(self, roots: Iterable[Path]) -> dict[str, FileState]:
        """The state of every known file that is one of `roots` or below one, by its path as text.

        To make a `Path` for each of very many files would take longer than to read them.
        """
        with self._database.reading() as connection:
            return files.states_under(connection, roots)

    def video_with(self, fingerprint: str) -> int | None:
        """The id of the video with this content."""
        with self._database.reading() as connection:
            return clip_rows.video_id_of(connection, fingerprint)

    def sample_matches(self, sample: str) -> tuple[SampleMatch, ...]:
        """The videos that a file with this sample may hold: only a fingerprint proves one."""
        with self._database.reading() as connection:
            return clip_rows.sample_matches(connection, sample)

    def note_fingerprint(self, video_id: int, *, fingerprint: str, sample: str) -> None:
        """Store the fingerprint of a video of which only the sample was known.

        If another video has the same one, the files go over to that. An id without a video is no
        error.
        """
        with self._database.writing() as connection:
            clip_rows.set_fingerprint(connection, video_id, fingerprint=fingerprint, sample=sample)

    def add_video(
        self,
        video: VideoRecord,
        *,
        location: FileLocation,
        clips: Sequence[ClipSpan],
        vectors: NDArray[np.float32],
        frames: FrameVectors | None = None,
    ) -> int:
        """Add a video with its N clips and their (N, D) float32 unit vectors; its id.

        The video that the file held before is found until this is committed, and deleted in the
        same step unless another file holds it. Content that is there already, also from another
        process meanwhile, is not doubled; `frames` are added to it where it has none.

        Raises:
            InvalidVectorError: see `require_unit_vectors`. CatalogError: it is not bound yet.
            ValueError: there are no clips, or not as many as vectors.
        """
        if not clips or len(clips) != len(vectors):
            raise ValueError(f"{len(clips)} clips with {len(vectors)} vectors")
        with self._database.writing() as connection:
            blobs = clip_rows.packed(connection, vectors, address=self.address)
            video_id = clip_rows.video_id_of(connection, video.fingerprint)
            if video_id is None:
                video_id = clip_rows.insert_video(connection, video, clips=clips, blobs=blobs)
            if frames is not None:
                add_frames(connection, video_id, frames, dim=vectors.shape[1])
            files.set_content(connection, {location: video_id})
            partials.remove(connection, video.fingerprint)
            partials.remove_at(connection, [location.path])
            return video_id

    def add_locations(self, found: Mapping[FileLocation, int]) -> None:
        """Store further files of known content: each with the id of its video.

        Files that swapped their content keep it, whatever the order.

        Raises:
            VideoGoneError: one of the videos is not in the catalog (any more).
        """
        with self._database.writing() as connection:
            if lost := clip_rows.unknown_ids(connection, set(found.values())):
                raise VideoGoneError(f"video {min(lost)} is no longer in the catalog; index again")
            files.set_content(connection, found)
            partials.remove_at(connection, [location.path for location in found])

    def record_failure(
        self, location: FileLocation, *, error: str, sample: str | None = None
    ) -> None:
        """Store why a file could not be indexed; the video that it held before is removed from it.

        With the `sample` of its present content, so is a partial video of other content.
        """
        with self._database.writing() as connection:
            files.set_content(connection, {location: error})
            if sample is not None:
                partials.remove_at(connection, [location.path], but=sample)

    def remove_files(self, paths: Iterable[Path]) -> int:
        """Remove these very files; how many were known. Files below a path stay.

        Videos that no other file holds are removed, and partial videos of these files.
        """
        with self._database.writing() as connection:
            gone = list(paths)
            partials.remove_at(connection, gone)
            return files.remove_files(connection, gone)

    def remove_under(self, paths: Iterable[Path]) -> Removed:
        """Remove all that is known at or below these paths.

        Files, failures, partial videos and mounts are removed, and videos that no other file holds.
        Where nothing is left, the catalog is as new, and may be bound to another model and window.
        """
        with self._database.writing() as connection:
            gone = list(paths)
            known = files.files_under(connection, gone)
            videos, clips = files.delete_files(connection, known)
            partials.remove_under(connection, gone)
            mounts.remove_under(connection, gone)
            delete_unused_roots(connection)
            if not has_vectors(connection):
                write_provenance(connection, None)
            return Removed(files=len(known), videos=videos, clips=clips)

    def relocate(self, old: Path, *, new: Path) -> Relocated:
        """Change the paths of all that is known at or below `old` to paths at or below `new`.

        A file that is known at its new path already is not doubled.

        Raises UnknownPathError: nothing is known at or below `old`; CatalogError: a file cannot
        take the place of "/".
        """
        with self._database.writing() as connection:
            moved = relocation.relocate(connection, absolute_text(old), new=absolute_text(new))
        return Relocated(files=len(moved), found=sum(map(is_regular_file, moved)))

    def add_to_partial(
        self,
        fingerprint: str,
        *,
        location: FileLocation,
        duration: float,
        clips: Sequence[ClipSpan],
        vectors: NDArray[np.float32],
        frames: Sequence[QuantisedVectors | None] | None = None,
        damage: str | None = None,
        sample: str | None = None,
    ) -> None:
        """Keep N clips of an interrupted video with their (N, D) float32 unit vectors.

        They are added to earlier ones, with the vectors (T, D) of the frames of each clip where
        there are any; a clip with the same start as an earlier one is left out, and all of them
        once the video is in the catalog. A partial video of another duration (seconds) is replaced.
        It is removed when the video is added, or when its file is removed or holds something else.

        Raises:
            InvalidVectorError: see `require_unit_vectors`. CatalogError: it is not bound yet.
            ValueError: not as many clips as vectors.
        """
        if len(clips) != len(vectors):
            raise ValueError(f"{len(clips)} clips with {len(vectors)} vectors")
        with self._database.writing(bump_generation=False) as connection:
            blobs = clip_rows.packed(connection, vectors, address=self.address)
            if clip_rows.video_id_of(connection, fingerprint) is None:
                partial_id = partials.put(
                    connection,
                    fingerprint,
                    sample=sample,
                    location=location,
                    duration=duration,
                    damage=damage,
                )
                partials.extend(connection, partial_id, clips=clips, blobs=blobs, frames=frames)

    def partial(self, content: str) -> PartialVideo | None:
        """The stored part of an interrupted video; one that cannot be read is removed.

        `content` is its fingerprint, or its sample: then it may be of other content.
        """
        with self._database.writing(bump_generation=False) as connection:
            made_by = read_meta(connection).provenance
            if made_by is None:
                return None
            try:
                return partials.find(connection, content, dim=made_by.dim)
            except ValueError:  # a vector of the wrong length: it would only save time
                partials.remove(connection, content)
                return None

    def partial_paths(self, under: Iterable[Path]) -> frozenset[Path]:
        """The files of partial videos that are one of these paths or below one."""
        with self._database.reading() as connection:
            return frozenset(map(Path, partials.paths_under(connection, under).values()))

    def remove_partials(self, under: Iterable[Path]) -> int:
        """Remove the partial videos of files that are one of these paths or below one; how many."""
        with self._database.writing(bump_generation=False) as connection:
            return partials.remove_under(connection, under)

    def mounts(self, under: Iterable[Path]) -> frozenset[Path]:
        """The mount points noted at, below or above these paths."""
        with self._database.reading() as connection:
            return mounts.around(connection, under)

    def note_mounts(self, paths: Iterable[Path]) -> None:
        """Note mount points."""
        with self._database.writing(bump_generation=False) as connection:
            mounts.note(connection, paths)

    def nearest_clips(
        self, vector: NDArray[np.float32], *, limit: int, videos: VideoFilter = EVERY_VIDEO
    ) -> list[ClipMatch]:
        """The clips with the highest cosine, best first, equal ones by id.

        Of up to 200,000 clips none is missed; of more, hardly one (see `VectorIndex.nearest`).

        Args:
            vector: (D,) float32 of unit length.
            limit: how many at most, at least 1.
            videos: only clips of videos that meet this filter compete.

        Raises:
            InvalidVectorError: see `require_unit_vectors`. ValueError: `limit` is below 1.
        """
        return self._vectors.nearest_clips(vector, limit=limit, videos=videos)

    @property
    def details(self) -> "Details":
        """What the videos tell beside their pictures."""
        from catalog.details.details import Details  # most questions do without

        return Details(self._database, self._vectors)

    def status(self) -> CatalogStatus:
        """The contents of the catalog, counted."""
        with self._database.reading() as connection:
            return read_status(connection, self._database)

    def save_snapshot(self) -> None:
        """Save the vector index, so that the next process need not rebuild it from SQLite.

        Does nothing, without FAISS, when the one on disk is of this state. Raises
        CatalogStorageError where there is no room; nothing is lost.
        """
        self._vectors.save()

    @contextmanager
    def library(self) -> Iterator[LibraryVectors | None]:
        """The vectors of all clips, as they are when the block begins; None without a model."""
        with self._database.reading() as connection:
            yield LibraryVectors.seen_by(connection, self._database)

    def keep_background(self, background: Background) -> None:
        """Keep a background, so that the next process need not compute it."""
        with self._database.writing(bump_generation=False) as connection:
            write_background(connection, background)
