"""What the page loads once and keeps for all windows: settings, catalog, model, pictures."""

from __future__ import annotations

import os
from contextlib import ExitStack

import streamlit as st

from ui.previews import Previews
from vsearch.services.search import open_searcher
from vsearch.settings import Settings, read_page_settings


class OpenLibrary:
    """A catalog and its model, open until released."""

    def __init__(self, settings: Settings) -> None:
        with ExitStack() as opened:
            self.searcher = opened.enter_context(open_searcher(settings))
            self.searcher.warm_up()
            self._open = opened.pop_all()  # nothing stays open of what could not be had whole

    def close(self) -> None:
        """Let go of the catalog's files."""
        self._open.close()


def page_settings() -> Settings:
    """The settings of the command that started the page."""
    return read_page_settings(os.environ)


@st.cache_resource(
    max_entries=1,
    on_release=OpenLibrary.close,
    show_spinner="Loading the model; the first time it may have to be fetched…",
)
def open_library(settings: Settings, *, catalog_uuid: str) -> OpenLibrary:  # noqa: ARG001
    """The catalog and the model that made it.

    The catalog itself notices what other processes write to it. One that was deleted and made anew
    in the same folder is another one: `catalog_uuid` tells.

    Raises one of `user_errors()`; an error is not kept, the next look tries again.
    """
    return OpenLibrary(settings)


@st.cache_resource
def previews() -> Previews:
    """The pictures and previews that were made so far, up to a bound."""
    return Previews()
