"""Script of the page that runs in the browser, and the data for it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_SCRIPT = Path(__file__).with_suffix(".js")


def tell_browser(*, said: str = "", asked: bool = False) -> None:
    """Pass the state of the page to `in_browser.js`.

    Args:
        said: text that a screen reader reads out when it changes.
        asked: whether the page shows an answer; else the search field has the focus.
    """
    in_browser = st.components.v2.component(
        "in_browser",
        html='<p role="status" class="vs-spoken"></p>',
        js=_SCRIPT.read_text(encoding="utf-8"),
        isolate_styles=False,
    )
    in_browser(key="in_browser", data={"said": said, "asked": asked})
