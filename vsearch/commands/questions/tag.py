"""`vsearch tag`: names the moments of all videos by labels, and keeps the names as tags."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vsearch.commands.options import (
    CatalogOption,
    JsonOption,
    ModelOption,
    OneOf,
    QuietOption,
    VerboseOption,
    not_empty,
    path_given,
    start,
)
from vsearch.commands.questions.options.filters import video_filter
from vsearch.commands.questions.options.sets import FILTERS, takes
from vsearch.messages import log, tell_notes, tell_of_demo

if TYPE_CHECKING:
    from catalog import VideoFilter
    from vsearch.settings import Settings

_STDIN = Path("-")


@takes(FILTERS, as_one="filters")
def tag(
    *,
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            metavar="FILE",
            parser=path_given,
            help="Text file with a label a line, - for stdin.",
        ),
    ] = None,
    min_confidence: Annotated[
        str,
        typer.Option(
            "--min-confidence",
            metavar="strong|likely|weak",
            parser=OneOf(("strong", "likely", "weak")),
            help="Only moments that are at least so sure.",
        ),
    ] = "likely",
    write: Annotated[
        bool,
        typer.Option(
            "--write", help="Keep the moments as tags, in place of earlier ones of these labels."
        ),
    ] = False,
    listed: Annotated[
        bool, typer.Option("--list", help="Show the tags that are kept, instead.")
    ] = False,
    remove: Annotated[
        list[str] | None,
        typer.Option(
            "--remove",
            metavar="NAME",
            parser=not_empty,
            help="Remove a tag that is kept, instead; may be repeated.",
        ),
    ] = None,
    filters: dict[str, Any],
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print the moments as CSV, with a header.")
    ] = False,
    catalog: CatalogOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Name the moments of all indexed videos by the labels of a file, without decoding them.

    A line of FILE is a label in English, such as `a dog`, or a name and sentences for it:
    `dog: a dog | a puppy running`. Lines that begin with # are passed over. A moment may have
    several labels. With --json each line is one moment as JSON.

    \b
    Examples:
      vsearch tag --labels labels.txt
      vsearch tag --labels labels.txt --min-confidence strong --csv > moments.csv
      vsearch tag --labels labels.txt --write
      vsearch tag --labels - --in holiday --json < labels.txt
      vsearch tag --list
      vsearch tag --remove dog
    """
    if sum((labels is not None, listed, bool(remove))) != 1:
        raise typer.BadParameter("give one of the three", param_hint="--labels, --list or --remove")
    if as_csv and (as_json or not labels):
        raise typer.BadParameter(
            "CSV holds the moments of --labels, and is no JSON", param_hint="--csv"
        )
    if write and not labels:
        raise typer.BadParameter("only moments of --labels can be kept", param_hint="--write")
    videos = video_filter(**filters)
    settings = start(verbose=verbose, quiet=quiet, catalog=catalog, model=model)
    if labels is not None:
        _find(
            labels,
            settings=settings,
            least=min_confidence,
            videos=videos,
            write=write,
            form="csv" if as_csv else "json" if as_json else "text",
            quiet=quiet,
        )
    elif remove:
        _remove(remove, settings=settings, as_json=as_json)
    else:
        _list(settings, as_json=as_json)


def _find(
    labels: Path,
    *,
    settings: Settings,
    least: str,
    videos: VideoFilter,
    write: bool,
    form: str,
    quiet: bool,
) -> None:
    """Find the moments under the labels, print and keep them."""
    from search import Confidence
    from vsearch.services.tags.label_file import read_label_file
    from vsearch.services.tags.tagging import find_tags
    from vsearch.show.output import count
    from vsearch.show.progress.counting import CountProgress
    from vsearch.show.tags import print_csv, print_json_lines, print_tagging, tell_of_counts

    given = read_label_file(None if labels == _STDIN else labels)
    with CountProgress("clips compared", quiet=quiet) as progress:
        found = find_tags(
            given,
            settings=settings,
            least=Confidence(least),
            videos=videos,
            write=write,
            on_progress=progress,
        )
    if form == "text":
        print_tagging(found)
    else:
        (print_csv if form == "csv" else print_json_lines)(found.moments)
        tell_of_counts(found)
    for sentence, notes in found.notes.items():
        tell_notes(notes, about=sentence)
    if write and not found.moments:
        log.info("there is nothing to keep as a tag")
    elif write:
        log.info("kept as tags; `vsearch query TEXT --tag NAME` asks among them")
    nothing = sum(not one.moments for one in found.counts)
    if nothing and least != "weak":
        log.info("%s without a moment; --min-confidence weak finds more", count(nothing, "label"))
    log.debug(
        "%s compared with %s in %.1f s",
        count(found.clips, "clip"),
        count(len(given), "label"),
        found.took_seconds,
    )
    tell_of_demo(found.model)


def _list(settings: Settings, *, as_json: bool) -> None:
    from vsearch.services.tags.tagging import list_tags
    from vsearch.show.output import print_json
    from vsearch.show.tags import print_tags, tags_json

    counts = list_tags(settings)
    if as_json:
        print_json(tags_json(counts))
    else:
        print_tags(counts)
    if not counts:
        log.info("there are no tags yet; `vsearch tag --labels FILE --write` makes some")


def _remove(names: list[str], *, settings: Settings, as_json: bool) -> None:
    from vsearch.services.tags.tagging import remove_tags
    from vsearch.show.output import console, count, print_json

    moments = remove_tags(names, settings=settings)
    if as_json:
        print_json({"removed": len(names), "moments": moments})
    else:
        console().print(f"Removed {count(len(names), 'tag')} from {count(moments, 'moment')}")
