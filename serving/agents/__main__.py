"""The process of the tools over stdio, which `vsearch mcp` becomes: `python -P -m serving.agents`.

Only the protocol goes to stdout; messages go to stderr.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

from machine import prepare_process
from serving.agents.answers import AgentAnswers
from serving.commands import CommandLines
from serving.turns import Turns
from vsearch.errors import user_errors
from vsearch.exit_codes import DONE, REFUSED
from vsearch.messages import refuse, set_volume
from vsearch.services.answers.search import WarmSearch
from vsearch.settings import read_page_settings


def _answer_until_the_end() -> int:
    """Answer until stdin ends; its exit code."""
    from serving.agents.tools import agent_server

    try:
        settings = read_page_settings(os.environ)
    except user_errors() as error:
        refuse(str(error))
        return REFUSED
    commands, turns = CommandLines(WarmSearch(settings)), Turns()
    commands.follow()
    try:
        asyncio.run(agent_server(AgentAnswers.of(commands), turns).run_stdio_async())
    finally:
        turns.end()
        commands.end()
    return DONE


def _end_with_signals() -> None:
    """End at once on Ctrl-C, SIGTERM and SIGHUP: there is nothing to keep.

    An exception in their place would wait for the thread that waits for stdin.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda number, _: os._exit(128 + number))


def main() -> None:
    """The entry point of the process."""
    prepare_process()
    _end_with_signals()
    os.chdir("/")  # it keeps no disk from being taken away
    parser = argparse.ArgumentParser(prog="python -m serving.agents")
    for flag in ("--verbose", "--quiet"):
        parser.add_argument(flag, action="store_true")
    given = parser.parse_args()
    set_volume(verbose=given.verbose, quiet=given.quiet)
    sys.exit(_answer_until_the_end())


if __name__ == "__main__":
    main()
