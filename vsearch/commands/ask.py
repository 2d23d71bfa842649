"""`vsearch query` and `vsearch classify`: questions in words."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from vsearch import output
from vsearch.exit_codes import DONE, SOME_FAILED
from vsearch.messages import log, set_volume, tell_notes, tell_of_demo
from vsearch.options import (
    MOMENTS,
    CatalogOption,
    DeviceOption,
    JsonOption,
    ModelOption,
    PrecisionOption,
    QuietOption,
    VerboseOption,
    file_given,
    glob_given,
)
from vsearch.settings import read_settings


def query(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="TEXT...",
            callback=_not_blank,
            help="What to look for, in English words: a sentence in quotes, or as it is.",
        ),
    ],
    *,
    catalog: CatalogOption = None,
    limit: Annotated[
        int, typer.Option("-k", "--limit", metavar="N", parser=MOMENTS, help="Moments at most.")
    ] = 10,
    within: Annotated[
        str | None,
        typer.Option(
            "--in", metavar="GLOB", parser=glob_given, help="Only in files whose path matches."
        ),
    ] = None,
    paths: Annotated[
        bool, typer.Option("--paths", help="Print bare paths, best first, each once, for pipes.")
    ] = False,
    null: Annotated[
        bool,
        typer.Option("-0", "--null", help="As --paths, each ended by NUL, for `xargs -0`."),
    ] = False,
    model: ModelOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Rank the moments of the indexed videos by how well they fit a sentence.

    The model knows English, and reads some 50 words of a sentence.

    \b
    Examples:
      vsearch query "person cooking pasta"
      vsearch query "a dog runs on a beach" -k 3 --in '*/2024/*'
      vsearch query "a red car" -0 | xargs -0 cp -t /tmp/cars
      vsearch query "people dancing" --json | jq '.hits[0]'
    """
    if as_json and (paths or null):
        raise typer.BadParameter(
            "JSON holds the paths already; give one of the two",
            param_hint="--json with --paths or --null",
        )
    left_out: tuple[Path, ...] = ()
    from vsearch import asking

    set_volume(verbose=verbose, quiet=quiet)
    settings = read_settings(os.environ, catalog=catalog, model=model)
    result = asking.search(" ".join(words), settings=settings, limit=limit, within=within)
    if as_json:
        output.print_json(output.search_json(result))
    elif paths or null:
        left_out = output.print_paths(result, null=null)
    else:
        output.print_search(result)
    tell_notes(result.notes, about=result.query)
    if result.hits:
        tell_of_demo(result.model)
    else:
        log.info("no indexed file matches %s", within)
    for path in left_out:
        log.warning("left out, as its name holds a line break (give -0 for it): %s", path)
    raise typer.Exit(SOME_FAILED if left_out else DONE)


def classify(
    video: Annotated[
        Path, typer.Argument(metavar="VIDEO", parser=file_given, help="A video file.")
    ],
    labels: Annotated[
        list[str],
        typer.Argument(
            metavar="LABEL...",
            callback=_at_least_two,
            help="What it may show, in words: at least two.",
        ),
    ],
    *,
    catalog: CatalogOption = None,
    model: ModelOption = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "auto",
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Tell how probable each label, in English, is for a video (zero-shot, X-CLIP's own score).

    \b
    Examples:
      vsearch classify clip.mp4 "playing sports" "eating spaghetti" "go shopping"
      vsearch classify toy.mp4 "a red circle" "a blue square" --model demo
    """
    from vsearch import wiring

    set_volume(verbose=verbose, quiet=quiet)
    settings = read_settings(
        os.environ, catalog=catalog, model=model, device=device, precision=precision
    )
    result = wiring.classify(video, labels, settings=settings)
    if as_json:
        output.print_json(output.classification_json(result))
    else:
        output.print_classification(result)
    for label, notes in result.notes.items():
        tell_notes(notes, about=label)
    tell_of_demo(result.model)


def _not_blank(words: list[str]) -> list[str]:
    if not "".join(words).strip():
        raise typer.BadParameter("it is empty; say in words what to look for")
    return words


def _at_least_two(labels: list[str]) -> list[str]:
    if len(labels) < 2 or not all(label.strip() for label in labels):
        raise typer.BadParameter("give at least two labels, none of them empty")
    return labels
