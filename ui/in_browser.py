"""Script of the page that runs in the browser, and the data for it."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Callable

_KEY = "in_browser"
_SCRIPT = Path(__file__).with_suffix(".js")


def tell_browser(
    *, on_picture: Callable[[str, bytes], None], said: str = "", asked: bool = False
) -> None:
    """Pass the state of the page to `in_browser.js`.

    Args:
        on_picture: called with name and content of a picture that was dropped into the page.
        said: text that a screen reader reads out when it changes.
        asked: whether the page shows an answer; else the search field has the focus.
    """
    in_browser = st.components.v2.component(
        "in_browser",
        html='<p role="status" class="vs-spoken"></p>',
        js=_SCRIPT.read_text(encoding="utf-8"),
        isolate_styles=False,
    )

    def take() -> None:
        dropped = st.session_state[_KEY].picture
        if dropped is not None:
            on_picture(str(dropped["name"]), b64decode(dropped["content"]))

    in_browser(key=_KEY, data={"said": said, "asked": asked}, on_picture_change=take)
