"""Weights at the end of what is looked for, as in `a dog^2`."""

from __future__ import annotations

import re

import typer

from vsearch.commands.options import Number
from vsearch.messages import beginning

_WEIGHTS = Number(0.01, 100)
_WEIGHT = re.compile(r"\^([^\s^]*)\s*$")


def weight_at_end(text: str) -> tuple[str, float]:
    """What stands before a weight as in `a dog^2`, and the weight; 1 where there is none."""
    found = _WEIGHT.search(text)
    if found is None:
        return text, 1.0
    try:
        return text[: found.start()], _WEIGHTS(found[1])
    except typer.BadParameter as error:
        raise typer.BadParameter(f"the weight after ^ in {beginning(text)}: {error}") from error
