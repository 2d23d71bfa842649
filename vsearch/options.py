"""The flags that several commands share, each described once."""

import math
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

Device: TypeAlias = Literal["auto", "cpu", "cuda", "mps"]
Precision: TypeAlias = Literal["auto", "fp32", "bf16", "fp16"]
SamplingName: TypeAlias = Literal["exact", "auto", "keyframes"]

_LEAST_SECONDS = 0.01
_MODEL_PANEL = "Model"
_OUTPUT_PANEL = "Output"


def _seconds(given: float | None) -> float | None:
    """Refuse what is no length of time before anything is made or read."""
    if given is not None and not (math.isfinite(given) and given >= _LEAST_SECONDS):
        raise typer.BadParameter(f"it is {given:g} seconds; give a number from {_LEAST_SECONDS} up")
    return given


def path_given(text: str) -> Path:
    """Refuse what a variable without a value leaves: `Path` takes it for the current folder."""
    if not text:
        raise typer.BadParameter("it is empty; give a path, or . for the current folder")
    return Path(text)


def _accelerator(given: str) -> str:
    """Refuse a name that FFmpeg knows on no system; FFmpeg is loaded only where one is given."""
    if given not in ("none", "auto"):
        from media import ACCELERATORS

        if given not in ACCELERATORS:
            allowed = ", ".join(ACCELERATORS)
            raise typer.BadParameter(f"there is no {given!r}; give auto, none or one of {allowed}")
    return given


CatalogOption = Annotated[
    Path | None,
    typer.Option(
        "--catalog",
        metavar="FOLDER",
        parser=path_given,
        help="Catalog to use, instead of the one in $VSEARCH_HOME or the platform's data folder.",
        show_default=False,
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="Hub id (also ID@REVISION), folder, or `demo`. Default: the model that made the "
        "catalog, else microsoft/xclip-base-patch32.",
        show_default=False,
        rich_help_panel=_MODEL_PANEL,
    ),
]
DeviceOption = Annotated[
    Device,
    typer.Option("--device", help="Where the model runs.", rich_help_panel=_MODEL_PANEL),
]
PrecisionOption = Annotated[
    Precision,
    typer.Option("--precision", help="What the model computes in.", rich_help_panel=_MODEL_PANEL),
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
        help="Say more on stderr: the model and its device, each file as it is done.",
        rich_help_panel=_OUTPUT_PANEL,
    ),
]
QuietOption = Annotated[
    bool,
    typer.Option(
        "-q",
        "--quiet",
        help="Say nothing on stderr but warnings and errors.",
        rich_help_panel=_OUTPUT_PANEL,
    ),
]

WindowOption = Annotated[
    float | None,
    typer.Option(
        "--window",
        callback=_seconds,
        metavar="SECONDS",
        help="Length of a clip. Default: the catalog's own, else 8.",
        show_default=False,
    ),
]
StrideOption = Annotated[
    float | None,
    typer.Option(
        "--stride",
        callback=_seconds,
        metavar="SECONDS",
        help="From the start of one clip to the next. Default: the catalog's own, else 4.",
        show_default=False,
    ),
]
SamplingOption = Annotated[
    SamplingName,
    typer.Option(
        "--sampling",
        help="Which frames of a clip are looked at: `exact` takes those on display at the wanted "
        "moments, `auto` the cheapest to decode at most a quarter of the way to the next one, "
        "`keyframes` the nearest key frames. What is indexed already stays as it is.",
    ),
]
HwaccelOption = Annotated[
    str,
    typer.Option(
        "--hwaccel",
        callback=_accelerator,
        metavar="none|auto|NAME",
        help="Decode on a graphics card: `auto` takes the first way that works here, NAME is "
        "FFmpeg's for one, such as cuda, vaapi or videotoolbox. Films that it cannot decode are "
        "decoded by the processor.",
    ),
]
IncludeOption = Annotated[
    list[str] | None,
    typer.Option("--include", metavar="GLOB", help="Only files that match; may be repeated."),
]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude", metavar="GLOB", help="No file or folder that matches; may be repeated."
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        min=1,
        help="Videos decoded at a time. Default: one for each core, at most 8.",
        show_default=False,
    ),
]
PatienceOption = Annotated[
    float | None,
    typer.Option(
        "--patience",
        callback=_seconds,
        metavar="SECONDS",
        help="How long reading a video may be silent, beyond what its size and length justify, "
        "before it counts as failed. Default: 120.",
        show_default=False,
    ),
]
