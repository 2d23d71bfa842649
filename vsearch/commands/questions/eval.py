"""`vsearch eval`: measures the answers by sentences whose answers are known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from machine.names import command_line
from vsearch.commands.options import (
    MOMENTS,
    CatalogOption,
    JsonOption,
    ModelOption,
    QuietOption,
    VerboseOption,
    path_given,
    start,
)
from vsearch.exit_codes import DONE, SOME_FAILED
from vsearch.messages import log, tell_of_demo


def evaluate(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            parser=path_given,
            help="Sentences and where they are true: CSV with the columns sentence, video, start "
            "and end, or JSON lines; or the files of MSR-VTT 1k-A, DiDeMo, QVHighlights and "
            "Charades-STA.",
        ),
    ],
    *,
    template: Annotated[
        bool,
        typer.Option("--template", help="Write FILE, to fill in, with videos of the catalog."),
    ] = False,
    compare: Annotated[
        str,
        typer.Option(
            "--compare",
            metavar="SETTINGS",
            parser=_settings_given,
            help="Settings to compare, such as plain,moments,default; the others are compared with "
            "the first one.",
        ),
    ] = "default",
    given_video: Annotated[
        bool,
        typer.Option(
            "--given-video",
            help="Search each sentence in its labelled video alone, as QVHighlights and "
            "Charades-STA do.",
        ),
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot", metavar="PNG", parser=path_given, help="Also draw the figures, to this file."
        ),
    ] = None,
    worst: Annotated[
        int,
        typer.Option(
            "--worst",
            metavar="N",
            parser=MOMENTS,
            show_default=False,
            help="Also list the N worst answers.",
        ),
    ] = 0,
    catalog: CatalogOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Measure the answers of the catalog by sentences whose answers are known.

    A line of FILE says that a sentence is true of a video, from start to end or of all of it, or
    of nothing. The same sentence on several lines is true at several places.

    \b
    Examples:
      vsearch eval labels.csv --template
      vsearch eval labels.csv --worst 20 --plot labels.png
      vsearch eval labels.csv --compare plain,moments,default --json | jq '.results'
      vsearch eval charades_sta_test.txt --given-video
    """
    from vsearch.services.answers.evaluation import evaluate as evaluate_file
    from vsearch.services.answers.evaluation import make_template, plot_to
    from vsearch.show.evaluation import evaluation_json, print_evaluation
    from vsearch.show.index import frames_lacking
    from vsearch.show.output import count, print_json
    from vsearch.show.progress.counting import CountProgress

    settings = start(verbose=verbose, quiet=quiet, catalog=catalog, model=model)
    if template:
        videos = make_template(file, settings=settings)
        if as_json:
            print_json({"file": str(file), "videos": videos})
        log.info("%s has a line for each of %s; fill them in", file, count(videos, "video"))
        return
    drawing = plot_to(plot, settings=settings) if plot else None
    with CountProgress("sentences asked", quiet=quiet) as progress:
        found = evaluate_file(
            file,
            settings=settings,
            compare=_names(compare),
            given_video=given_video,
            on_progress=progress,
        )
    if drawing:
        drawing(found.outcomes)
    if as_json:
        print_json(evaluation_json(found, worst=worst))
    else:
        print_evaluation(found, worst=worst)
    for one in found.left_out:
        log.warning("left out line %d: %s", one.line, one.reason)
    if found.without_frames:
        adds = command_line("vsearch", "index", "--add-frames", "PATH", *settings.catalog_flags)
        log.info("%s; `%s` adds them", frames_lacking(found.without_frames), adds)
    tell_of_demo(found.model)
    raise typer.Exit(SOME_FAILED if found.left_out else DONE)


def _settings_given(text: str) -> str:
    """Names of settings, with commas; unknown ones are refused."""
    from search import UnknownSettingError, settings_named

    for name in _names(text):
        try:
            settings_named(name)
        except UnknownSettingError as error:
            raise typer.BadParameter(str(error)) from error
    return text


def _names(text: str) -> list[str]:
    """The names in a list with commas."""
    return [name.strip() for name in text.split(",")]
