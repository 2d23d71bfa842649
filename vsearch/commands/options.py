"""Flags that several commands share, the parsers of their values, and what is made of them."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, get_args

import typer

from machine.presence import is_folder, is_regular_file
from vsearch.messages import beginning, set_volume
from vsearch.settings import Settings, read_settings
from vsearch.startup import require_current_folder

if TYPE_CHECKING:
    from vsearch.services.library.indexing import IndexOptions

Device: TypeAlias = Literal["auto", "cpu", "cuda", "mps"]
Precision: TypeAlias = Literal["auto", "fp32", "bf16", "fp16"]
SamplingName: TypeAlias = Literal["exact", "auto", "keyframes"]

_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|[0-9A-Fa-f:.]{2,45}")
_MODEL_PANEL = "Model"
_OUTPUT_PANEL = "Output"


@dataclass(frozen=True, slots=True)
class Number:
    """Parser of numbers from `least` to `most`, of whole numbers only or of any."""

    least: float
    most: float
    whole: bool = False

    def __call__(self, text: str | float) -> float:
        """The number; raises BadParameter, which says what is allowed."""
        if not isinstance(text, str):
            return text  # Typer hands a default over, too
        try:
            number = (int if self.whole else float)(text) if text.isascii() else math.nan
        except ValueError:  # of a number of 5,000 digits as well
            number = math.nan
        if not self.least <= number <= self.most:
            kind = "a whole number" if self.whole else "a number"
            allowed = f"{kind} from {self.least:,.10g} to {self.most:,.10g}"
            raise typer.BadParameter(f"{beginning(text)} is not allowed; give {allowed}")
        return number


@dataclass(frozen=True, slots=True)
class OneOf:
    """Parser of one of a few words."""

    words: Sequence[str]

    def __call__(self, text: str) -> str:
        """The word; raises BadParameter, which says what is allowed."""
        if text not in self.words:
            allowed = ", ".join(self.words[:-1])
            raise typer.BadParameter(
                f"{beginning(text)} is not allowed; give {allowed} or {self.words[-1]}"
            )
        return text


def not_empty(text: str) -> str:
    """Refuse an empty text, as a shell variable without a value leaves."""
    if not text.strip():
        raise typer.BadParameter("it is empty; give a value, or leave the option out")
    return text


def path_given(text: str) -> Path:
    """A path. An empty text is refused: `Path` takes it for the current folder."""
    if not text:
        raise typer.BadParameter("it is empty; give a path, or . for the current folder")
    try:
        return require_current_folder(Path(text))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def catalog_given(text: str) -> str:
    """The folder of a catalog, or the URL of its database; others than of PostgreSQL are refused.

    What is refused is not repeated: it may hold a password.
    """
    from vsearch.settings import is_url

    if not is_url(text):
        return str(path_given(text))
    from catalog import DatabaseUrl

    try:
        DatabaseUrl.parse(text, views=Path())
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return text


def glob_given(text: str) -> str:
    """A path glob; one that can match nothing is refused."""
    from catalog import InvalidGlobError, require_glob

    try:
        return require_glob(text)
    except InvalidGlobError as error:
        raise typer.BadParameter(str(error)) from error


def file_given(text: str) -> Path:
    """The path of an existing file; anything else is refused."""
    path = path_given(text)
    if not is_regular_file(path):
        reason = "a folder" if is_folder(path) else "not there; check the spelling"
        raise typer.BadParameter(f"{text} is {reason}")
    return path


def host_given(text: str) -> str:
    """An address or a name of a machine; whether it is one of this machine is known later."""
    if not _HOST.fullmatch(text):
        raise typer.BadParameter(
            f"{beginning(text)} is not allowed; give an address of this machine, such as "
            "192.168.1.20, or 0.0.0.0 for all of them"
        )
    return "127.0.0.1" if text == "localhost" else text


def _accelerator(given: str) -> str:
    """The name of an accelerator; FFmpeg is loaded only to check one that is not auto or none."""
    if given not in ("none", "auto"):
        from media import ACCELERATORS

        if given not in ACCELERATORS:
            allowed = ", ".join(ACCELERATORS)
            raise typer.BadParameter(f"there is no {given!r}; give auto, none or one of {allowed}")
    return given


LONG_TIME = 1e9  # seconds: more than a computer lasts, and as much as threads can wait
CLIP_SECONDS = Number(0.01, LONG_TIME)
WAITING_SECONDS = Number(0.1, LONG_TIME)
MOMENTS = Number(1, 1_000_000, whole=True)
WORKERS = Number(1, 1_000, whole=True)
PORTS = Number(1, 65_535, whole=True)

CatalogOption = Annotated[
    str | None,
    typer.Option(
        "--catalog",
        metavar="FOLDER|URL",
        parser=catalog_given,
        help="Catalog to use, instead of the one in $VSEARCH_HOME or the platform's data folder: a "
        "folder, or postgresql://USER@HOST/DATABASE.",
        show_default=False,
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        parser=not_empty,
        help="Hub id (also ID@REVISION), folder, or `demo`, which knows coloured shapes only. "
        "Default: the model that made the catalog, else microsoft/xclip-base-patch32.",
        show_default=False,
        rich_help_panel=_MODEL_PANEL,
    ),
]
DeviceOption = Annotated[
    Device,
    typer.Option(
        "--device",
        metavar="|".join(get_args(Device)),
        parser=OneOf(get_args(Device)),
        help="Where the model runs.",
        rich_help_panel=_MODEL_PANEL,
    ),
]
PrecisionOption = Annotated[
    Precision,
    typer.Option(
        "--precision",
        metavar="|".join(get_args(Precision)),
        parser=OneOf(get_args(Precision)),
        help="The numbers that the model computes with.",
        rich_help_panel=_MODEL_PANEL,
    ),
]
AllowIndexOption = Annotated[
    bool,
    typer.Option("--allow-index", help="Let programs start and stop index runs over HTTP, too."),
]
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print JSON instead of text.", rich_help_panel=_OUTPUT_PANEL),
]
VerboseOption = Annotated[
    bool,
    typer.Option(
        "-v",
        "--verbose",
        help="More messages on stderr: the model and its device, each file as it is done.",
        rich_help_panel=_OUTPUT_PANEL,
    ),
]
QuietOption = Annotated[
    bool,
    typer.Option(
        "-q",
        "--quiet",
        help="Nothing on stderr but warnings and errors.",
        rich_help_panel=_OUTPUT_PANEL,
    ),
]

WindowOption = Annotated[
    float | None,
    typer.Option(
        "--window",
        parser=CLIP_SECONDS,
        metavar="SECONDS",
        help="Length of a clip. Default: the catalog's own, else 8.",
        show_default=False,
    ),
]
StrideOption = Annotated[
    float | None,
    typer.Option(
        "--stride",
        parser=CLIP_SECONDS,
        metavar="SECONDS",
        help="From the start of one clip to the next. Default: the catalog's own, else 4.",
        show_default=False,
    ),
]
SamplingOption = Annotated[
    SamplingName,
    typer.Option(
        "--sampling",
        metavar="|".join(get_args(SamplingName)),
        parser=OneOf(get_args(SamplingName)),
        help="Frames of a clip that the model sees: `exact` takes those on display at the sample "
        "times, `auto` the cheapest to decode at most a quarter of the way to the next sample "
        "time, `keyframes` the nearest key frames. Indexed videos stay as they are.",
    ),
]
HwaccelOption = Annotated[
    str,
    typer.Option(
        "--hwaccel",
        parser=_accelerator,
        metavar="none|auto|NAME",
        help="Decode on a graphics card: `auto` takes the first way that works here, NAME is "
        "FFmpeg's for one, such as cuda, vaapi or videotoolbox. Videos that it cannot decode are "
        "decoded by the processor.",
    ),
]
IncludeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--include",
        metavar="GLOB",
        parser=glob_given,
        help="Only files that match; may be repeated.",
    ),
]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="GLOB",
        parser=glob_given,
        help="No file or folder that matches; may be repeated.",
    ),
]
NoIgnoreFilesOption = Annotated[
    bool,
    typer.Option(
        "--no-ignore-files",
        help="Look also into folders that .nomedia, .ignore, .plexignore and the like exclude.",
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        parser=WORKERS,
        help="Videos decoded at a time. Default: one for each core, at most 8.",
        show_default=False,
    ),
]
DecodeTimeoutOption = Annotated[
    float | None,
    typer.Option(
        "--decode-timeout",
        "--patience",  # its earlier name
        parser=CLIP_SECONDS,
        metavar="SECONDS",
        help="Seconds without any progress after which decoding a video counts as failed, on top "
        "of what its size and length justify. Default: 120.",
        show_default=False,
    ),
]


def start(
    *,
    verbose: bool,
    quiet: bool,
    as_events: bool = False,
    catalog: str | None = None,
    model: str | None = None,
    device: str = "auto",
    precision: str = "auto",
) -> Settings:
    """Set up the messages of a command, and read its settings from flags and environment."""
    set_volume(verbose=verbose, quiet=quiet, as_events=as_events)
    return read_settings(
        os.environ, catalog=catalog, model=model, device=device, precision=precision
    )


def index_options(
    *,
    window: float | None,
    stride: float | None,
    sampling: SamplingName,
    hwaccel: str,
    include: Sequence[str] | None,
    exclude: Sequence[str] | None,
    no_ignore_files: bool,
    workers: int | None,
    decode_timeout: float | None,
    retry_failed: bool = False,
    add_frames: bool = False,
) -> IndexOptions:
    """The flags of `index` and `watch` as options of an index run."""
    from indexer import IndexSettings, Sampling
    from vsearch.services.library.indexing import IndexOptions

    given = {"workers": workers, "decode_timeout": decode_timeout}
    numbers: dict[str, Any] = {name: it for name, it in given.items() if it is not None}
    settings = IndexSettings(
        sampling=Sampling(sampling),
        accelerator=hwaccel,
        include=tuple(include or ()),
        exclude=tuple(exclude or ()),
        ignore_files=not no_ignore_files,
        retry_failed=retry_failed,
        add_frames=add_frames,
        **numbers,
    )
    return IndexOptions(window=window, stride=stride, settings=settings)
