"""Help and usage as other programs print them: `PATH...` and not `{PATH}...`, switches bare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


GIVEN_WORDS = "vsearch.words"  # in the `meta` of a context
_PLAIN_TYPES: dict[Any, Callable[[Any], Any]] = {str: str, list[str]: str, bool: bool}


class PlainCommand(TyperCommand):
    """A command whose help names its arguments and switches plainly."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what a TyperCommand takes."""
        super().__init__(*args, **kwargs)
        self.help = self.help and _unwrapped(self.help)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words that follow the command's name, which the context keeps."""
        ctx.meta[GIVEN_WORDS] = tuple(args)
        return super().parse_args(ctx, args)

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, with plain names."""
        return _plain(super().get_params(ctx))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The words after the command's name in the usage line."""
        return _usage(super().collect_usage_pieces(ctx)[:1], self.params)


class PlainGroup(TyperGroup):
    """The program itself, likewise."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, with plain names."""
        return _plain(super().get_params(ctx))


def as_options(arguments: list[str]) -> list[str]:
    """`vsearch help query`, for those who are used to that, is `vsearch query --help`."""
    return [*arguments[1:], "--help"] if arguments[:1] == ["help"] else arguments


def way_to_help(error: Exception) -> str:
    """The hint at `--help` after wrong usage; empty for other errors."""
    context = getattr(error, "ctx", None)
    return f"; see `{context.command_path} --help`" if context is not None else ""


def _unwrapped(text: str) -> str:
    r"""Paragraphs without the line breaks of the source, but for those that begin with `\b`."""
    paragraphs = text.split("\n\n")
    return "\n\n".join(p if p.startswith("\b") else p.replace("\n", " ") for p in paragraphs)


def _plain(params: list[Any]) -> list[Any]:
    for param in params:
        if isinstance(param, TyperArgument | TyperOption):
            _convert_with_own_parser(param)
        if isinstance(param, TyperArgument):
            param.display_type_rich = _no_type  # type: ignore[method-assign]
        elif isinstance(param, TyperOption) and param.is_bool_flag:
            param.metavar = ""
    return params


def _convert_with_own_parser(param: TyperArgument | TyperOption) -> None:
    """Convert values by the parameter's parser alone: Typer loads Pydantic to call the parser.

    That takes a seventh of the time of a query.
    """
    parse = param.type_descriptor.parameter_info.parser
    if parse is None:
        parse = _PLAIN_TYPES.get(param.type_descriptor.annotation)
    usual = type(param).process_value
    many = param.multiple or param.nargs == -1

    def process_value(ctx: Any, value: Any) -> Any:
        if parse is None or (param.required and param.value_is_missing(value)):
            return usual(param, ctx, value)
        if many:
            value = [parse(one) for one in value or ()]
        elif value is not None:
            value = parse(value)
        return param.callback(ctx, param, value) if param.callback else value

    param.process_value = process_value  # type: ignore[method-assign]


def _no_type(ctx: Any) -> None:
    """Print no type after an argument: its name says enough."""


def _usage(options: list[str], params: Iterable[Any]) -> list[str]:
    arguments = [p for p in params if isinstance(p, TyperArgument)]
    names = (str(p.metavar) if p.required else f"[{p.metavar}]" for p in arguments)
    return [*options, *names]
