"""The question as the page has it: fields that the address holds, and what they ask."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import streamlit as st

from ui.library import page_settings
from ui.markup import as_label, quiet
from vsearch.commands.questions.words import asked_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamlit.delta_generator import DeltaGenerator

    from search import Asked

USUAL_MOMENTS = 10
MOST_MOMENTS = 50
_MOST_PICTURES = 100
ORDERS = ("relevance", "newest", "oldest", "path")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the question.

    Attributes:
        key: its name in the address, which is that of the option of `vsearch query`.
        label: its name on the page.
        hint: what it may hold.
        several: whether it may hold several values, with semicolons between them.
    """

    key: str
    label: str
    hint: str
    several: bool = False

    def values(self, text: str) -> list[str]:
        """The values that it holds."""
        parts = text.split(";") if self.several else [text]
        return [part.strip() for part in parts if part.strip()]


FIELDS = (
    Field("and", "And", "what it shows as well", several=True),
    Field("not", "Not", "what it does not show", several=True),
    Field("then", "Then", "what follows within 20 s", several=True),
    Field("said", "Said", "words in subtitles"),
    Field("like", "Like", "a picture, VIDEO@1:23", several=True),
    Field("in", "Only in", "a folder, *.mkv, !leave-out", several=True),
    Field("tag", "Tagged", "a tag; !tag leaves out", several=True),
    Field("after", "Recorded from", "2024, 2024-06-01, yesterday"),
    Field("before", "Recorded before", "2024, 2024-06-01, yesterday"),
    Field("camera", "Camera", "make or model"),
)
_COLUMNS = 3  # of fields
_LETTERS = 2000  # of a sentence: an address holds it, and a server takes no endless one
_DIGITS = 9  # of a number that anybody could mean
_BY_KEY = {field.key: field for field in FIELDS}


def words_of(values: Mapping[str, str], *, limit: int, order: str) -> list[str]:
    """The question as it would follow `vsearch query`; empty where nothing is asked.

    `values` are texts by the key of their field, and the sentence under `q`.
    """
    words = [
        f"--{key}={value}"
        for key, field in _BY_KEY.items()
        for value in field.values(values.get(key, ""))
    ]
    sentence = values.get("q", "").strip()
    asks = sentence or any(values.get(key, "").strip() for key in ("and", "said", "like"))
    if not asks:
        return []
    words += [f"--limit={limit}", f"--sort={order}"]
    return [*words, "--", sentence] if sentence else words


def address_now() -> str:
    """The query of the address that asks what the fields ask now."""
    values = {key: st.session_state.get(key) for key in ("q", *_BY_KEY)}
    order, limit = st.session_state.get("sort"), st.session_state.get("n")
    values["sort"] = None if order == ORDERS[0] else order
    values["n"] = None if limit == USUAL_MOMENTS else limit
    return urlencode({key: value for key, value in values.items() if value})


def asked_with(words: list[str]) -> Asked:
    """The question of these words; raises UsageError with a sentence for what cannot be asked."""
    return asked_in(words)


def question_inputs(row: DeltaGenerator) -> list[str]:
    """Draw the inputs in `row`, what is asked below; the words of the question, see `words_of`."""
    refused = _number_refused()
    row.text_input(
        "Sentence",
        key="q",
        bind="query-params",
        max_chars=_LETTERS,
        placeholder="Describe a moment in a sentence",
        icon=":material/search:",
        label_visibility="collapsed",
    )
    with row.popover("More to ask", icon=":material/tune:"), st.container(key="more"):
        columns = st.columns(_COLUMNS)
        for number, field in enumerate(FIELDS):
            columns[number % _COLUMNS].text_input(
                field.label,
                key=field.key,
                bind="query-params",
                placeholder=field.hint,
            )
        order = columns[-2].selectbox("Order", ORDERS, key="sort", bind="query-params")
        limit = columns[-1].number_input(
            "Moments at most",
            key="n",
            bind="query-params" if refused is None else None,
            min_value=1,
            max_value=MOST_MOMENTS,
            value=USUAL_MOMENTS,
        )
        st.html(quiet("Several in one field: put ; between them."))
        st.file_uploader(
            "A picture as the question",
            type=["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"],
            key="picture",
            on_change=_ask_by_chosen_picture,
        )
    given = [field for field in FIELDS if st.session_state.get(field.key)]
    if given:
        _chips(given)
    if refused is not None:
        st.html(quiet(refused))
    values = {key: str(st.session_state.get(key) or "") for key in ("q", *_BY_KEY)}
    return words_of(values, limit=int(limit), order=str(order))


def _ask_by_chosen_picture() -> None:
    picture = st.session_state["picture"]
    if picture is not None:
        ask_by_picture(picture.name, picture.getvalue())


def ask_by_picture(name: str, content: bytes) -> None:
    """Ask by a picture, or say why that cannot be."""
    try:
        kept = keep_picture(page_settings().home, name, content)
    except OSError as error:
        st.toast(f"The picture cannot be kept: {error}")
    else:
        st.session_state["like"] = str(kept)


def keep_picture(home: Path, name: str, content: bytes) -> Path:
    """Keep a picture that was dropped into the page, so that an address can ask by it.

    The oldest are removed beyond some number. Raises OSError where it cannot be written.
    """
    folder = home / "cache" / "asked"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{hashlib.sha256(content).hexdigest()[:20]}{Path(name).suffix.lower()}"
    path.write_bytes(content)
    kept = sorted(folder.iterdir(), key=lambda one: one.stat().st_mtime_ns)
    for old in kept[:-_MOST_PICTURES]:
        old.unlink(missing_ok=True)
    return path


def _chips(given: list[Field]) -> None:
    """What is asked beside the sentence, each with a way to leave it out."""
    with st.container(horizontal=True, gap="small"):
        for field in given:
            st.button(
                as_label(f"{field.label}: {st.session_state[field.key]}"),
                key=f"chip-{field.key}",
                icon=":material/close:",
                help="Leave this out",
                on_click=_clear,
                args=(field.key,),
            )


def _clear(key: str) -> None:
    st.session_state[key] = ""


def _number_refused() -> str | None:
    """What is told of an impossible number of moments in the address; the nearest one is taken.

    Streamlit would take the usual one without a word, and fail at one without an end.
    """
    asked_for = st.query_params.get("n")
    number = int(asked_for[:_DIGITS]) if asked_for and asked_for.isdecimal() else None
    if asked_for is None or (number is not None and 1 <= number <= MOST_MOMENTS):
        return None
    limit = USUAL_MOMENTS if number is None else min(max(number, 1), MOST_MOMENTS)
    st.session_state["n"] = limit
    del st.query_params["n"]
    return (
        f"The address asks for an impossible number of moments; from 1 to {MOST_MOMENTS} can be"
        f" shown, and {limit} at most are."
    )
