"""The page, from top to bottom: header, views, the question, the moments of its answer."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from catalog import CatalogMissingError
from toyworld.library import library_captions
from ui import markup
from ui.asking import address_now, ask_by_picture, asked_with, question_inputs
from ui.basket import show_basket
from ui.in_browser import tell_browser
from ui.library import library_of, page_settings
from ui.moments.component import MOMENTS_KEY, show_moments
from ui.moments.data import answer_data
from ui.notebook import Notebook, Picked
from ui.resources import answer, status
from ui.views import show_library, show_running, show_searches
from vsearch.errors import user_errors
from xclip_core import DEMO_MODEL

if TYPE_CHECKING:
    from catalog import CatalogStatus
    from search import Hit, SearchResult
    from vsearch.services.answers.search import WarmSearch

VIEWS = ("Search", "Library", "Basket")
_SECONDS_BETWEEN_LOOKS = 2


def main() -> None:
    """Draw the page; Streamlit runs this after every interaction."""
    st.set_page_config(
        page_title=markup.page_title(st.query_params.get("q")), page_icon="🎞️", layout="wide"
    )
    st.html(Path(__file__).with_name("page.css"))
    try:
        _show_page()
    except CatalogMissingError:
        _show_how_to_begin(None, version=None)
    except user_errors() as error:
        st.html(markup.problem(str(error)))


def _show_page() -> None:
    """Show what is in the catalog, and one of the views.

    Status and answers are kept for each version of the catalog: a run that only picks something
    reads the version, and nothing else.
    """
    library = library_of(page_settings())
    version = library.version()
    found = status(version=version, _library=library)
    if not found.clips:
        _show_how_to_begin(found, version=version)
        return
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        st.html(markup.header(found), width="content")
        view = st.segmented_control(
            "View", VIEWS, default=VIEWS[0], required=True, key="view", bind="query-params",
            label_visibility="collapsed", width="content",
        )  # fmt: skip
    _follow(version, also_ended=view == "Library")
    notebook = Notebook(library.folder)
    if view == "Library":
        show_library(library, version=version, found=found)
    elif view == "Basket":
        show_basket(notebook)
    else:
        _show_search(library, version=version, found=found, notebook=notebook)


@st.fragment(run_every=_SECONDS_BETWEEN_LOOKS)
def _follow(version: tuple[str, int] | None, *, also_ended: bool) -> None:
    """Show how far an index run is, and draw the page anew when it has changed the catalog."""
    show_running(also_ended=also_ended)
    now = None
    with suppress(*user_errors()):
        now = library_of(page_settings()).version()
    if now != version:
        st.rerun(scope="app")


def _show_how_to_begin(found: CatalogStatus | None, *, version: tuple[str, int] | None) -> None:
    st.html(markup.header(found))
    _follow(version, also_ended=True)
    st.html(markup.how_to_begin(page_settings(), has_catalog=found is not None))
    show_library(None, version=None, found=found)


def _show_search(
    library: WarmSearch, *, version: tuple[str, int], found: CatalogStatus, notebook: Notebook
) -> None:
    row = st.container(horizontal=True, key="asking")
    words = question_inputs(row)
    if not words:
        _show_contents(found)
        tell_browser(on_picture=ask_by_picture)
    # Also before anything is asked: the model loads while the first sentence is typed.
    with st.spinner("Loading the model; the first time it may have to be fetched…"):
        library.warm_up(index=False)
    if words:
        asked = asked_with(words)
        result = answer(asked, version=version, _library=library)
        notebook.change(lambda notes: notes.with_search(address_now()))
        _show_moments(result, notebook=notebook)
    with row:
        show_searches(notebook)


def _show_contents(found: CatalogStatus) -> None:
    """Show the contents of the catalog, before anything is asked."""
    st.html(markup.library(found))
    if found.provenance is None or found.provenance.model != DEMO_MODEL:
        return
    toys = page_settings().catalog == page_settings().home / "demo" / "catalog"
    st.html(markup.demo_note(toys=toys))
    if toys:
        with st.container(horizontal=True, gap="small"):
            for sentence in library_captions()[::4]:
                st.button(sentence, on_click=_ask, args=(sentence,))


def _ask(sentence: str) -> None:
    st.session_state["q"] = sentence


def _show_moments(found: SearchResult, *, notebook: Notebook) -> None:
    """Show the moments; those with nothing convincing only on request."""
    hidden = len(found.hits) - len(found.convincing)
    everything = st.query_params.get("all") == "true"
    hits = found.hits if everything else found.convincing
    if found.notes:
        st.html(markup.notes(found))
    st.html(markup.summary(found, shown=len(hits)))
    tell_browser(on_picture=ask_by_picture, said=markup.spoken(found, shown=len(hits)), asked=True)
    if hits:
        _moments(found, hits, notebook=notebook)
    if hidden:
        # No switch: the browser remembers what it was where the question was asked before.
        name = markup.hidden_moments(hidden, also_shown=everything)
        st.button(name, key="all", on_click=_show_all, args=(not everything,))


def _show_all(wanted: bool) -> None:  # noqa: FBT001 - a callback
    """Note in the address whether moments with nothing convincing are shown."""
    if wanted:
        st.query_params["all"] = "true"
    else:
        st.query_params.pop("all", None)


@st.fragment
def _moments(found: SearchResult, hits: tuple[Hit, ...], *, notebook: Notebook) -> None:
    """Show the grid; what is picked there draws nothing else anew."""
    shown = {hit.clip_id: hit for hit in hits}
    inside = [one.clip for one in notebook.read().basket if one.clip in shown]
    name = _name_of(found, hits)
    if st.session_state.get("answer") != name:
        st.session_state.update(answer=name, picked=inside)

    def pick() -> None:
        """Change what this window changed: another one may have picked something meanwhile."""
        before, now = st.session_state["picked"], st.session_state[MOMENTS_KEY].basket or []
        st.session_state["picked"] = now
        added = [_picked(shown[one], found) for one in now if one in shown and one not in before]
        removed = [one for one in before if one not in now]
        notebook.change(lambda notes: notes.picking(added, removed=removed))

    show_moments(answer_data(found, hits, answer=name, basket=inside), on_basket=pick)


def _picked(hit: Hit, found: SearchResult) -> Picked:
    return Picked(
        hit.clip_id,
        str(hit.path),
        hit.start,
        hit.end,
        found.query,
        video=hit.video_id,
        peak=hit.peak,
    )


def _name_of(found: SearchResult, hits: tuple[Hit, ...]) -> str:
    """Names an answer by what it shows: the same one is not drawn anew."""
    return f"{found.query} {[(hit.clip_id, hit.start, hit.end) for hit in hits]}"


if __name__ == "__main__":
    main()
