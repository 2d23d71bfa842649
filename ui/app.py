"""The page, from top to bottom: header, inputs, ranked moments, a player."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from catalog import CatalogGoneError, CatalogMissingError
from toyworld.library import library_captions
from ui import markup
from ui.in_browser import tell_browser
from ui.previews import preview_span
from ui.resources import (
    answer,
    close_library,
    loaded_searcher,
    open_library,
    page_settings,
    previews,
    status,
)
from vsearch.errors import user_errors
from xclip_core import DEMO_MODEL

if TYPE_CHECKING:
    from catalog import CatalogStatus
    from search import Hit, SearchResult
    from ui.previews import Preview

USUAL_MOMENTS = 10
MOST_MOMENTS = 50
_DIGITS = 9  # of a number that anybody could mean


def main() -> None:
    """Draw the page; Streamlit runs this after every interaction."""
    st.set_page_config(page_title=markup.page_title(st.query_params.get("q")), page_icon="🎞️")
    st.html(Path(__file__).with_name("page.css"))
    try:
        _show_library()
    except CatalogMissingError:
        _show_how_to_begin(None)
    except CatalogGoneError:
        close_library()  # it was deleted, or restored from a backup
        st.rerun()
    except user_errors() as error:
        st.html(markup.problem(str(error)))


def _show_library() -> None:
    """Show what is in the catalog, and the answer.

    Status and answers are kept for each version of the catalog: a run that only plays something
    reads the version, and nothing else.
    """
    library = open_library(page_settings())
    version = library.catalog.version
    found = status(version=version, _library=library)
    if not found.clips:
        _show_how_to_begin(found)
        return
    st.html(markup.header(found))
    sentence, path_glob, limit = _question()
    if not sentence:
        _show_contents(found)
        tell_browser()
    # Also before anything is asked: the model loads while the first sentence is typed.
    searcher = loaded_searcher(page_settings(), _library=library)
    if sentence:
        result = answer(
            sentence, path_glob=path_glob, limit=limit, version=version, _searcher=searcher
        )
        _show_moments(result, path_glob=path_glob)


def _show_how_to_begin(found: CatalogStatus | None) -> None:
    st.html(markup.header(found))
    st.html(markup.how_to_begin(page_settings(), has_catalog=found is not None))
    st.button("Look again", icon=":material/refresh:")


def _question() -> tuple[str, str | None, int]:
    """The inputs: sentence, path filter, number of moments; the URL holds all three."""
    refused = _number_refused()
    sentence = st.text_input(
        "Sentence",
        key="q",
        bind="query-params",
        on_change=_play,
        args=(None,),
        placeholder="Describe a moment in a sentence",
        icon=":material/search:",
        label_visibility="collapsed",
    )
    left, right = st.columns([4, 1])
    path_glob = left.text_input(
        "Only in",
        key="in",
        bind="query-params",
        on_change=_play,
        args=(None,),
        placeholder="Only in a folder, a file, or a pattern such as *.mkv",
        icon=":material/filter_alt:",
        label_visibility="collapsed",
    )
    limit = right.number_input(
        "Moments at most",
        key="n",
        bind="query-params" if refused is None else None,
        min_value=1,
        max_value=MOST_MOMENTS,
        value=USUAL_MOMENTS,
        icon=":material/format_list_numbered:",
        label_visibility="collapsed",
    )
    if refused is not None:
        st.html(markup.number_mended(refused, most=MOST_MOMENTS, limit=limit))
    return sentence.strip(), path_glob.strip() or None, limit


def _number_refused() -> str | None:
    """The impossible number of moments in the URL, if there is one; the nearest is taken.

    Streamlit would take the usual one without a word, and fail at one without an end.
    """
    asked_for = st.query_params.get("n")
    number = int(asked_for[:_DIGITS]) if asked_for and asked_for.isdecimal() else None
    if asked_for is None or (number is not None and 1 <= number <= MOST_MOMENTS):
        return None
    st.session_state["n"] = USUAL_MOMENTS if number is None else min(max(number, 1), MOST_MOMENTS)
    del st.query_params["n"]
    return asked_for


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


def _show_moments(found: SearchResult, *, path_glob: str | None) -> None:
    """Show the moments; those with nothing convincing only on request."""
    hidden = len(found.hits) - len(found.convincing)
    everything = st.session_state.get(_everything_of(found), False)
    result = found if everything else replace(found, hits=found.convincing)
    if result.notes:
        st.html(markup.notes(result))
    st.html(markup.summary(result, path_glob=path_glob, hidden=hidden))
    tell_browser(
        said=markup.spoken(result, hidden=hidden),
        playing=st.session_state.get("playing"),
        asked=True,
    )
    for hit, still in zip(result.hits, previews().stills(result.hits), strict=True):
        _show_moment(hit, still=still)
    if hidden:
        st.toggle(markup.hidden_moments(hidden), key=_everything_of(found))


def _everything_of(found: SearchResult) -> str:
    """The key of the switch that shows all moments for this sentence."""
    return f"everything-{found.query}"


def _show_moment(hit: Hit, *, still: Preview) -> None:
    # One message for a missing file, also where it was about to play.
    plays = still.data is not None and st.session_state.get("playing") == hit.clip_id
    with st.container(key=f"moment-{hit.clip_id}"):
        picture, words = st.columns([3, 2] if plays else [1, 3], gap="medium")
        with words:
            st.html(markup.moment(hit))
            if still.data is None:
                st.html(markup.lacking(still.problem))
            else:
                _show_switch(hit, plays=plays)
        with picture:
            if plays:
                _show_player(hit)
            else:
                _show_still(hit, still=still)


def _show_still(hit: Hit, *, still: Preview) -> None:
    if still.data is None:
        st.html(markup.no_picture())
    else:
        st.image(still.data, width="stretch", alt=markup.picture_name(hit))


def _show_switch(hit: Hit, *, plays: bool) -> None:
    st.button(
        "Close" if plays else "Play",
        key=f"switch-{hit.clip_id}",
        icon=":material/close:" if plays else ":material/play_arrow:",
        type="tertiary",
        on_click=_play,
        args=(None if plays else hit.clip_id,),
    )


def _play(clip_id: int | None) -> None:
    """One player at a time: at most one preview is held for each window."""
    st.session_state["playing"] = clip_id


def _show_player(hit: Hit) -> None:
    with st.spinner("Cutting the preview…"):
        preview = previews().clip(hit)
    if preview.data is None:
        st.html(markup.lacking(preview.problem))
    else:
        st.video(preview.data, autoplay=True, muted=True, alt=markup.picture_name(hit))
        st.html(markup.preview_note(*preview_span(hit)))


if __name__ == "__main__":
    main()
