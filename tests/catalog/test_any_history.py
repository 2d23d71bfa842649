"""Whatever happens in whatever order, the catalog says what a few dictionaries say."""

import os
import shutil
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from catalog import (
    Catalog,
    CatalogError,
    ClipSpan,
    DatabaseUrl,
    FileLocation,
    FrameVectors,
    Provenance,
    QuantisedVectors,
    Relocated,
    UnknownPathError,
    VideoRecord,
)
from catalog.verify import verify_catalog
from tests.catalog.invariants import require_invariants
from tests.postgresql_server import Server

DIM = 8
TOP = Path("/")
folders = st.sampled_from([Path(f) for f in ("/films", "/films/trips", "/films/trips/trips", "/m")])
names = st.sampled_from(["a.mp4", "b.mp4", "trips", os.fsdecode(b"%\xff.mp4")])
paths = st.builds(Path.joinpath, folders, names)
anywhere = st.one_of(st.just(TOP), folders, paths)
levels = st.integers(0, 9)  # how far above a file its root lies; at the top at most
contents = st.integers(0, 5)


def vectors_of(content: int) -> np.ndarray:
    drawn = np.random.default_rng(content).normal(size=(1 + content, DIM))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


def frames_of(content: int) -> FrameVectors | None:
    """A frame a second, of every second content."""
    if content % 2:
        return None
    times = np.arange(duration_of(content)) + 0.5
    vectors = np.resize(vectors_of(content), (len(times), DIM))
    return FrameVectors(times, QuantisedVectors.of(vectors))


def spans_of(content: int) -> list[ClipSpan]:
    return [ClipSpan(4.0 * n, 4.0 * n + 8.0) for n in range(1 + content)]


def duration_of(content: int) -> float:
    return 4.0 * content + 8.0


def place_of(path: Path, level: int, *, content: int) -> FileLocation:
    root = path.parents[min(level, len(path.parents) - 1)]
    return FileLocation(root, path, content, 1)


def lies_under(path: Path, top: Path) -> bool:
    return path == top or top in path.parents


PROVENANCE = Provenance("demo", None, "ab" * 32, DIM, 8, 8.0, 4.0)


