"""The library that the page serves: one catalog and one model, for its windows and for programs."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from vsearch.services.answers.search import WarmSearch
from vsearch.settings import read_page_settings

if TYPE_CHECKING:
    from vsearch.settings import Settings


def page_settings() -> Settings:
    """The settings of the command that started the page."""
    return read_page_settings(os.environ)


@cache
def library_of(settings: Settings) -> WarmSearch:
    """The catalog with its model, which are opened at first use."""
    return WarmSearch(settings)
