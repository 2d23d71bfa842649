"""What all windows of the page share: settings, catalog and model, answers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import streamlit as st

from machine.file_state import size_and_time
from vsearch.services.answers.search import searcher_of
from vsearch.services.models import open_catalog
from vsearch.services.moments.timeline import Padding, make_timeline
from vsearch.settings import Settings, read_page_settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from catalog import CatalogStatus, IndexedVideo
    from search import Asked, Searcher, SearchResult
    from vsearch.services.moments.found import FoundMoment
    from vsearch.services.moments.timeline import Made

_ANSWERS_KEPT = 100
_LISTS_KEPT = 4


class OpenLibrary:
    """A catalog and the searcher over it, open until closed."""

    def __init__(self, settings: Settings) -> None:
        self.catalog = open_catalog(settings)
        self.searcher = searcher_of(self.catalog, settings)

    def close(self) -> None:
        """Close the catalog's files."""
        self.catalog.close()


def page_settings() -> Settings:
    """The settings of the command that started the page."""
    return read_page_settings(os.environ)


@st.cache_resource(max_entries=1, on_release=OpenLibrary.close, show_spinner=False)
def open_library(settings: Settings) -> OpenLibrary:
    """Open the catalog, once for all windows.

    The catalog itself notices what other processes write to it, and raises CatalogGoneError when
    its folder was deleted or replaced: then `close_library()` makes the next call open it again.

    Raises one of `user_errors()`; an error is not kept, the next call tries again.
    """
    return OpenLibrary(settings)


def close_library() -> None:
    """Close the catalog, and drop the answers that came from it."""
    open_library.clear()
    loaded_searcher.clear()
    status.clear()
    videos.clear()
    answer.clear()


@st.cache_resource(
    max_entries=1, show_spinner="Loading the model; the first time it may have to be fetched…"
)
def loaded_searcher(settings: Settings, *, _library: OpenLibrary) -> Searcher:  # noqa: ARG001
    """The library's searcher, with the model loaded. Raises one of `user_errors()`."""
    _library.searcher.warm_up()
    return _library.searcher


@st.cache_data(max_entries=1, show_spinner=False)
def status(*, version: tuple[str, int], _library: OpenLibrary) -> CatalogStatus:  # noqa: ARG001
    """Read the status of the catalog, once for each `version` of it."""
    return _library.catalog.status()


@st.cache_data(max_entries=1, show_spinner=False)
def videos(
    *,
    version: tuple[str, int],  # noqa: ARG001
    _library: OpenLibrary,
) -> tuple[IndexedVideo, ...]:
    """Read all videos in order of their paths, once for each `version` of the catalog."""
    return tuple(sorted(_library.catalog.videos(), key=lambda video: str(video.paths[0])))


@st.cache_data(
    max_entries=_ANSWERS_KEPT, show_spinner=False, hash_funcs={"search.asking.asked.Asked": repr}
)
def answer(asked: Asked, *, version: tuple[str, int], _searcher: Searcher) -> SearchResult:  # noqa: ARG001
    """Answer a question, once for each `version` of the catalog."""
    return _searcher.answer(asked, with_curves=True)


def states_of(moments: Iterable[FoundMoment]) -> tuple[tuple[int, int] | None, ...]:
    """Size and time of each moment's file; None for one that is not there."""
    return tuple(_state(path) for path in {moment.path: None for moment in moments})


def _state(path: Path) -> tuple[int, int] | None:
    try:
        return size_and_time(path.stat())
    except (OSError, ValueError):
        return None


@st.cache_data(
    max_entries=_LISTS_KEPT,
    show_spinner="Reading the videos…",
    hash_funcs={"vsearch.services.moments.found.FoundMoment": repr},
)
def list_of(
    moments: tuple[FoundMoment, ...],
    *,
    name: str,
    states: tuple[tuple[int, int] | None, ...],  # noqa: ARG001
    _settings: Settings,
) -> Made:
    """Make a list of moments, once for each state of their files. Raises ExportError."""
    return make_timeline(
        moments, name=name, settings=_settings, padding=Padding(), on_progress=lambda *_: None
    )
