"""What all windows of the page share of what was read: status, videos, answers, lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from catalog import Catalog
from machine.file_state import size_and_time
from vsearch.services.moments.timeline import Padding, make_timeline

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from catalog import CatalogStatus, IndexedVideo
    from search import Asked, SearchResult
    from vsearch.services.answers.search import WarmSearch
    from vsearch.services.moments.found import FoundMoment
    from vsearch.services.moments.timeline import Made
    from vsearch.settings import Settings

_ANSWERS_KEPT = 100
_LISTS_KEPT = 4


@st.cache_data(max_entries=1, show_spinner=False)
def status(*, version: tuple[str, int], _library: WarmSearch) -> CatalogStatus:  # noqa: ARG001
    """Read the status of the catalog, once for each `version` of it."""
    return _library.status()


@st.cache_data(max_entries=1, show_spinner=False)
def videos(
    *,
    version: tuple[str, int],  # noqa: ARG001
    _library: WarmSearch,
) -> tuple[IndexedVideo, ...]:
    """Read all videos in order of their paths, once for each `version` of the catalog."""
    return tuple(sorted(_library.read(Catalog.videos), key=lambda video: str(video.paths[0])))


@st.cache_data(
    max_entries=_ANSWERS_KEPT, show_spinner=False, hash_funcs={"search.asking.asked.Asked": repr}
)
def answer(asked: Asked, *, version: tuple[str, int], _library: WarmSearch) -> SearchResult:  # noqa: ARG001
    """Answer a question, once for each `version` of the catalog."""
    return _library.answer(asked, with_curves=True)


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
