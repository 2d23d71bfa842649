"""`vsearch index`: the write side."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from vsearch import output
from vsearch.exit_codes import DONE, INTERRUPTED, SOME_FAILED
from vsearch.messages import log, set_volume, tell_of_demo
from vsearch.options import (
    CatalogOption,
    DeviceOption,
    JsonOption,
    ModelOption,
    PrecisionOption,
    QuietOption,
    VerboseOption,
)
from vsearch.settings import read_settings


def index(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", help="Video files, or folders of them."),
    ],
    *,
    catalog: CatalogOption = None,
    window: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Length of a clip. Default: the catalog's own, else 8.",
            show_default=False,
        ),
    ] = None,
    stride: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="From the start of one clip to the next. Default: the catalog's own, else 4.",
            show_default=False,
        ),
    ] = None,
    include: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Only files that match; may be repeated."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="No file or folder that matches; may be repeated."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Videos decoded at a time. Default: as many as there are cores.",
            show_default=False,
        ),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try files again that failed and are unchanged.")
    ] = False,
    patience: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="How long reading a video may be silent, beyond what its size and length justify, "
            "before it counts as failed. Default: 120.",
            show_default=False,
        ),
    ] = None,
    model: ModelOption = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "auto",
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Index video files or folders in place; safe to interrupt, safe to repeat.

    Files that are already indexed and unchanged are not decoded again.

    \b
    Examples:
      vsearch index /media/videos
      vsearch index ~/Movies talk.mkv --exclude '*/trailers/*'
      vsearch index /media/videos --window 4 --stride 2 --catalog ~/fine
    """
    from indexer import PathMissingError
    from vsearch import index_report, wiring
    from vsearch.progress import IndexProgress

    set_volume(verbose=verbose, quiet=quiet, as_events=as_json)
    settings = read_settings(
        os.environ, catalog=catalog, model=model, device=device, precision=precision
    )
    options = wiring.IndexOptions(
        window=window,
        stride=stride,
        include=tuple(include or ()),
        exclude=tuple(exclude or ()),
        workers=workers,
        retry_failed=retry_failed,
        patience=patience,
    )
    with IndexProgress(quiet=quiet, verbose=verbose, as_events=as_json) as report:
        try:
            outcome = wiring.index_library(paths, settings=settings, options=options, report=report)
        except PathMissingError as error:
            raise typer.BadParameter(str(error), param_hint="PATH") from error
        except wiring.user_errors():
            if report.indexed:
                log.info("%s indexed before that, and kept", output.count(report.indexed, "video"))
            raise
    if as_json:
        output.print_json(index_report.index_json(outcome))
        index_report.tell_advice(outcome)
    else:
        index_report.print_index(outcome)
        index_report.print_troubles(outcome)
    tell_of_demo(settings.model)
    if outcome.interrupted:
        log.info("interrupted; what is finished stays, and the same command goes on from there")
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(SOME_FAILED if outcome.failed else DONE)
