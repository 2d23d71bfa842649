"""The `vsearch` command: each subcommand parses, makes one call into the wiring, and prints.

Nothing heavy is imported before a subcommand runs, so that `--help` answers at once.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from vsearch import __version__, output
from vsearch.options import (
    CatalogOption,
    DeviceOption,
    JsonOption,
    ModelOption,
    PrecisionOption,
    QuietOption,
    VerboseOption,
)
from vsearch.settings import page_environment, read_settings

log = logging.getLogger("vsearch")

DONE, SOME_FAILED, INTERRUPTED = 0, 3, 130

app = typer.Typer(
    name="vsearch",
    help="Find moments in your own videos from a sentence, on your own machine.",
    epilog="Exit codes: 0 done, 1 could not do it, 2 wrong usage, 3 done but some files failed.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _not_blank(text: str) -> str:
    if not text.strip():
        raise typer.BadParameter("it is empty; say in words what to look for")
    return text


def _at_least_two(labels: list[str]) -> list[str]:
    if len(labels) < 2 or not all(label.strip() for label in labels):
        raise typer.BadParameter("give at least two labels, none of them empty")
    return labels


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - Typer's callbacks take the value alone
    if wanted:
        typer.echo(f"vsearch {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


@app.command()
def index(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", exists=True, help="Video files, or folders of them."),
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
    from vsearch import wiring
    from vsearch.progress import IndexProgress

    _set_volume(verbose=verbose, quiet=quiet)
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
    )
    with IndexProgress(quiet=quiet, verbose=verbose) as report:
        outcome = wiring.index_library(paths, settings=settings, options=options, report=report)
    if as_json:
        output.print_json(output.index_json(outcome))
    else:
        output.print_index(outcome)
    _tell_of_demo(settings.model)
    if outcome.failed:
        output.print_failures(outcome.failed)
    if outcome.interrupted:
        log.info("interrupted; what is finished stays, and the same command goes on from there")
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(SOME_FAILED if outcome.failed else DONE)


@app.command()
def query(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", callback=_not_blank, help="What to look for, in words.")
    ],
    *,
    catalog: CatalogOption = None,
    limit: Annotated[
        int, typer.Option("-k", "--limit", metavar="N", min=1, help="Moments at most.")
    ] = 10,
    within: Annotated[
        str | None,
        typer.Option("--in", metavar="GLOB", help="Only in files whose path matches."),
    ] = None,
    paths: Annotated[
        bool, typer.Option("--paths", help="Print bare paths, best first, each once, for pipes.")
    ] = False,
    model: ModelOption = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "auto",
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Rank the moments of the indexed videos by how well they fit a sentence.

    \b
    Examples:
      vsearch query "person cooking pasta"
      vsearch query "a dog runs on a beach" -k 3 --in '*/2024/*'
      vsearch query "a red car" --paths | xargs -d '\\n' cp -t /tmp/cars
      vsearch query "people dancing" --json | jq '.hits[0]'
    """
    from vsearch import wiring

    _set_volume(verbose=verbose, quiet=quiet)
    settings = read_settings(
        os.environ, catalog=catalog, model=model, device=device, precision=precision
    )
    result = wiring.search(text, settings=settings, limit=limit, within=within)
    if as_json:
        output.print_json(output.search_json(result))
    elif paths:
        output.print_paths(result)
    else:
        output.print_search(result)
    _tell_of_demo(result.model)
    if not result.hits:
        log.info("no indexed file matches %s", within)


app.command("search", help="The same as `query`.")(query)


@app.command()
def classify(
    video: Annotated[
        Path, typer.Argument(metavar="VIDEO", exists=True, dir_okay=False, help="A video file.")
    ],
    labels: Annotated[
        list[str],
        typer.Argument(
            metavar="LABEL",
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
    """Tell how probable each label is for a video (zero-shot, X-CLIP's own score).

    \b
    Examples:
      vsearch classify clip.mp4 "playing sports" "eating spaghetti" "go shopping"
      vsearch classify toy.mp4 "a red circle moving left" "a red circle moving right" --model demo
    """
    from vsearch import wiring

    _set_volume(verbose=verbose, quiet=quiet)
    settings = read_settings(
        os.environ, catalog=catalog, model=model, device=device, precision=precision
    )
    result = wiring.classify(video, labels, settings=settings)
    if as_json:
        output.print_json(output.classification_json(result))
    else:
        output.print_classification(result)
    _tell_of_demo(result.model)


@app.command()
def status(
    *,
    catalog: CatalogOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show what is in the catalog, the model that made it, its sizes, and what failed.

    \b
    Examples:
      vsearch status
      vsearch status --json | jq -r '.failed[].path'
    """
    from vsearch import wiring

    _set_volume(verbose=verbose, quiet=quiet)
    found = wiring.status(read_settings(os.environ, catalog=catalog))
    if as_json:
        output.print_json(output.status_json(found))
    else:
        output.print_status(found)


@app.command()
def ui(
    *,
    catalog: CatalogOption = None,
    port: Annotated[
        int, typer.Option(metavar="N", min=1, max=65535, help="Port on 127.0.0.1.")
    ] = 8501,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Do not open a browser.")
    ] = False,
    model: ModelOption = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "auto",
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Open the page on 127.0.0.1: a sentence in, ranked moments and a player out.

    \b
    Examples:
      vsearch ui
      vsearch ui --port 8600 --no-browser
    """
    from vsearch import wiring

    _set_volume(verbose=verbose, quiet=quiet)
    settings = read_settings(
        os.environ, catalog=catalog, model=model, device=device, precision=precision
    )
    command = wiring.page_command(port=port, open_browser=not no_browser)
    address = f"http://127.0.0.1:{port}"
    if as_json:
        output.print_json({"url": address})
    log.info("the page opens on %s; Ctrl-C ends it", address)
    sys.stdout.flush()
    # What Streamlit says are messages: stdout holds our result alone, which may be JSON.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # The page takes this process over: signals reach it directly, and nothing is left behind.
    os.execve(command[0], command, {**os.environ, **page_environment(settings)})


@app.command()
def demo(
    *,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "auto",
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make a small library of toy films, index it, ask it in words, and show the answers.

    Needs no network: the toy films and the model that knows them are part of the package.

    \b
    Examples:
      vsearch demo
      vsearch demo --json | jq '.answers[].query'
    """
    from vsearch.demo import run_demo
    from vsearch.progress import IndexProgress

    _set_volume(verbose=verbose, quiet=quiet)
    settings = read_settings(os.environ, device=device, precision=precision)
    with IndexProgress(quiet=quiet, verbose=verbose) as report:
        outcome = run_demo(settings, report=report)
    if as_json:
        output.print_json(output.demo_json(outcome))
    else:
        output.print_demo(outcome)


def _tell_of_demo(model: str | None) -> None:
    """Ranks and probabilities of real footage look as sure as any; they mean nothing here."""
    from xclip_core import DEMO_MODEL

    if model == DEMO_MODEL:
        log.info("the demo model knows coloured shapes that move, and nothing else")


def _set_volume(*, verbose: bool, quiet: bool) -> None:
    """Messages go to stderr: none, those that matter, or all of them."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.handlers = [handler]
    log.propagate = False
    log.setLevel(logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO)
