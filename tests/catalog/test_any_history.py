"""Whatever happens in whatever order, the catalog says what a few dictionaries say."""

import shutil
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from catalog import Catalog, ClipSpan, FilePlace, Provenance, VideoRecord

DIMENSION = 8
ROOTS = (Path("/films"), Path("/films/trips"))
paths = st.sampled_from([Path(f"/films/trips/{name}.mp4") for name in "abcd"])
roots = st.sampled_from(ROOTS)
contents = st.integers(0, 5)


def vectors_of(content: int) -> np.ndarray:
    drawn = np.random.default_rng(content).normal(size=(1 + content, DIMENSION))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


class CatalogHistory(RuleBasedStateMachine):
    """Files come, change, are copied, fail and go; snapshots are saved, lost and damaged."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp(prefix="catalog-"))
        self.held: dict[Path, int | str] = {}  # content, or a reason for failure
        self.catalog = Catalog.open(self.folder, create=True)
        self.catalog.bind(Provenance("demo", None, "ab" * 32, DIMENSION, 8, 8.0, 4.0))

    @rule(path=paths, root=roots, content=contents)
    def index(self, path: Path, root: Path, content: int) -> None:
        place, known = FilePlace(root, path, content, 1), self.catalog.video_with(str(content))
        if known is not None:
            self.catalog.add_places({place: known})
        else:
            count = 1 + content
            self.catalog.add_video(
                VideoRecord(str(content), 4.0 * count + 4.0, 8, 8, 25.0, "h264", "mp4"),
                place=place,
                clips=[ClipSpan(4.0 * n, 4.0 * n + 8.0) for n in range(count)],
                vectors=vectors_of(content),
            )
        self.held[path] = content

    @rule(path=paths, root=roots)
    def fail(self, path: Path, root: Path) -> None:
        self.catalog.record_failure(FilePlace(root, path, 1, 1), error="broken")
        self.held[path] = "broken"

    @rule(gone=st.lists(paths, unique=True))
    def forget(self, gone: list[Path]) -> None:
        known = [path for path in gone if path in self.held]
        assert self.catalog.forget_places(gone) == len(known)
        for path in known:
            del self.held[path]

    @rule()
    def save(self) -> None:
        self.catalog.save_snapshot()

    @rule()
    def open_again(self) -> None:
        self.catalog.close()
        self.catalog = Catalog.open(self.folder)

    @precondition(lambda self: (self.folder / "vectors.faiss").exists())
    @rule(at=st.floats(0.0, 1.0, exclude_max=True))
    def damage_snapshot(self, at: float) -> None:
        file = self.folder / "vectors.faiss"
        content = bytearray(file.read_bytes())
        content[int(at * len(content))] ^= 0xFF
        file.write_bytes(content)

    @invariant()
    def files_are_known(self) -> None:
        known = self.catalog.known_files([ROOTS[0]])
        assert {Path(path): state.error for path, state in known.items()} == {
            path: held if isinstance(held, str) else None for path, held in self.held.items()
        }

    @invariant()
    def answers_are_those_of_brute_force(self) -> None:
        query = vectors_of(0)[0]
        present = sorted({held for held in self.held.values() if isinstance(held, int)})
        expected = [float(score) for content in present for score in vectors_of(content) @ query]
        found = self.catalog.nearest(query, limit=100)
        assert [match.score for match in found] == pytest.approx(
            sorted(expected, reverse=True), abs=3e-3
        )
        for match in found:
            places = {match.path, *match.other_paths}
            assert len({self.held[path] for path in places}) == 1

    def teardown(self) -> None:
        self.catalog.close()
        shutil.rmtree(self.folder)


TestCatalogHistory = CatalogHistory.TestCase
TestCatalogHistory.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
