"""`vsearch query`: ranks the indexed moments by a sentence."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from machine.names import quoted
from vsearch.commands.handover import ask_server
from vsearch.commands.help import GIVEN_WORDS
from vsearch.commands.options import (
    MOMENTS,
    CatalogOption,
    JsonOption,
    ModelOption,
    QuietOption,
    VerboseOption,
    start,
)
from vsearch.commands.questions.lines import QueriesOption, answer_lines
from vsearch.commands.questions.options.examples import examples_refused
from vsearch.commands.questions.options.sentences import asked_by
from vsearch.commands.questions.options.server import NO_SERVER, ServerOption
from vsearch.commands.questions.options.sets import QUESTION, takes
from vsearch.commands.questions.session import Session
from vsearch.commands.resident import Resident
from vsearch.exit_codes import DONE, SOME_FAILED
from vsearch.messages import log, tell_notes, tell_of_demo

if TYPE_CHECKING:
    from catalog import VideoFilter
    from search import SearchResult


@takes(QUESTION, as_one="question")
def query(
    context: typer.Context,
    *,
    question: dict[str, Any],
    catalog: CatalogOption = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also the nearest moments with nothing convincing.")
    ] = False,
    curve: Annotated[
        bool,
        typer.Option(
            "--curve",
            help="With --json, also the curve of the sentence over each video of the answer.",
        ),
    ] = False,
    paths: Annotated[
        bool, typer.Option("--paths", help="Print bare paths, best first, each once, for pipes.")
    ] = False,
    null: Annotated[
        bool,
        typer.Option("-0", "--null", help="As --paths, each ended by NUL, for `xargs -0`."),
    ] = False,
    queries: QueriesOption = None,
    opened: Annotated[
        int | None,
        typer.Option(
            "--open", metavar="N", parser=MOMENTS, help="Also play moment N from its start."
        ),
    ] = None,
    server: ServerOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Rank the moments of the indexed videos by their similarity to what was asked.

    Each is strong, likely or weak: weak ones are no nearer than a moment may be by chance. Where
    none is as near as that, the answer is that nothing is convincing. The model knows English, and
    reads about 50 words of a sentence.

    \b
    Examples:
      vsearch query "person cooking pasta"
      vsearch query "a dog" "a beach at sunset" --not "people"
      vsearch query "a cake" --said "happy birthday"
      vsearch query --like beach.jpg
      vsearch query "at night" --like beach.mp4@1:23
      vsearch query "a dog runs on a beach" -k 3 --in '*/holiday/*' --in '!*.avi'
      vsearch query "the children swim" --after 2024-06 --before 2024-09 --camera iphone
      vsearch query "a child climbs a ladder" --then "the child jumps into water" --within 10
      vsearch query "the dog plays in snow" --sort newest --per-video 1
      vsearch query "a red car" -0 | xargs -0 cp -t /tmp/cars
      vsearch query "people dancing" --json | jq '.hits[0]'
      vsearch query "a unicorn" --all -v
      vsearch query "a red car" --open 1
      vsearch query --queries sentences.txt > answers.jsonl
      vsearch query "a red car" --server http://127.0.0.1:8600
    """
    obj: Session | Resident | None = context.obj
    session = obj if isinstance(obj, Session) else None
    if isinstance(obj, Resident):
        obj.accept(context.params)
    elif obj is None and server not in (None, NO_SERVER):
        raise typer.Exit(ask_server(server, ["query", *context.meta[GIVEN_WORDS]]))
    elif obj is None and (queries or question["words"] == ["-"]):
        raise typer.Exit(answer_lines(context, queries))
    _refuse_contradictions(
        as_json=as_json, as_paths=paths or null, curve=curve, opened=opened, limit=question["limit"]
    )
    left_out: tuple[Path, ...] = ()
    asked = asked_by(**question)
    from vsearch.services.answers.search import search
    from vsearch.services.player import play_moment
    from vsearch.show.output import print_json
    from vsearch.show.search import print_paths, print_search, search_json

    settings = start(verbose=verbose, quiet=quiet, catalog=catalog, model=model)
    ask = partial(search, settings=settings) if obj is None else obj.search
    with examples_refused():
        result = ask(asked, with_curves=curve)
    if as_json:
        answer = search_json(result, everything=everything, with_curves=curve)
        print_json(answer if session is None else session.labelled(answer))
    elif paths or null:
        left_out = print_paths(result, null=null, everything=everything)
    else:
        print_search(result, everything=everything, explained=verbose)
    _tell(result, everything=everything)
    if result.hits and asked.by_vectors and session is None:  # else no model was asked
        tell_of_demo(result.model)
    if opened:
        play_moment(opened, result.hits if everything else result.convincing)
    for path in left_out:
        log.warning("left out, as its name holds a line break (give -0 for it): %s", path)
    raise typer.Exit(SOME_FAILED if left_out else DONE)


def _tell(result: SearchResult, *, everything: bool) -> None:
    """Tell what is to be said about an answer beside the answer."""
    asked = result.asked
    tell_notes(result.notes, about=result.query if len(asked.texts) == 1 else None)
    if not result.hits and asked.said is not None:
        log.info("no subtitles of these videos say that%s", _hint(asked.videos))
    elif not result.hits:
        log.info("no indexed video meets the filters%s", _hint(asked.videos))
    elif not result.convincing and not everything:
        log.info("nothing stands out as much as what is not there; --all shows the nearest")
    elif _held_back(result):
        most = asked.per_video
        log.info("of each video %d at most are shown; --per-video 0 shows all", most)
    log.debug("answered in %.1f ms", result.took_ms)


def _held_back(result: SearchResult) -> bool:
    """Whether there are fewer moments than asked for, as some videos may have no more."""
    asked = result.asked
    of_videos = Counter(hit.path for hit in result.hits).values()
    return len(result.hits) < asked.limit and asked.per_video in of_videos


def _refuse_contradictions(
    *, as_json: bool, as_paths: bool, curve: bool, opened: int | None, limit: int
) -> None:
    if as_json and as_paths:
        raise typer.BadParameter(
            "JSON holds the paths already; give one of the two",
            param_hint="--json with --paths or --null",
        )
    if opened and opened > limit:
        raise typer.BadParameter(
            f"there are {limit} moments at most; give a higher --limit", param_hint="--open"
        )
    if curve and not as_json:
        raise typer.BadParameter(
            "curves are printed as JSON; give --json too", param_hint="--curve"
        )


def _hint(videos: VideoFilter) -> str:
    """How to match a part of a name, where a glob may have been meant so."""
    plain = next((glob for glob in videos.inside if not set(glob) & set("*?[")), None)
    return f"; for names that contain {plain}, give --in {quoted(f'*{plain}*')}" if plain else ""
