"""Component with the grid of moments and the player, in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NAME = "moments"
_HERE = Path(__file__).parent
# One module: a part uses what the parts before it define.
_PARTS = ("elements.js", "player.js", "keys.js", "grid.js")


MOMENTS_KEY, FILMS_KEY = "moments", "films"


def show_moments(data: Mapping[str, Any], *, on_basket: Callable[[], None]) -> None:
    """Show the moments that `ui.moments.data.answer_data` describes.

    `on_basket` is called when the basket changes; what is in it is in the session state under
    `MOMENTS_KEY`, as `basket`.
    """
    _component()(key=MOMENTS_KEY, data=data, on_basket_change=on_basket)


def show_films(data: Mapping[str, Any]) -> None:
    """Show whole films, as `ui.moments.data.films_data` describes them."""
    _component()(key=FILMS_KEY, data=data)


def _component() -> Callable[..., object]:
    return st.components.v2.component(
        _NAME,
        html=(_HERE / "grid.html").read_text(encoding="utf-8"),
        css=(_HERE / "grid.css").read_text(encoding="utf-8"),
        js="\n".join((_HERE / part).read_text(encoding="utf-8") for part in _PARTS),
        isolate_styles=False,
    )
