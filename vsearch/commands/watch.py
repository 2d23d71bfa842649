"""`vsearch watch`: keeps the index up to date."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from machine import settle_process
from vsearch.commands.options import (
    WAITING_SECONDS,
    CatalogOption,
    DecodeTimeoutOption,
    DeviceOption,
    ExcludeOption,
    HwaccelOption,
    IncludeOption,
    JsonOption,
    ModelOption,
    NoIgnoreFilesOption,
    PrecisionOption,
    QuietOption,
    SamplingOption,
    StrideOption,
    VerboseOption,
    WindowOption,
    WorkersOption,
    index_options,
    path_given,
    start,
)
from vsearch.messages import log


def watch(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...", parser=path_given, help="Video files, or folders of them."
        ),
    ],
    *,
    catalog: CatalogOption = None,
    settle: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            parser=WAITING_SECONDS,
            help="A file is indexed when it has not changed for this.",
        ),
    ] = 5.0,
    poll: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            parser=WAITING_SECONDS,
            help="Poll the folders this often, instead of waiting for events of changes. "
            "Default: 60, only where the file system sends no events.",
            show_default=False,
        ),
    ] = None,
    recheck: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            parser=WAITING_SECONDS,
            help="Poll everything this often in any case.",
        ),
    ] = 3600.0,
    window: WindowOption = None,
    stride: StrideOption = None,
    sampling: SamplingOption = "auto",
    hwaccel: HwaccelOption = "none",
    include: IncludeOption = None,
    exclude: ExcludeOption = None,
    no_ignore_files: NoIgnoreFilesOption = False,
    workers: WorkersOption = None,
    decode_timeout: DecodeTimeoutOption = None,
    model: ModelOption = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "auto",
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Index video files or folders, then keep the index up to date until Ctrl-C or SIGTERM.

    New and changed files are indexed when they have stopped growing. Moved and renamed files are
    not decoded again. Deleted files are removed from the results. Network folders, which send no
    events of changes, are polled.

    \b
    Examples:
      vsearch watch /media/videos
      vsearch watch /media/camera --settle 60 --json | jq '.indexed'
      vsearch watch /mnt/nas/videos --poll 300 --quiet
    """
    from indexer import PathMissingError, WatchSettings
    from vsearch.services.library.watch import watch as keep_up_to_date
    from vsearch.show.index import print_pass, print_pass_json
    from vsearch.show.progress.index_run import IndexProgress

    settings = start(
        verbose=verbose,
        quiet=quiet,
        as_events=as_json,
        catalog=catalog,
        model=model,
        device=device,
        precision=precision,
    )
    timing = WatchSettings(settle=settle, recheck=recheck)
    if poll is not None:
        timing = WatchSettings(settle=settle, recheck=recheck, poll=poll, poll_everything=True)
    options = index_options(
        window=window,
        stride=stride,
        sampling=sampling,
        hwaccel=hwaccel,
        include=include,
        exclude=exclude,
        no_ignore_files=no_ignore_files,
        workers=workers,
        decode_timeout=decode_timeout,
    )
    settle_process()
    try:
        keep_up_to_date(
            paths,
            settings=settings,
            options=options,
            timing=timing,
            progress=lambda: IndexProgress(quiet=quiet, verbose=verbose, as_events=as_json),
            on_pass=(
                print_pass_json if as_json else partial(print_pass, flags=settings.catalog_flags)
            ),
        )
    except PathMissingError as error:
        raise typer.BadParameter(str(error), param_hint="PATH") from error
    except KeyboardInterrupt:  # the usual end of a watch
        log.info("stopped; what is finished stays, and the same command goes on from there")
