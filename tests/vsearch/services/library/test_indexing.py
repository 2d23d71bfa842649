"""Index runs: which catalog, which model, which settings, which error."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from catalog import Catalog, CatalogLockedError, ProvenanceMismatchError
from indexer import IndexSettings, ModelAwayError, PathMissingError, RunCounters
from media import write_video
from tests.tiny_xclip import save_tiny_xclip
from vsearch.commands.options import index_options
from vsearch.services.library.indexing import (
    IndexOptions,
    index_library,
    index_settings,
    open_index,
)
from vsearch.services.library.patience import tried_until_there
from vsearch.settings import Settings
from xclip_core import ClipFormat, Embedder, ModelError, ModelIdentity, read_clip_format

QUICK = IndexOptions(settings=IndexSettings(workers=1))
GIVEN_NOTHING = {
    "window": None,
    "stride": None,
    "sampling": "auto",
    "hwaccel": "none",
    "include": None,
    "exclude": None,
    "no_ignore_files": False,
    "workers": None,
    "decode_timeout": None,
}


@dataclass
class LentModel:
    """A model as another machine lends it: away when its first batch comes."""

    folder: Path
    embedder: Embedder
    calls_at_once: int = 1
    batches: int = 0

    def clip_format(self) -> ClipFormat:
        return read_clip_format(self.folder)

    def load(self) -> "LentModel":
        return self

    @property
    def identity(self) -> ModelIdentity:
        return self.embedder.identity

    @property
    def clips_wanted(self) -> int:
        return self.embedder.clips_wanted

    def embed_frames(
        self, clips: NDArray[np.uint8], /
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        self.batches += 1
        if self.batches == 1:
            raise ModelAwayError("the model is away")
        return self.embedder.embed_frames(clips)


def clips_of(folder: Path) -> list[tuple[float, bytes]]:
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as database:
        return database.execute("SELECT start, vector FROM clips ORDER BY start").fetchall()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_xclip(tmp_path_factory.mktemp("model") / "tiny", max_length=16)


@pytest.fixture
def settings(tmp_path: Path, model: Path) -> Settings:
    return Settings(home=tmp_path, catalog=tmp_path / "catalog", model=str(model), device="cpu")


@pytest.fixture
def video(tmp_path: Path) -> Path:
    (tmp_path / "videos").mkdir()
    frames = [np.full((48, 64, 3), 10 * shade, np.uint8) for shade in range(16)]
    write_video(tmp_path / "videos" / "a.mp4", frames, frame_rate=4)
    return tmp_path / "videos" / "a.mp4"


@pytest.fixture
def indexed(settings: Settings, video: Path) -> Settings:
    index_library([video], settings=settings, options=QUICK)
    return settings


def test_flags_that_are_not_given_leave_the_defaults_of_the_indexer() -> None:
    options = index_options(**GIVEN_NOTHING)
    assert options == IndexOptions(settings=IndexSettings())
    assert index_settings(options, made_by=None) == IndexSettings()


def test_flags_that_are_given_reach_the_indexer() -> None:
    given = index_options(
        **{
            **GIVEN_NOTHING,
            "window": 4.0,
            "stride": 2.0,
            "include": ["*.mkv"],
            "no_ignore_files": True,
            "workers": 3,
            "decode_timeout": 600.0,
        }
    )
    assert index_settings(given, made_by=None) == replace(
        IndexSettings(decode_timeout=600.0),
        window=4.0,
        stride=2.0,
        include=("*.mkv",),
        ignore_files=False,
        workers=3,
    )


def test_window_and_stride_are_those_of_the_catalog_unless_they_are_given(
    indexed: Settings,
) -> None:
    with Catalog.open(indexed.catalog) as catalog:
        made_by = catalog.provenance
    assert made_by is not None
    made_by = replace(made_by, window=5.0, stride=3.0)
    kept = index_settings(IndexOptions(), made_by=made_by)
    assert (kept.window, kept.stride) == (5.0, 3.0)
    mixed = index_settings(IndexOptions(stride=1.0), made_by=made_by)
    assert (mixed.window, mixed.stride) == (5.0, 1.0)


def test_the_report_names_the_model_and_the_counters_count(
    settings: Settings, video: Path, model: Path
) -> None:
    counters = RunCounters()
    report = index_library([video], settings=settings, options=QUICK, counters=counters)
    assert (report.indexed, report.model) == (1, str(model))
    assert counters.progress().indexed == 1


def test_a_path_that_is_not_there_leaves_no_catalog(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(PathMissingError, match="nowhere is not there"):
        index_library([tmp_path / "nowhere"], settings=settings, options=QUICK)
    assert not settings.catalog.exists()


def test_a_model_that_is_not_there_leaves_no_catalog(settings: Settings, video: Path) -> None:
    lost = replace(settings, model=str(video.parent / "nowhere"))
    with pytest.raises(ModelError, match="is not a model"):
        index_library([video], settings=lost, options=QUICK)
    assert not settings.catalog.exists()


def test_a_model_that_is_not_there_is_not_taken_for_another_model(
    indexed: Settings, video: Path
) -> None:
    lost = replace(indexed, model=str(video.parent / "nowhere"))
    with pytest.raises(ModelError, match="is not a model"):
        index_library([video], settings=lost, options=QUICK)


@pytest.mark.parametrize("name", ["demo", "microsoft/xclip-base-patch32"])
def test_another_model_is_refused_and_nothing_is_fetched(
    indexed: Settings, video: Path, name: str
) -> None:
    with pytest.raises(ProvenanceMismatchError, match="forget --all"):
        index_library([video], settings=replace(indexed, model=name), options=QUICK)


def test_a_copy_of_the_model_at_another_place_is_the_same_model(
    indexed: Settings, video: Path, tmp_path: Path
) -> None:
    copy = save_tiny_xclip(tmp_path / "copy", max_length=16)
    report = index_library([video], settings=replace(indexed, model=str(copy)), options=QUICK)
    assert (report.unchanged, report.failed) == (1, ())


def test_a_known_catalog_is_indexed_without_loading_the_model(
    indexed: Settings, video: Path, model: Path
) -> None:
    unnamed = replace(indexed, model=None)
    away = model.rename(model.with_name("away"))
    try:
        report = index_library([video], settings=unnamed, options=QUICK)
    finally:
        away.rename(model)
    assert report.unchanged == 1


def test_one_index_run_at_a_time_works_on_a_catalog(indexed: Settings, video: Path) -> None:
    open_again: Callable[[], object] = open_index(indexed, paths=[video], purpose="b").__enter__
    with (
        open_index(indexed, paths=[video], purpose="vsearch index"),
        pytest.raises(CatalogLockedError, match="vsearch index"),
    ):
        open_again()


def test_a_model_that_is_lent_is_waited_for_and_the_vectors_are_those_of_ones_own(
    settings: Settings, video: Path, model: Path, tmp_path: Path
) -> None:
    options = replace(QUICK, window=2.0, stride=1.0)
    index_library([video], settings=settings, options=options)
    borrowing = replace(settings, catalog=tmp_path / "lent", model=None)
    lent = LentModel(model, Embedder.load(str(model), device="cpu", offline=True))
    pauses: list[float] = []
    report = tried_until_there(
        lambda: index_library([video], settings=borrowing, options=options, model=lent),
        pause=pauses.append,
    )
    assert (report.indexed, report.failed, report.model, pauses) == (1, (), str(model), [2.0])
    assert clips_of(borrowing.catalog) == clips_of(settings.catalog)
    assert len(clips_of(borrowing.catalog)) > 1
