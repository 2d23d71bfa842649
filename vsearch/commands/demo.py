"""`vsearch demo`: a toy library is made, indexed and searched."""

from __future__ import annotations

from vsearch.commands.options import (
    DeviceOption,
    JsonOption,
    PrecisionOption,
    QuietOption,
    VerboseOption,
    start,
)


def demo(
    *,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "auto",
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make a small library of toy videos, index it, search it in words, and show the answers.

    Needs no network: the toy videos and the model that knows them are part of the package.

    \b
    Examples:
      vsearch demo
      vsearch demo --json | jq '.answers[].query'
    """
    from vsearch.services.demo import run_demo
    from vsearch.show.demo import demo_json, print_demo
    from vsearch.show.output import print_json
    from vsearch.show.progress.index_run import IndexProgress

    settings = start(verbose=verbose, quiet=quiet, device=device, precision=precision)
    with IndexProgress(quiet=quiet, verbose=verbose) as counters:
        outcome = run_demo(settings, counters=counters)
    if as_json:
        print_json(demo_json(outcome))
    else:
        print_demo(outcome)
