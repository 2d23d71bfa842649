"""The basket: picked moments, and the list that is made of them for other programs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from machine.clock_text import clock_text
from machine.names import command_line, shown
from ui import markup
from ui.library import page_settings
from ui.resources import list_of, states_of
from vsearch.errors import ExportError
from vsearch.services.moments.found import moments_in
from vsearch.services.moments.timeline import list_content
from vsearch.show.handed_on.lists import warnings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ui.notebook import Notebook, Notes, Picked

FORMATS = {
    "FCPXML (Final Cut, Resolve)": ".fcpxml",
    "Premiere XML": ".xml",
    "EDL (CMX 3600)": ".edl",
    "OTIO": ".otio",
    "CSV": ".csv",
    "JSON": ".json",
    "M3U8": ".m3u8",
    "XSPF": ".xspf",
    "VTT (chapters of one video)": ".vtt",
}
_NAME = "moments"


def show_basket(notebook: Notebook) -> None:
    """Show the picked moments, with their notes and in an order that can be changed."""
    basket = notebook.read().basket
    if not basket:
        st.html(markup.empty_basket())
        return
    for number, picked in enumerate(basket):
        _show_picked(notebook, number, picked)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Take them along as", FORMATS, index=None, key="format", placeholder="Choose a format",
            width=280,
        )  # fmt: skip
        place = st.container(width="content")
        if st.button("Empty the basket", icon=":material/delete:"):
            notebook.change(lambda notes: notes.with_basket(()))
            st.rerun()
    if chosen is not None:
        with place:
            content, said = _list(basket, FORMATS[chosen])
            if content is not None:
                st.download_button(
                    "Download", content, _NAME + FORMATS[chosen], icon=":material/download:"
                )
        for sentence in said:
            st.html(markup.problem(sentence))
        if notebook.path.is_file():
            st.html(markup.same_by_command(_command(notebook.path, FORMATS[chosen])))


def _list(basket: Sequence[Picked], suffix: str) -> tuple[bytes | None, list[str]]:
    """The file, and what is to be known about it; None where there can be none."""
    moments = tuple(moments_in({"basket": [asdict(one) for one in basket]}))
    try:
        made = list_of(moments, name=_NAME, states=states_of(moments), _settings=page_settings())
        return list_content(made.timeline, suffix), [*made.remarks, *warnings_of(made)]
    except ExportError as error:
        return None, [str(error)]


def _command(notes: Path, suffix: str) -> str:
    flags = page_settings().catalog_flags
    return command_line("vsearch", "export", "--from", notes, "-o", _NAME + suffix, *flags)


def _show_picked(notebook: Notebook, number: int, picked: Picked) -> None:
    row = st.container(key=f"picked-{number}", horizontal=True, vertical_alignment="center")
    name = shown(Path(picked.path).name)
    span = f"{clock_text(picked.start)}–{clock_text(picked.end, up=True)}"
    row.html(markup.picked(picked, span=span))
    written = row.text_input(
        f"Note on {name}, {span}",
        value=picked.note,
        key=f"note-{picked.clip}",
        placeholder="A note",
        label_visibility="collapsed",
    )
    clip = picked.clip
    if written != picked.note:
        notebook.change(lambda notes: notes.with_note(clip, written))
    row.button(
        "Up",
        key=f"up-{picked.clip}",
        disabled=not number,
        on_click=_change,
        args=(notebook, lambda notes: notes.with_earlier(clip)),
    )
    row.button(
        "Remove",
        key=f"out-{picked.clip}",
        on_click=_change,
        args=(notebook, lambda notes: notes.picking((), removed=(clip,))),
    )


def _change(notebook: Notebook, change: Callable[[Notes], Notes]) -> None:
    notebook.change(change)
