"""Options that say which of the moments found are shown, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer

from vsearch.commands.options import MOMENTS, Number, OneOf

PER_VIDEO = 3
_SORTS = ("relevance", "newest", "oldest", "path")
_option: Callable[..., object] = partial(typer.Option, rich_help_panel="Order")

LimitOption = Annotated[
    int, _option("-k", "--limit", metavar="N", parser=MOMENTS, help="Moments at most.")
]
SortOption = Annotated[
    str,
    _option(
        "--sort",
        metavar="ORDER",
        parser=OneOf(_SORTS),
        help="relevance; newest or oldest: by time of recording, the surest of the 100 most "
        "relevant, and among equally sure ones the newest or oldest; path: the most relevant, "
        "by path and time.",
    ),
]
PerVideoOption = Annotated[
    int,
    _option(
        "--per-video",
        metavar="N",
        parser=Number(0, 1_000_000, whole=True),
        help="Moments of one video at most; 0: all.",
    ),
]
ShowDuplicatesOption = Annotated[
    bool,
    _option(
        "--show-duplicates",
        help="Also moments that show the same as one of another video, such as a re-encoded one; "
        "else they are counted only.",
    ),
]