class CatalogHistory(RuleBasedStateMachine):
    """Files come, change, are copied, fail, move and go; snapshots are saved, lost and damaged."""

    def __init__(self) -> None:
        super().__init__()
        self.temporary = Path(mkdtemp(prefix="catalog-"))
        self.address = self.new_address()
        self.held: dict[Path, int | str] = {}  # content, or a reason for failure
        self.partials: dict[int, tuple[Path, int]] = {}  # content, its place, how many clips of it
        self.catalog = Catalog.open(self.address, create=True)
        self.catalog.bind(PROVENANCE)

    def new_address(self) -> Path | DatabaseUrl:
        return self.temporary

    def keep_partials(self, kept) -> None:
        self.partials = {
            content: (path, clips)
            for content, (path, clips) in self.partials.items()
            if kept(content, path)
        }

    @rule(path=paths, level=levels, content=contents)
    def index(self, path: Path, level: int, content: int) -> None:
        place = place_of(path, level, content=content)
        known = self.catalog.video_with(str(content))
        if known is not None:
            self.catalog.add_locations({place: known})
        else:
            self.catalog.bind(PROVENANCE)  # whoever forgets all lets go of the model, too
            self.catalog.add_video(
                VideoRecord(str(content), duration_of(content), 8, 8, 25.0, "h264", "mp4"),
                location=place,
                clips=spans_of(content),
                vectors=vectors_of(content),
                frames=frames_of(content),
            )
        self.held[path] = content
        self.keep_partials(lambda other, at: other != content and at != path)

    @rule(path=paths, level=levels, content=contents, clips=st.integers(1, 6))
    def begin(self, path: Path, level: int, content: int, clips: int) -> None:
        clips = min(clips, 1 + content)
        self.catalog.bind(PROVENANCE)
        self.catalog.add_to_partial(
            str(content),
            location=place_of(path, level, content=content),
            duration=duration_of(content),
            clips=spans_of(content)[:clips],
            vectors=vectors_of(content)[:clips],
        )
        if content not in self.held.values():
            self.keep_partials(lambda other, at: other == content or at != path)
            _, before = self.partials.get(content, (path, 0))
            self.partials[content] = path, max(before, clips)

    @rule(path=paths, level=levels)
    def fail(self, path: Path, level: int) -> None:
        self.catalog.record_failure(place_of(path, level, content=1), error="broken")
        self.held[path] = "broken"

    @rule(gone=st.lists(paths, unique=True))
    def forget_vanished(self, gone: list[Path]) -> None:
        known = [path for path in gone if path in self.held]
        assert self.catalog.remove_files(gone) == len(known)
        for path in known:
            del self.held[path]
        self.keep_partials(lambda _, at: at not in gone)

    @rule(tops=st.lists(anywhere, max_size=2))
    def forget(self, tops: list[Path]) -> None:
        before = set(self.held.values())
        known = [path for path in self.held if any(lies_under(path, top) for top in tops)]
        for path in known:
            del self.held[path]
        self.keep_partials(lambda _, at: not any(lies_under(at, top) for top in tops))
        lost = [held for held in before - set(self.held.values()) if isinstance(held, int)]
        forgotten = self.catalog.remove_under(tops)
        assert forgotten.files == len(known)
        assert forgotten.videos == len(lost)
        assert forgotten.clips == sum(1 + content for content in lost)

    @rule(top=anywhere)
    def remove_partials(self, top: Path) -> None:
        gone = [content for content, (at, _) in self.partials.items() if lies_under(at, top)]
        assert self.catalog.remove_partials([top]) == len(gone)
        self.keep_partials(lambda content, _: content not in gone)

    @rule(old=anywhere, new=anywhere)
    def relocate(self, old: Path, new: Path) -> None:
        moving = {path: held for path, held in self.held.items() if lies_under(path, old)}
        partials = [content for content, (at, _) in self.partials.items() if lies_under(at, old)]
        if not moving and not partials:
            with pytest.raises(UnknownPathError):
                self.catalog.relocate(old, new=new)
            return
        if new == TOP and old in moving:
            with pytest.raises(CatalogError, match="is a file"):
                self.catalog.relocate(old, new=new)
            return
        assert self.catalog.relocate(old, new=new) == Relocated(files=len(moving), found=0)
        after = {path: held for path, held in self.held.items() if path not in moving}
        for path, held in moving.items():
            target = new / path.relative_to(old)
            if target not in after or (after[target] == "broken" and held != "broken"):
                after[target] = held
        self.held = after
        for content in partials:
            at, clips = self.partials[content]
            self.partials[content] = new / at.relative_to(old), clips

    @rule()
    def save(self) -> None:
        self.catalog.save_snapshot()

    @rule()
    def open_again(self) -> None:
        self.catalog.close()
        self.catalog = Catalog.open(self.address)

    @precondition(lambda self: (self.catalog.folder / "vectors.faiss").exists())
    @rule(at=st.floats(0.0, 1.0, exclude_max=True))
    def damage_snapshot(self, at: float) -> None:
        file = self.catalog.folder / "vectors.faiss"
        content = bytearray(file.read_bytes())
        content[int(at * len(content))] ^= 0xFF
        file.write_bytes(content)

    @invariant()
    def files_are_known(self) -> None:
        known = self.catalog.known_files([TOP])
        assert {Path(path): state.error for path, state in known.items()} == {
            path: held if isinstance(held, str) else None for path, held in self.held.items()
        }
        status = self.catalog.status()
        assert status.files + len(status.failures) == len(self.held)
        present = {held for held in self.held.values() if isinstance(held, int)}
        assert status.without_frames == sum(content % 2 for content in present)

    @invariant()
    def partials_are_kept(self) -> None:
        assert self.catalog.status().partials == len(self.partials)
        for content, (_, clips) in self.partials.items():
            partial = self.catalog.partial(str(content))
            assert partial.spans == tuple(spans_of(content)[:clips])
            np.testing.assert_allclose(partial.vectors, vectors_of(content)[:clips], atol=1e-3)

    @invariant()
    def answers_are_those_of_brute_force(self) -> None:
        query = vectors_of(0)[0]
        present = sorted({held for held in self.held.values() if isinstance(held, int)})
        expected = [float(score) for content in present for score in vectors_of(content) @ query]
        found = self.catalog.nearest_clips(query, limit=100)
        assert [match.score for match in found] == pytest.approx(
            sorted(expected, reverse=True), abs=3e-3
        )
        for match in found:
            places = set(match.paths)
            assert len({self.held[path] for path in places}) == 1

    def teardown(self) -> None:
        self.catalog.close()
        # It may have been damaged last.
        (self.catalog.folder / "vectors.faiss").unlink(missing_ok=True)
        if isinstance(self.address, Path):
            require_invariants(self.address)
        else:
            assert verify_catalog(self.address).problems == ()
        shutil.rmtree(self.temporary)


class HistoryOnServer(CatalogHistory):
    """The same in a database of a server."""

    server: Server

    def new_address(self) -> Path | DatabaseUrl:
        url = self.server.url(self.server.new_database())
        return DatabaseUrl.parse(url, views=self.temporary)


@pytest.fixture(scope="module", autouse=True)
def server(postgresql_server: Server) -> None:
    HistoryOnServer.server = postgresql_server


TestCatalogHistory = CatalogHistory.TestCase
TestCatalogHistory.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestHistoryOnServer = HistoryOnServer.TestCase
TestHistoryOnServer.settings = settings(TestCatalogHistory.settings, max_examples=8)
