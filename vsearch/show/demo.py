"""The result of `vsearch demo`, for people and programs."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any

from machine.clock_text import clock_text
from machine.names import command_line, quoted, shown
from vsearch.show.index import index_json, print_index
from vsearch.show.output import console
from vsearch.show.search import moment_line, search_json

if TYPE_CHECKING:
    from vsearch.services.demo import DemoRun


def demo_json(run: DemoRun) -> dict[str, Any]:
    """The answers with the true moments, as JSON."""
    return {
        "library": str(run.library),
        "catalog": str(run.catalog),
        "index": index_json(run.index),
        "answers": [
            {
                **search_json(answer.result),
                "truth": {
                    "path": str(answer.truth.path),
                    "start": answer.truth.start,
                    "end": answer.truth.end,
                },
            }
            for answer in run.answers
        ],
    }


def print_demo(run: DemoRun) -> None:
    """Questions, ranked moments beside the truth, and what to do next."""
    from rich.text import Text

    page = console()
    print_index(run.index)
    for answer in run.answers:
        truth = answer.truth
        page.print()
        page.print(Text(shown(answer.result.query), style="bold"))
        for hit in answer.result.convincing:
            page.print(moment_line(hit, name=shown(hit.path.name)), end="")
            page.print("  ✓" if answer.is_right(hit) else "", style="green")
        when = f"{clock_text(truth.start)}–{clock_text(truth.end, up=True)}"
        page.print(f"     truth:  {when}  {shown(truth.path.name)}", style="dim")
    right = sum(any(map(answer.is_right, answer.result.hits[:1])) for answer in run.answers)
    page.print(
        f"\n{right} of {len(run.answers)} sentences found their moment at rank 1. "
        "The demo model knows coloured shapes that move, and nothing else.\n"
    )
    _print_next_steps(run)


def _print_next_steps(run: DemoRun) -> None:
    page = console()
    catalog = quoted(run.catalog)
    question = quoted(run.answers[0].result.query)
    page.print("Next:")
    for remark, command in (
        ("search these videos yourself", f"query {question} --catalog {catalog}"),
        ("on a page, with pictures and a player", f"ui --catalog {catalog}"),
        ("your own videos, with a model of the real world", "index FOLDER"),
        ("and what is in them", 'query "person cooking pasta"'),
    ):
        page.print(f"  {_program()} {command}", end="")
        page.print(f"   # {remark}", style="dim")


def _program() -> str:
    """The command that starts this program again; it may not be on the search path."""
    if shutil.which("vsearch"):
        return "vsearch"
    called = sys.argv[0]
    if called.endswith("__main__.py"):
        return command_line(sys.executable, "-m", "vsearch")
    return quoted(called)
