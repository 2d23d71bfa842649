"""`vsearch index`: adds videos to the catalog."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from machine import settle_process
from machine.names import command_line
from vsearch.commands.options import (
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
from vsearch.exit_codes import DONE, INTERRUPTED, SOME_FAILED
from vsearch.messages import log, tell_of_demo

if TYPE_CHECKING:
    from indexer import IndexReport


def index(
    context: typer.Context,
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...", parser=path_given, help="Video files, or folders of them."
        ),
    ],
    *,
    catalog: CatalogOption = None,
    window: WindowOption = None,
    stride: StrideOption = None,
    sampling: SamplingOption = "auto",
    hwaccel: HwaccelOption = "none",
    include: IncludeOption = None,
    exclude: ExcludeOption = None,
    no_ignore_files: NoIgnoreFilesOption = False,
    workers: WorkersOption = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try unchanged files that failed before again.")
    ] = False,
    add_frames: Annotated[
        bool,
        typer.Option(
            "--add-frames",
            help="Read unchanged files again whose videos have no frame vectors, which catalogs of "
            "earlier versions lack; moments become exact to the second by them.",
        ),
    ] = False,
    decode_timeout: DecodeTimeoutOption = None,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait",
            help="Where another process is working on the catalog, or the catalog or a PATH is "
            "away: wait, and try again until it is there.",
        ),
    ] = False,
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
    from vsearch.errors import user_errors
    from vsearch.services.library.indexing import index_library
    from vsearch.services.library.patience import tried_until_there
    from vsearch.show.index import (
        frames_lacking,
        index_json,
        print_index,
        print_troubles,
        tell_advice,
    )
    from vsearch.show.output import count, print_json
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
    options = index_options(
        window=window,
        stride=stride,
        sampling=sampling,
        hwaccel=hwaccel,
        include=include,
        exclude=exclude,
        no_ignore_files=no_ignore_files,
        workers=workers,
        retry_failed=retry_failed,
        add_frames=add_frames,
        decode_timeout=decode_timeout,
    )
    settle_process()

    def run() -> IndexReport:
        with IndexProgress(quiet=quiet, verbose=verbose, as_events=as_json) as counters:
            try:
                return index_library(
                    paths,
                    settings=settings,
                    options=options,
                    counters=counters,
                    model=context.obj,  # of a caller in this process that has one
                )
            except user_errors():
                if indexed := counters.progress().indexed:
                    log.info("%s indexed before that, and kept", count(indexed, "video"))
                raise

    try:
        outcome = tried_until_there(run) if wait else run()
    except PathMissingError as error:
        raise typer.BadParameter(str(error), param_hint="PATH") from error
    if as_json:
        print_json(index_json(outcome))
        tell_advice(outcome, flags=settings.catalog_flags)
    else:
        print_index(outcome)
        print_troubles(outcome, flags=settings.catalog_flags)
    tell_of_demo(outcome.model)
    if outcome.without_frames:
        adds = command_line("vsearch", "index", "--add-frames", *paths, *settings.catalog_flags)
        log.info("%s; `%s` adds them", frames_lacking(outcome.without_frames), adds)
    if outcome.interrupted:
        log.info("interrupted; what is finished stays, and the same command goes on from there")
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(SOME_FAILED if outcome.failed else DONE)
