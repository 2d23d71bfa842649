"""The catalog: what has been indexed, in one folder on disk. SQLite is the truth, FAISS a view."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from catalog.database.columns import pack_vectors, require_unit_vectors
from catalog.database.database import Database, open_database
from catalog.database.tables import Meta
from catalog.errors import CatalogError
from catalog.records import (
    CatalogStatus,
    ClipMatch,
    ClipSpan,
    FileLocation,
    FileState,
    PartialVideo,
    Provenance,
    Relocated,
    Removed,
    SampleMatch,
    VideoRecord,
)
from catalog.store import clips as clip_rows
from catalog.store import files, mounts, partials, relocation, subtrees
from catalog.store.clips import NearestClips
from catalog.store.provenance import (
    drop_provenance,
    has_vectors,
    require_agreement,
    store_provenance,
    stored_provenance,
)
from catalog.store.roots import absolute_text
from catalog.store.status import status_of
from catalog.vectors.path_filter import ClipPaths
from catalog.vectors.snapshot import is_current, remove_snapshot

if TYPE_CHECKING:
    from catalog.vectors.sync import ClipIndex


class Catalog:
    """One open catalog. Safe to use from several threads, beside other processes that write.

    What a method writes is one transaction: it happens as a whole or not at all. Some look first,
    in one that only reads, whether there is anything to write. Paths are absolute; relative ones
    are a ValueError. All methods may raise CatalogBusyError, CatalogStorageError,
    CatalogDamagedError and CatalogGoneError.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._index_lock = Lock()
        self._clip_paths = ClipPaths()
        self._clip_index: ClipIndex | None = None

    @classmethod
    def open(cls, folder: Path, *, create: bool = False) -> Self:
        """Open the catalog in `folder`; an absent one is made if `create` says so.

        Raises:
            CatalogMissingError, NotACatalogError, CatalogNewerError, CatalogDamagedError,
            CatalogStorageError.
        """
        return cls(open_database(folder.absolute(), create=create))

    def close(self) -> None:
        """Let go of the files."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def folder(self) -> Path:
        """Where the catalog lies."""
        return self._database.folder

    def lock(self, purpose: str) -> AbstractContextManager[None]:
        """Lock the catalog for a long task; of all processes only one can.

        It does not wait, and ends with the process, even by `kill -9`. Queries and single
        transactions need no lock. `purpose` names the task in the error that others get meanwhile.

        Raises:
            CatalogGoneError: it was deleted, moved or replaced since it was opened.
            On entering, CatalogLockedError: names the holder's purpose, process and host, and since
            when; CatalogStorageError: the folder cannot be written to.
        """
        from catalog.lock import locked  # what queries do without need not be imported for them

        self._database.require_there()
        return locked(self.folder, purpose)

    @property
    def provenance(self) -> Provenance | None:
        """What made the vectors; None as long as nothing was indexed, or all is forgotten."""
        with self._database.reading() as session:
            return stored_provenance(_meta(session))

    @property
    def has_videos(self) -> bool:
        """Whether any video is in it, drafts apart."""
        with self._database.reading() as session:
            return clip_rows.any_video(session)

    def bind(self, provenance: Provenance) -> None:
        """Record what makes the vectors, as long as there are none; afterwards only check it.

        Raises:
            ProvenanceMismatchError: the catalog holds vectors that cannot be compared with these.
        """
        if self._is_made_by(provenance):
            return  # nearly always
        with self._database.writing() as session:
            meta = _meta(session)
            stored = stored_provenance(meta)
            if stored is None or not has_vectors(session):
                store_provenance(meta, provenance)
            else:
                require_agreement(stored, asked=provenance, folder=self.folder)

    def check(self, provenance: Provenance) -> None:
        """See that vectors made so may go into this catalog; unlike `bind`, write nothing.

        Raises:
            ProvenanceMismatchError: the catalog holds vectors that cannot be compared with these.
        """
        with self._database.reading() as session:
            stored = stored_provenance(_meta(session))
            if stored is not None and has_vectors(session):
                require_agreement(stored, asked=provenance, folder=self.folder)

    def _is_made_by(self, provenance: Provenance) -> bool:
        stored = self.provenance
        return stored is not None and stored.agrees_with(provenance)

    def known_files(self, roots: Iterable[Path]) -> dict[str, FileState]:
        """What is known of every file that is one of `roots` or lies below one.

        By the texts of the absolute paths: a `Path` for each of very many files would take longer
        than to read them.
        """
        with self._database.reading() as session:
            return files.states_under(session, roots)

    def video_with(self, fingerprint: str) -> int | None:
        """The id of the video with this content."""
        with self._database.reading() as session:
            return clip_rows.video_id_of(session, fingerprint)

    def sample_matches(self, sample: str) -> tuple[SampleMatch, ...]:
        """The videos that a file with this sample may hold: only a fingerprint proves one."""
        with self._database.reading() as session:
            return clip_rows.lookalikes_of(session, sample)

    def note_fingerprint(self, video_id: int, *, fingerprint: str, sample: str) -> None:
        """Keep the fingerprint of a video of which only the sample was known.

        A video with the same one takes its places over. Nothing happens where it is gone.
        """
        with self._database.writing() as session:
            clip_rows.put_fingerprint(session, video_id, fingerprint=fingerprint, sample=sample)

    def add_video(
        self,
        video: VideoRecord,
        *,
        location: FileLocation,
        clips: Sequence[ClipSpan],
        vectors: NDArray[np.float32],
    ) -> int:
        """Take in a video with its clips and their (N, D) unit vectors; its id.

        What the place held before stays until this is committed, and goes in the same step unless
        it lies elsewhere too. Content that another process took in meanwhile is not doubled.

        Raises:
            InvalidVectorError: wrong shape, not finite, not of unit length.
            CatalogError: the catalog is not bound yet.
            ValueError: there are no clips, or not as many as vectors.
        """
        if not clips or len(clips) != len(vectors):
            raise ValueError(f"{len(clips)} clips with {len(vectors)} vectors")
        with self._database.writing() as session:
            blobs = pack_vectors(require_unit_vectors(vectors, dimension=self._dimension(session)))
            video_id = clip_rows.video_id_of(session, video.fingerprint)
            if video_id is None:
                video_id = clip_rows.insert_video(session, video, clips=clips, blobs=blobs)
            files.put(session, {location: video_id})
            partials.drop(session, video.fingerprint)
            partials.drop_at(session, [location.path])
            return video_id

    def add_locations(self, found: Mapping[FileLocation, int]) -> None:
        """Known content was found at these places: each with the id of its video.

        Places that swapped their content keep it, whatever the order.

        Raises:
            CatalogError: one of the videos is not in the catalog (any more).
        """
        with self._database.writing() as session:
            lost = clip_rows.unknown_ids(session, set(found.values()))
            if lost:
                raise CatalogError(f"video {min(lost)} is no longer in the catalog; index again")
            files.put(session, found)
            partials.drop_at(session, [place.path for place in found])

    def record_failure(
        self, location: FileLocation, *, error: str, sample: str | None = None
    ) -> None:
        """The file could not be indexed; what it held before is gone from this place.

        With the `sample` of what it holds now, so is a draft of what has another one.
        """
        with self._database.writing() as session:
            files.put(session, {location: error})
            if sample is not None:
                partials.drop_at(session, [location.path], but=sample)

    def remove_files(self, paths: Iterable[Path]) -> int:
        """Files that are gone; videos without any place left go too. How many were known.

        Their drafts go as well. What lies below a path stays.
        """
        with self._database.writing() as session:
            gone = list(paths)
            partials.drop_at(session, gone)
            return files.forget(session, gone)

    def remove_under(self, paths: Iterable[Path]) -> Removed:
        """Take out all that is known at or below these paths; what went.

        Places, failures, drafts and mounts go, and the videos that lie nowhere else. Where nothing
        is left, the catalog is as new: the next model and window are its own.
        """
        with self._database.writing() as session:
            forgotten = subtrees.forget(session, list(paths))
            if not has_vectors(session):
                drop_provenance(_meta(session))
            return forgotten

    def relocate(self, old: Path, *, new: Path) -> Relocated:
        """Say that what was known at or below `old` lies at or below `new` now.

        A file that is known at its new place already is not doubled.

        Raises:
            UnknownPathError: nothing is known at or below `old`.
            CatalogError: a file cannot take the place of "/".
        """
        with self._database.writing() as session:
            moved = relocation.relocate(session, absolute_text(old), new=absolute_text(new))
        return Relocated(files=len(moved), found=sum(_is_there(path) for path in moved))

    def add_to_partial(
        self,
        fingerprint: str,
        *,
        location: FileLocation,
        duration: float,
        clips: Sequence[ClipSpan],
        vectors: NDArray[np.float32],
        damage: str | None = None,
        sample: str | None = None,
    ) -> None:
        """Keep clips of an unfinished film with their (N, D) unit vectors, beside earlier ones.

        A draft of another duration (seconds) is replaced; a clip that begins where one does that is
        kept already is passed over, and all of them once the video is in the catalog. The draft
        goes when the video comes, or when its place is forgotten or holds something else.

        Raises:
            InvalidVectorError: wrong shape, not finite, not of unit length.
            CatalogError: the catalog is not bound yet.
            ValueError: not as many clips as vectors.
        """
        if len(clips) != len(vectors):
            raise ValueError(f"{len(clips)} clips with {len(vectors)} vectors")
        with self._database.labelling() as session:
            blobs = pack_vectors(require_unit_vectors(vectors, dimension=self._dimension(session)))
            if clip_rows.video_id_of(session, fingerprint) is None:
                draft_id = partials.put(
                    session,
                    fingerprint,
                    sample=sample,
                    location=location,
                    duration=duration,
                    damage=damage,
                )
                partials.extend(session, draft_id, clips=clips, blobs=blobs)

    def partial(self, content: str) -> PartialVideo | None:
        """The clips that an unfinished film has already; a draft that cannot be read goes.

        `content` is its fingerprint, or its sample: then the draft is that of a lookalike.
        """
        with self._database.reading() as session:
            dimension = _meta(session).dimension
            if dimension is None:
                return None
            try:
                return partials.find(session, content, dimension=dimension)
            except ValueError:
                pass  # a vector of the wrong length: it would only save time
        with self._database.labelling() as session:
            partials.drop(session, content)
        return None

    def partial_paths(self, under: Iterable[Path]) -> frozenset[Path]:
        """The files that are one of these paths or lie below one and have drafts."""
        with self._database.reading() as session:
            return frozenset(map(Path, partials.paths_under(session, under).values()))

    def remove_partials(self, under: Iterable[Path]) -> int:
        """Drop the drafts of films that are one of these paths or lie below one; how many.

        Nothing is written where there are none, which is nearly always.
        """
        paths = list(under)
        if not self.partial_paths(paths):
            return 0
        with self._database.labelling() as session:
            return partials.drop_under(session, paths)

    def mounts(self, under: Iterable[Path]) -> frozenset[Path]:
        """The mount points noted at, below or above these paths."""
        with self._database.reading() as session:
            return mounts.around(session, under)

    def note_mounts(self, paths: Iterable[Path]) -> None:
        """Note mount points; nothing is written when all are noted."""
        seen = list(paths)
        with self._database.reading() as session:
            if not mounts.unknown(session, seen):
                return
        with self._database.labelling() as session:
            mounts.note(session, seen)

    def nearest(
        self, vector: NDArray[np.float32], *, limit: int, path_glob: str | None = None
    ) -> list[ClipMatch]:
        """The clips with the highest cosine, best first, equal ones by id; see `nearest_clips`."""
        with self.nearest_clips(vector, limit=limit, path_glob=path_glob) as clips:
            return clips[:]

    @contextmanager
    def nearest_clips(
        self, vector: NDArray[np.float32], *, limit: int, path_glob: str | None = None
    ) -> Iterator[NearestClips]:
        """The clips with the highest cosine, to look at as many of them as it takes.

        Of up to 200,000 clips none is missed; of more, hardly one (see `VectorIndex.nearest`). As
        long as the block lasts, they are as they were when it began.

        Args:
            vector: (D,) of unit length.
            limit: how many at most, at least 1.
            path_glob: a glob on the path (see `path_matcher`); only clips of such files compete.

        Raises:
            InvalidVectorError: wrong shape, not finite, not of unit length.
            ValueError: `limit` is below 1.
        """
        if limit < 1:
            raise ValueError(f"limit is {limit}, it must be at least 1")
        with ExitStack() as reading:
            # Whoever holds the lock sees no earlier state than the last who did.
            with self._index_lock:
                session = reading.enter_context(self._database.reading())
                ids, scores = self._scanned(session, vector, limit=limit, path_glob=path_glob)
            yield NearestClips(
                session, ids=ids, scores=scores, path_glob=path_glob, folder=self.folder
            )

    def _scanned(
        self, session: Session, vector: NDArray[np.float32], *, limit: int, path_glob: str | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        meta = _meta(session)
        if meta.dimension is None:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        query = require_unit_vectors(vector[np.newaxis], dimension=meta.dimension)[0]
        among = None
        if path_glob is not None:
            among = self._clip_paths.clips_within(session, path_glob, generation=meta.generation)
        return self._opened_index().nearest(session, query, meta=meta, limit=limit, among=among)

    def status(self) -> CatalogStatus:
        """What is in the catalog, counted in one moment."""
        with self._database.reading() as session:
            return status_of(session, meta=_meta(session), database=self._database)

    def save_snapshot(self) -> None:
        """Save the vector index, so that the next process need not rebuild it from SQLite.

        Does nothing, and does not even load FAISS, when the one on disk is of this state.

        Raises:
            CatalogStorageError: no room; nothing is lost.
        """
        with self._index_lock:
            with self._database.reading() as session:
                meta = _meta(session)
                if meta.dimension is None:
                    remove_snapshot(self.folder)  # of what was forgotten
                    return
                if is_current(self.folder, digest=meta.snapshot_digest, generation=meta.generation):
                    return
                label = self._opened_index().save(session, meta=meta, dimension=meta.dimension)
            with self._database.labelling() as session:
                session.execute(update(Meta).values(snapshot_digest=label.digest))

    def _opened_index(self) -> "ClipIndex":
        if self._clip_index is None:
            from catalog.vectors.sync import ClipIndex  # FAISS takes a while to import

            self._clip_index = ClipIndex(self.folder)
        return self._clip_index

    def _dimension(self, session: Session) -> int:
        dimension = _meta(session).dimension
        if dimension is None:
            raise CatalogError(f"the catalog in {self.folder} is not bound to a model yet")
        return dimension


def _meta(session: Session) -> Meta:
    return session.scalars(select(Meta)).one()


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False  # a folder above it is closed to us
