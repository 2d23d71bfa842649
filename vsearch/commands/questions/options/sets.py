"""Sets of options that several commands take as one: those of a question, those of a filter.

A command that takes a set hands its values on unseen, to `asked_by` or `video_filter`: an option
that is added to a set is an option of all these commands.
"""

from __future__ import annotations

from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

from vsearch.commands.questions.options.arrangement import (
    PER_VIDEO,
    LimitOption,
    PerVideoOption,
    ShowDuplicatesOption,
    SortOption,
)
from vsearch.commands.questions.options.examples import LikeOption
from vsearch.commands.questions.options.filters import (
    AfterOption,
    BeforeOption,
    CameraOption,
    InOption,
    MaxDurationOption,
    MinDurationOption,
    MinHeightOption,
    OrientationOption,
    TagOption,
)
from vsearch.commands.questions.options.sentences import (
    AndOption,
    NotOption,
    SaidOption,
    ThenOption,
    WithinOption,
    WordsArgument,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Options = Mapping[str, tuple[Any, Any]]
    Command = Callable[..., None]

# The type and the usual value of each option, by the name of its parameter.
FILTERS: Options = {
    "globs": (InOption, None),
    "after": (AfterOption, None),
    "before": (BeforeOption, None),
    "min_duration": (MinDurationOption, None),
    "max_duration": (MaxDurationOption, None),
    "min_height": (MinHeightOption, None),
    "orientation": (OrientationOption, None),
    "camera": (CameraOption, None),
    "tags": (TagOption, None),
}
QUESTION: Options = {
    "words": (WordsArgument, None),
    "also": (AndOption, None),
    "unwanted": (NotOption, None),
    "then": (ThenOption, None),
    "within": (WithinOption, None),
    "said": (SaidOption, None),
    "like": (LikeOption, None),
    "limit": (LimitOption, 10),
    "sort": (SortOption, "relevance"),
    "per_video": (PerVideoOption, PER_VIDEO),
    "show_duplicates": (ShowDuplicatesOption, False),
    **FILTERS,
}


def takes(options: Options, *, as_one: str) -> Callable[[Command], Command]:
    """Give a command a set of options: it gets their values by name, in its parameter `as_one`."""
    set_of_options = [
        Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind, default=usual)
        for name, (kind, usual) in options.items()
    ]

    def with_options(command: Command) -> Command:
        parameters: list[Parameter] = []
        for name, parameter in signature(command, eval_str=True).parameters.items():
            named = parameter.replace(kind=Parameter.KEYWORD_ONLY)
            parameters += set_of_options if name == as_one else [named]

        def run(**values: Any) -> None:
            command(**{as_one: {name: values.pop(name) for name in options}}, **values)

        # What Typer reads. Not by `functools.wraps`, which shows the command as it was written.
        run.__name__, run.__doc__ = command.__name__, command.__doc__
        run.__signature__ = signature(command).replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        return run

    return with_options
