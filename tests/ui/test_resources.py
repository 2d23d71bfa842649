"""What the page holds open."""

from pathlib import Path

import pytest

from ui.resources import OpenLibrary
from vsearch.errors import user_errors
from vsearch.settings import Settings

OPEN_FILES = Path("/proc/self/fd")


def open_below(folder: Path) -> list[Path]:
    places = [Path(entry.readlink()) for entry in OPEN_FILES.iterdir() if entry.is_symlink()]
    return [place for place in places if place.is_relative_to(folder)]


@pytest.mark.skipif(not OPEN_FILES.exists(), reason="no list of open files but on Linux")
def test_a_catalog_is_let_go_of_at_once_when_its_model_cannot_be_had(
    library: Path, settings: Settings, model: Path
) -> None:
    away = model.rename(model.with_name("away"))
    try:
        with pytest.raises(user_errors()) as refused:
            OpenLibrary(settings)
        assert refused.traceback  # which holds on to what was made on the way
        assert open_below(settings.catalog) == []
    finally:
        away.rename(model)


@pytest.mark.skipif(not OPEN_FILES.exists(), reason="no list of open files but on Linux")
def test_a_catalog_is_let_go_of_when_it_is_closed(library: Path, settings: Settings) -> None:
    opened = OpenLibrary(settings)
    opened.searcher.search("a film", limit=1, within=None)
    assert open_below(settings.catalog)
    opened.close()
    assert open_below(settings.catalog) == []
