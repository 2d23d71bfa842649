"""Files and moments that show what is looked for: `--like`."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from machine.presence import is_folder, is_regular_file
from vsearch import caller
from vsearch.commands.options import path_given
from vsearch.commands.questions.options.weights import weight_at_end

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search import Example

_SIXTY = 60.0
_MOST_DIGITS = 9


def example_given(text: str) -> str:
    """A file or a moment; what can be neither is refused."""
    example_of(text)
    return text


def example_of(text: str) -> Example:
    """The example that was typed: `FILE`, `VIDEO@1:23`, `FILE^2`.

    A file that is there under the whole of the text is meant as it is. Its path is absolute.
    """
    from search import Example

    if not text.strip():
        raise typer.BadParameter("it is empty; give a file, or a moment as in beach.mp4@1:23")
    if _is_file(text):
        return Example(_path(text))
    name, weight = weight_at_end(text)
    if _is_file(name):
        return Example(_path(name), weight=weight)
    video, at, clock = name.rpartition("@")
    time = _seconds(clock.strip()) if at and video else None
    if time is not None:
        return Example(_path(video), time, weight)
    path = _path(name)
    if caller.sees_files() and is_folder(path):
        raise typer.BadParameter(f"{name} is a folder; give one of its files")
    return Example(path, weight=weight)


@contextmanager
def examples_refused() -> Iterator[None]:
    """Make wrong usage of an example that turns out to be none."""
    from search import ExampleError

    try:
        yield
    except ExampleError as error:
        raise typer.BadParameter(str(error), param_hint="--like") from error


def _path(name: str) -> Path:
    """The absolute path of what the caller calls so."""
    path = path_given(name)
    if path.is_absolute() or caller.current() is None:
        return path.absolute()
    folder = caller.folder()
    if folder is None:
        raise typer.BadParameter(
            f"{name} is no whole path; give that of an indexed video, as the answers of the server"
            " have it"
        )
    return Path(folder, path)


def _is_file(name: str) -> bool:
    if not name or "\0" in name or not caller.sees_files():
        return False
    return is_regular_file(Path(caller.folder() or "", name))


def _seconds(clock: str) -> float | None:
    """The seconds of `83`, `83.5`, `1:23` or `1:02:03`; None for what is no time."""
    *larger, seconds = clock.split(":")
    whole, _, fraction = seconds.partition(".")
    numbers = [*larger, whole, fraction or "0"]
    if len(larger) > 2 or not all(_is_number(number) for number in numbers):
        return None
    parts = [float(part) for part in (*larger, seconds)]
    if any(part >= _SIXTY for part in parts[1:]):
        return None
    total = 0.0
    for part in parts:
        total = _SIXTY * total + part
    return total


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS


LikeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--like",
        metavar="FILE|VIDEO@TIME",
        parser=example_given,
        help="More like this picture, this video, or this moment of a video, as in "
        "beach.mp4@1:23; may be repeated, and stand alone.",
    ),
]
