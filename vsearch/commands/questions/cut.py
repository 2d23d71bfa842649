"""`vsearch cut`: writes the moments of a question as files of their own, or as one reel."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from machine.names import shown
from vsearch.commands.options import (
    CatalogOption,
    JsonOption,
    ModelOption,
    QuietOption,
    VerboseOption,
    path_given,
    start,
)
from vsearch.commands.questions.options.moments import (
    EverythingOption,
    FromOption,
    PadAfterOption,
    PadBeforeOption,
    moments_asked_for,
    moments_from,
    refuse_question,
)
from vsearch.commands.questions.options.sentences import asked_by
from vsearch.commands.questions.options.sets import QUESTION, takes
from vsearch.exit_codes import DONE, SOME_FAILED
from vsearch.messages import beginning

if TYPE_CHECKING:
    from collections.abc import Callable

    from vsearch.services.moments.found import FoundMoment
    from vsearch.settings import Settings

_IDS = re.compile(r"\s*\d{1,18}\s*(,\s*\d{1,18}\s*)*", re.ASCII)


def ids_given(text: str) -> str:
    """Ids of clips, such as `17,18`; anything else is refused."""
    if not _IDS.fullmatch(text):
        raise typer.BadParameter(
            f"{beginning(text)} is not allowed; give numbers of clips with commas, such as 17,18"
        )
    return text


def reel_given(text: str) -> Path:
    """The path of a reel; one of another suffix is refused."""
    path = path_given(text)
    if path.suffix.lower() != ".mp4":
        raise typer.BadParameter(
            f"the suffix of {shown(path.name)} is not allowed; give a file that ends in .mp4"
        )
    return path


@takes(QUESTION, as_one="question")
def cut(
    *,
    question: dict[str, Any],
    folder: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FOLDER",
            parser=path_given,
            help="Where the files go; it is made if it is missing.",
        ),
    ] = None,
    reel: Annotated[
        Path | None,
        typer.Option(
            "--reel",
            metavar="FILE.mp4",
            parser=reel_given,
            help="Join all moments in this file: of one size, with black bars, at one rate.",
        ),
    ] = None,
    clips: Annotated[
        str | None,
        typer.Option(
            "--clips",
            metavar="IDS",
            parser=ids_given,
            help="These clips of the catalog instead of a question, such as 17,18.",
        ),
    ] = None,
    answer: FromOption = None,
    everything: EverythingOption = False,
    exact: Annotated[bool, typer.Option("--exact", help="Encode all moments anew.")] = False,
    copy: Annotated[
        bool,
        typer.Option(
            "--copy",
            help="Copy all moments, which is fast; the files also hold what lies between the "
            "moment and the nearest key frames, and most players hide it.",
        ),
    ] = False,
    auto: Annotated[
        bool,
        typer.Option(
            "--auto",
            help="Copy moments between two key frames, encode others anew; as without an option.",
        ),
    ] = False,
    pad_before: PadBeforeOption = 0.0,
    pad_after: PadAfterOption = 0.0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that are there already.")
    ] = False,
    catalog: CatalogOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write the moments of a question as files of their own, exact to the picture, with sound.

    Rotation, colours (also of HDR), timecode and all audio tracks stay. The videos themselves are
    only read. Files that are there already stay as they are, so that a run that was interrupted can
    be repeated. --reel joins the moments, with or without files of their own.

    \b
    Examples:
      vsearch cut "a dog runs on a beach" -o dogs
      vsearch cut "a red car" -k 50 --per-video 0 --pad-before 1 --pad-after 1.5 -o cars
      vsearch cut "a goal" --in '*/final.mp4' --sort path --per-video 0 --reel goals.mp4
      vsearch cut --from answer.json --copy -o pieces --dry-run
      vsearch cut --clips 17,18 --exact --force -o pieces --json
    """
    from media import Way
    from vsearch.services.moments.cutting import CutOptions, cut_moments
    from vsearch.services.moments.timeline import Padding
    from vsearch.show.handed_on.cut import cut_json, print_cut, tell_of_cut
    from vsearch.show.output import print_json
    from vsearch.show.progress.counting import CountProgress

    if folder is None and reel is None:
        raise typer.BadParameter("give a folder, or --reel FILE.mp4", param_hint="-o")
    if exact + copy + auto > 1:
        raise typer.BadParameter("give one of them", param_hint="--exact, --copy or --auto")
    find = _way_to_find(question, clips=clips, answer=answer, everything=everything)
    settings = start(verbose=verbose, quiet=quiet, catalog=catalog, model=model)
    options = CutOptions(
        folder=folder,
        reel=reel,
        way=Way.EXACT if exact else Way.COPY if copy else Way.AUTO,
        padding=Padding(pad_before, pad_after),
        overwrite=force,
        dry=dry_run,
    )
    with CountProgress("seconds of video written", quiet=quiet) as progress:
        report = cut_moments(find(settings), options, settings=settings, on_progress=progress)
    if as_json:
        print_json(cut_json(report))
    else:
        print_cut(report)
    tell_of_cut(report)
    raise typer.Exit(SOME_FAILED if report.failed else DONE)


def _way_to_find(
    question: dict[str, Any], *, clips: str | None, answer: Path | None, everything: bool
) -> Callable[[Settings], tuple[FoundMoment, ...]]:
    """How the moments are found: by ids, in a file, or by a question."""
    from vsearch.services.moments.cutting import moments_of_clips

    if clips and answer:
        raise typer.BadParameter("give one of the two", param_hint="--clips and --from")
    if clips:
        refuse_question(question, beside="--clips")
        ids = list(dict.fromkeys(int(one) for one in clips.split(",")))
        return lambda settings: moments_of_clips(ids, settings=settings)
    if answer:
        refuse_question(question, beside="--from")
        return lambda _: moments_from(answer)
    asked = asked_by(**question)
    return lambda settings: moments_asked_for(asked, settings=settings, everything=everything)
