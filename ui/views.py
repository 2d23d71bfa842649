"""Views beside the search: the library with its index runs, and earlier searches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from ui import markup
from ui.library import page_settings
from ui.moments.component import show_films
from ui.moments.data import films_data
from ui.resources import videos
from vsearch.errors import CommandError
from vsearch.services.library.detached_index import DetachedIndex
from vsearch.show.output import count

if TYPE_CHECKING:
    from catalog import CatalogStatus
    from ui.notebook import Notebook, Notes
    from vsearch.services.answers.search import WarmSearch

_FILMS_SHOWN = 48
_FAILURES_WITH_BUTTON = 20
_SEARCHES_SHOWN = 20


def show_library(
    library: WarmSearch | None, *, version: tuple[str, int] | None, found: CatalogStatus | None
) -> None:
    """Show the films, what could not be indexed, and a way to add a folder."""
    runs = DetachedIndex(page_settings())
    finding, adding = st.columns(2, vertical_alignment="bottom")
    with adding.form("add", border=False), st.container(key="adding", horizontal=True):
        folder = st.text_input("Add a folder of videos", key="folder", placeholder="/media/videos")
        if st.form_submit_button("Index", icon=":material/add:"):
            _start(runs, [_folder(folder.strip())])
    if found is not None and found.failures:
        _show_failures(runs, found)
    if library is not None and version is not None:
        with finding:
            wanted = st.text_input("Find by name", key="name", bind="query-params")
        _show_films(library, version=version, wanted=wanted.casefold().strip())


def _show_failures(runs: DetachedIndex, found: CatalogStatus) -> None:
    """Show what could not be indexed, and ways to try that again."""
    some, others = found.failures[:_FAILURES_WITH_BUTTON], found.failures[_FAILURES_WITH_BUTTON:]
    with st.expander(f"{count(len(found.failures), 'file')} could not be indexed"):
        for number, failure in enumerate(some):
            row = st.container(horizontal=True, vertical_alignment="center")
            row.html(markup.failures([failure]))
            if row.button("Try again", key=f"again-{number}"):
                _start(runs, [failure.path], retry_failed=True)
        if others:
            st.html(markup.failures(others))
        if len(found.failures) > 1 and st.button("Try all again", icon=":material/refresh:"):
            _start(runs, [*found.roots], retry_failed=True)


def _folder(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # there is no such user
        return Path(text)


def _start(runs: DetachedIndex, paths: list[Path], *, retry_failed: bool = False) -> None:
    try:
        runs.start(paths, retry_failed=retry_failed)
    except (CommandError, OSError) as error:
        st.error(str(error))


def show_running(*, also_ended: bool) -> None:
    """Show how far an index run is, or what the last one could not do."""
    runs = DetachedIndex(page_settings())
    state = runs.state()
    if state is None:
        return
    if state.running:
        left, right = st.columns([6, 1], vertical_alignment="center")
        done = state.progress or {}
        share = done.get("files_done", 0) / max(done.get("files", 0), 1)
        left.progress(min(share, 1.0), text=markup.progress(state))
        right.button("Stop", key="stop", on_click=runs.stop, icon=":material/stop:")
    elif also_ended and state.result is None and state.messages:
        st.html(markup.problem(state.messages[-1]))


def _show_films(library: WarmSearch, *, version: tuple[str, int], wanted: str) -> None:
    every = videos(version=version, _library=library)
    chosen = [video for video in every if wanted in str(video.paths[0]).casefold()]
    st.html(markup.quiet(markup.films_shown(len(chosen), len(every))))
    pages = -(-len(chosen) // _FILMS_SHOWN)
    page = st.pagination(pages, key="page") if pages > 1 else 1
    some = chosen[_FILMS_SHOWN * (page - 1) : _FILMS_SHOWN * page]
    if some:
        show_films(films_data(some))


def show_searches(notebook: Notebook) -> None:
    """Show earlier and saved searches, and a way to save this one."""
    notes = notebook.read()
    if not notes.searches and not notes.saved:
        return
    with st.popover("Searches", icon=":material/history:"):
        if notes.saved:
            st.html(markup.searches("Saved", notes.saved))
            for name in notes.saved:
                label = markup.as_label(f"Forget {name}")
                st.button(label, key=f"forget-{name}", on_click=_forget, args=(notebook, name))
        _show_save(notebook, notes)
        earlier = notes.searches[:_SEARCHES_SHOWN]
        st.html(markup.searches("Earlier", {markup.search_name(one): one for one in earlier}))


def _show_save(notebook: Notebook, notes: Notes) -> None:
    with st.form("save", border=False, clear_on_submit=True):
        name = st.text_input("Save the latest search as", key="saved_as").strip()
        if st.form_submit_button("Save") and name and notes.searches:
            notebook.change(lambda now: now.with_saved(name, now.searches[0]))
            st.rerun()


def _forget(notebook: Notebook, name: str) -> None:
    notebook.change(lambda notes: notes.with_saved(name, None))
