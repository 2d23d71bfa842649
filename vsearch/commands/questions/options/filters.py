"""Options that say which videos compete: paths, capture time, size, camera."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, cast

import typer

from vsearch.commands.options import Number, OneOf, glob_given, not_empty
from vsearch.services.dates import parse_date

if TYPE_CHECKING:
    from catalog import Orientation, VideoFilter

_PANEL = "Filters"
_SECONDS = Number(0, 1e9)
_PIXELS = Number(1, 100_000, whole=True)


def _glob(text: str) -> str:
    """A glob, after `!` one that excludes."""
    return f"!{glob_given(text[1:])}" if text.startswith("!") else glob_given(text)


def _tag(text: str) -> str:
    """The name of a tag, after `!` of one that excludes."""
    not_empty(text.removeprefix("!"))
    return text


def _date(text: str | datetime) -> datetime:
    if isinstance(text, datetime):
        return text
    try:
        return parse_date(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


_option: Callable[..., object] = partial(typer.Option, rich_help_panel=_PANEL)

InOption = Annotated[
    list[str] | None,
    _option(
        "--in",
        metavar="GLOB",
        parser=_glob,
        help="Only videos whose path matches, or, after !, does not; may be repeated.",
    ),
]
AfterOption = Annotated[
    datetime | None,
    _option(
        "--after",
        metavar="DATE",
        parser=_date,
        help="Only videos recorded then or later: 2024, 2024-06-01, yesterday, '2 weeks ago'.",
    ),
]
BeforeOption = Annotated[
    datetime | None,
    _option("--before", metavar="DATE", parser=_date, help="Only videos recorded before then."),
]
MinDurationOption = Annotated[
    float | None,
    _option("--min-duration", metavar="SECONDS", parser=_SECONDS, help="Only longer videos."),
]
MaxDurationOption = Annotated[
    float | None,
    _option("--max-duration", metavar="SECONDS", parser=_SECONDS, help="Only shorter videos."),
]
MinHeightOption = Annotated[
    int | None,
    _option(
        "--min-height",
        metavar="PIXELS",
        parser=_PIXELS,
        help="Only videos of this height or more, such as 720.",
    ),
]
OrientationOption = Annotated[
    str | None,
    _option(
        "--orientation",
        metavar="WORD",
        parser=OneOf(("landscape", "portrait", "square")),
        help="Only landscape, portrait or square videos.",
    ),
]
CameraOption = Annotated[
    str | None,
    _option(
        "--camera",
        metavar="TEXT",
        parser=not_empty,
        help="Only videos whose recorded camera (make and model) contains this text.",
    ),
]


TagOption = Annotated[
    list[str] | None,
    _option(
        "--tag",
        metavar="NAME",
        parser=_tag,
        help="Only moments that have a tag (see `vsearch tag`), or, after !, have not; may be "
        "repeated.",
    ),
]


def video_filter(
    globs: Sequence[str] | None,
    *,
    after: datetime | None,
    before: datetime | None,
    min_duration: float | None,
    max_duration: float | None,
    min_height: int | None,
    orientation: str | None,
    camera: str | None,
    tags: Sequence[str] | None,
) -> VideoFilter:
    """The filter that the options describe; one that no video can meet is refused."""
    from catalog import VideoFilter

    if after and before and after >= before:
        raise typer.BadParameter(
            f"no time is both after {after:%Y-%m-%d %H:%M} and before {before:%Y-%m-%d %H:%M}",
            param_hint="--after with --before",
        )
    if None not in (min_duration, max_duration) and min_duration > max_duration:  # type: ignore[operator]
        raise typer.BadParameter(
            f"no video is both longer than {min_duration:g} s and shorter than {max_duration:g} s",
            param_hint="--min-duration with --max-duration",
        )
    return VideoFilter(
        inside=tuple(glob for glob in globs or () if not glob.startswith("!")),
        outside=tuple(glob[1:] for glob in globs or () if glob.startswith("!")),
        after=after.timestamp() if after else None,
        before=before.timestamp() if before else None,
        min_duration=min_duration,
        max_duration=max_duration,
        min_height=min_height,
        orientation=cast("Orientation | None", orientation),
        camera=camera,
        tags=tuple(name for name in tags or () if not name.startswith("!")),
        without_tags=tuple(name[1:] for name in tags or () if name.startswith("!")),
    )
