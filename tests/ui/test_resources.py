"""What the page holds open."""

from pathlib import Path

import pytest

from search import Asked
from vsearch.services.answers.search import WarmSearch
from vsearch.settings import Settings

OPEN_FILES = Path("/proc/self/fd")


def open_below(folder: Path) -> list[Path]:
    places = [Path(entry.readlink()) for entry in OPEN_FILES.iterdir() if entry.is_symlink()]
    return [place for place in places if place.is_relative_to(folder)]


@pytest.mark.skipif(not OPEN_FILES.exists(), reason="no list of open files but on Linux")
def test_looks_at_a_page_without_its_model_open_the_catalog_once(
    library: Path, settings: Settings, page, model: Path
) -> None:
    away = model.rename(model.with_name("away"))
    try:
        opened = page(q="a film")
        assert "is not a model" in opened.words
        held = open_below(settings.catalog)
        for _ in range(3):
            assert "is not a model" in opened.look_again().words
        assert len(open_below(settings.catalog)) == len(held)
    finally:
        away.rename(model)


@pytest.mark.skipif(not OPEN_FILES.exists(), reason="no list of open files but on Linux")
def test_a_catalog_is_let_go_of_when_it_is_closed(library: Path, settings: Settings) -> None:
    with WarmSearch(settings) as opened:
        opened.answer(Asked.of("a film", limit=1))
        assert open_below(settings.catalog)
    assert open_below(settings.catalog) == []
