"""`vsearch export`: writes the moments of a question as a list for editing programs or players."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from machine.names import shown
from vsearch.commands.options import (
    CatalogOption,
    JsonOption,
    ModelOption,
    OneOf,
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

_SUFFIXES = (".fcpxml", ".xml", ".edl", ".otio", ".csv", ".json", ".m3u8", ".xspf", ".vtt")
_RATES = ("23.976", "24", "25", "29.97", "29.97df", "30", "50", "59.94", "59.94df", "60")


def list_given(text: str) -> Path:
    """The path of a list that can be written; one of another suffix is refused."""
    path = path_given(text)
    if path.suffix.lower() not in _SUFFIXES:
        allowed = ", ".join(_SUFFIXES[:-1])
        raise typer.BadParameter(
            f"the suffix of {shown(path.name)} is not allowed; give a file that ends in {allowed}"
            f" or {_SUFFIXES[-1]}"
        )
    return path


@takes(QUESTION, as_one="question")
def export(
    *,
    question: dict[str, Any],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            parser=list_given,
            help="The list to write, by suffix: .fcpxml (Final Cut, Resolve), .xml (Premiere), "
            ".edl (CMX 3600), .otio, .csv, .json, .m3u8, .xspf, .vtt (chapters of one video).",
        ),
    ],
    answer: FromOption = None,
    everything: EverythingOption = False,
    rate: Annotated[
        str | None,
        typer.Option(
            "--rate",
            metavar="RATE",
            parser=OneOf(_RATES),
            help="Frames per second of the list; df counts drop frames. Default: that of most "
            "moments.",
            show_default=False,
        ),
    ] = None,
    pad_before: PadBeforeOption = 0.0,
    pad_after: PadAfterOption = 0.0,
    force: Annotated[
        bool, typer.Option("--force", help="Replace FILE if it is there already.")
    ] = False,
    catalog: CatalogOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write the moments of a question as a list for an editing program, a player or a table.

    In and out points are whole frames of each video, at its exact rate and with its timecode; the
    sentence and the confidence are markers. The videos themselves are only read.

    \b
    Examples:
      vsearch export "a dog runs on a beach" -o dogs.fcpxml
      vsearch export "a red car" -k 50 --per-video 0 --pad-before 1 --pad-after 1 -o cars.edl
      vsearch export "a speech" --in '*/wedding/*' --rate 25 -o speeches.xml
      vsearch export --from answer.json -o answer.otio --force
      vsearch export --from - -o dancing.m3u8 < answer.json
      vsearch export "a goal" --in '*/final.mp4' --per-video 0 -o final.vtt
    """
    from timelines import LIST_RATES
    from vsearch.services.moments.timeline import (
        Padding,
        make_timeline,
        require_target,
        write_timeline,
    )
    from vsearch.show.handed_on.lists import print_written, tell_of_list, written_json
    from vsearch.show.output import print_json
    from vsearch.show.progress.counting import CountProgress

    if answer:
        refuse_question(question, beside="--from")
        asked = None
    else:
        asked = asked_by(**question)
    settings = start(verbose=verbose, quiet=quiet, catalog=catalog, model=model)
    require_target(output, replace=force)
    if asked is not None:
        moments = moments_asked_for(asked, settings=settings, everything=everything)
    elif answer:
        moments = moments_from(answer)
    with CountProgress("videos read", quiet=quiet) as progress:
        made = make_timeline(
            moments,
            name=output.stem,
            settings=settings,
            rate=None if rate is None else LIST_RATES[rate],
            padding=Padding(pad_before, pad_after),
            on_progress=progress,
        )
    write_timeline(made.timeline, output, replace=force)
    if as_json:
        print_json(written_json(made, output))
    else:
        print_written(made, output)
    tell_of_list(made)
    raise typer.Exit(SOME_FAILED if made.left_out else DONE)
