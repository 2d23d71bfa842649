"""The command `query` in a server: for one caller after the other, on what stays open."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from vsearch import caller
from vsearch.settings import is_url, read_settings
from vsearch.startup import HOME_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from search import Asked, SearchResult
    from vsearch.services.answers.search import WarmSearch

_OF_ONE_PROCESS = {"catalog": "--catalog", "model": "--model", "queries": "--queries"}


class NotForTheServerError(Exception):
    """The caller is to answer its command line itself."""


@dataclass(frozen=True, slots=True)
class Resident:
    """What answers the command lines of a caller.

    Attributes:
        warm: the open catalog and model.
        home: the folder for state of a caller that found the server by itself; None for one that
            named it.
    """

    warm: WarmSearch
    home: str | None = None

    def accept(self, params: Mapping[str, Any]) -> None:
        """Check that the server may answer a command line with these parameters.

        Raises:
            NotForTheServerError: the caller found the server by itself, and would have another
                answer from this one than without it.
            BadParameter: the caller named the server, which answers no such thing.
        """
        of_stdin = params["words"] == ["-"]
        if self.home is None:
            for name in (name for name in _OF_ONE_PROCESS if params[name] is not None):
                raise typer.BadParameter(
                    "a server has its own catalog and model, and answers one question at a time;"
                    " leave it out",
                    param_hint=_OF_ONE_PROCESS[name],
                )
            if of_stdin:
                raise typer.BadParameter("a server answers one question at a time; give TEXT")
        elif of_stdin or params["queries"] or params["verbose"] or not self._is_mine(params):
            raise NotForTheServerError

    def search(self, asked: Asked, *, with_curves: bool = False) -> SearchResult:
        """The answer to a question, for the command."""
        return self.warm.answer(asked, with_curves=with_curves)

    def _is_mine(self, params: Mapping[str, Any]) -> bool:
        home, folder, given = self.home or "", caller.folder() or "", params["catalog"]
        named = given if given is None or is_url(given) else Path(folder, given)
        asked = read_settings({HOME_VARIABLE: home}, catalog=named)
        return (
            asked.home == self.warm.settings.home
            and asked.catalog == self.warm.settings.catalog
            and params["model"] in (None, self.warm.settings.model)
            and not any(_means_a_link(glob, folder) for glob in params["globs"] or ())
        )


def _means_a_link(glob: str, folder: str) -> bool:
    """Whether links below a current folder, the caller's or this one, may give a glob a meaning."""
    relative = glob.removeprefix("!")
    places = (os.path.join(one, relative) for one in (folder, os.getcwd()))  # noqa: PTH109, PTH118
    return not relative.startswith("/") and any(
        os.path.realpath(place) != str(Path(place)) for place in places
    )
