"""Notebook of a catalog: earlier searches, saved ones, and the basket; a file in its folder.

A search is kept as the query of its address. Where the folder cannot be written to, nothing is
kept beyond the window.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable
    from pathlib import Path

NAME = "page.json"
_MOST_SEARCHES = 100
_MOST_PICKED = 1000
_MOST_BYTES = 4 << 20
_LONGEST = 10_000  # letters of a search: many of them stay within the bytes
_SECONDS = 2.0  # to wait for another window that writes


@dataclass(frozen=True, slots=True)
class Picked:
    """A moment in the basket: `[start, end)` of a file, in seconds, with a note.

    `video` and `peak` tell where its picture is; older notebooks lack them.
    """

    clip: int
    path: str
    start: float
    end: float
    question: str
    note: str = ""
    video: int | None = None
    peak: float | None = None


@dataclass(frozen=True, slots=True)
class Notes:
    """What a notebook holds; the latest searches come first."""

    searches: tuple[str, ...] = ()
    saved: dict[str, str] = field(default_factory=dict)
    basket: tuple[Picked, ...] = ()

    def with_search(self, address: str) -> Notes:
        """The notes with another search, which is there once; not with an endless one."""
        if len(address) > _LONGEST:
            return self
        others = tuple(one for one in self.searches if one != address)
        return replace(self, searches=(address, *others)[:_MOST_SEARCHES])

    def with_saved(self, name: str, address: str | None) -> Notes:
        """The notes with a search under a name, or without it."""
        others = {one: its for one, its in self.saved.items() if one != name}
        return replace(self, saved=others if address is None else others | {name: address})

    def with_basket(self, basket: Iterable[Picked]) -> Notes:
        """The notes with another basket."""
        return replace(self, basket=tuple(basket)[:_MOST_PICKED])

    def picking(self, added: Iterable[Picked], *, removed: Container[int]) -> Notes:
        """The notes with more in the basket, each clip once, and with some clips less."""
        there = {one.clip for one in self.basket}
        new = [one for one in added if one.clip not in there]
        return self.with_basket([*(one for one in self.basket if one.clip not in removed), *new])

    def with_note(self, clip: int, note: str) -> Notes:
        """The notes with another note on a moment in the basket."""
        return self.with_basket(
            replace(one, note=note) if one.clip == clip else one for one in self.basket
        )

    def with_earlier(self, clip: int) -> Notes:
        """The notes with a moment one place earlier in the basket."""
        basket = [*self.basket]
        for number, one in enumerate(basket[1:], start=1):
            if one.clip == clip:
                basket[number - 1 : number + 1] = one, basket[number - 1]
                break
        return self.with_basket(basket)


class Notebook:
    """The notebook in the folder of a catalog. Safe for several windows."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._lock = FileLock(folder / f"{NAME}.lock", timeout=_SECONDS)
        self._unkept = Notes()

    def read(self) -> Notes:
        """The notes; none where there is no file, or one of another kind."""
        try:
            with self.path.open("rb") as file:
                content = json.loads(file.read(_MOST_BYTES))
            return _notes(content)
        except FileNotFoundError:
            return self._unkept
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return Notes()

    def change(self, change: Callable[[Notes], Notes]) -> Notes:
        """Change the notes as they are now."""
        with suppress(OSError, Timeout), self._lock:
            notes = change(self.read())
            beside = self.path.with_suffix(".new")
            beside.write_text(json.dumps(asdict(notes), ensure_ascii=False), encoding="utf-8")
            beside.replace(self.path)
            return notes
        self._unkept = change(self._unkept)
        return self._unkept


def _notes(content: Any) -> Notes:
    return Notes(
        searches=tuple(str(one) for one in content["searches"]),
        saved={str(name): str(address) for name, address in content["saved"].items()},
        basket=tuple(Picked(**one) for one in content["basket"]),
    )
