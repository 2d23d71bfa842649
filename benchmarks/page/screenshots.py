"""Pictures of the page in its main states, for the README: `make screenshots`.

The page shows the library of `vsearch demo`. Every picture is a new window.
"""

from __future__ import annotations

import argparse
import io
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from PIL import Image

from benchmarks.page.browser import chromium
from benchmarks.page.server import Server, served
from indexer import RunCounters
from machine import prepare_process
from toyworld.library import make_library
from vsearch.services.demo import run_demo
from vsearch.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
_LAPTOP, _PHONE = (1280, 800), (390, 844)
_QUALITY = 82  # of WebP
_MORE_FILMS = 12
_SEQUENCE = {"q": "a white star circling clockwise", "not": "a heart", "then": "a blue ring"}


@dataclass(frozen=True, slots=True)
class State:
    """A state of the page: what is in its address, and what is done in the window."""

    name: str
    asked: dict[str, str]
    then: Callable[[Page], None]
    size: tuple[int, int] = _LAPTOP
    dark: bool = False


def states(more: Path) -> tuple[State, ...]:
    """The states, in the order in which they are taken; `more` holds films to index."""
    heart = {"q": "a blue heart growing"}
    return (
        State("search", {"q": "something blue"}, _show_everything),
        State("search-dark", {"q": "something blue"}, _show_everything, dark=True),
        State("player", heart, _play),
        State("asking", _SEQUENCE, _open),
        State("nothing", {"q": "a dog on a beach"}, _rest),
        State("phone", heart, _rest, size=_PHONE),
        State("basket", {"q": "something blue"}, _pick),
        State("library", {"view": "Library"}, lambda window: _index(window, more)),
    )


def take(folder: Path) -> list[Path]:
    """Make the library, serve it, and write a WebP of each state into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="vsearch-screenshots-") as scratch:
        home = Path(scratch)
        settings = Settings(home=home, catalog=home / "demo" / "catalog", model="demo")
        run_demo(settings, counters=RunCounters())
        more = home / "holiday"
        make_library(more, seed=1, films=_MORE_FILMS)
        with served(settings) as server, chromium() as browser:
            return [_taken(state, browser, server, folder) for state in states(more)]


def _taken(state: State, browser: Browser, server: Server, folder: Path) -> Path:
    width, height = state.size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if state.dark else "light",
        bypass_csp=True,  # which refuses the conditions that are waited for below
    )
    context.set_default_timeout(120_000)
    window = context.new_page()
    window.goto(f"{server.address}?{urlencode(state.asked)}")
    window.locator(".vs-tile, .vs-say").first.wait_for()
    state.then(window)
    picture = Image.open(io.BytesIO(window.screenshot()))
    path = folder / f"{state.name}.webp"
    picture.save(path, "WEBP", quality=_QUALITY, method=6)
    context.close()
    return path


def _rest(window: Page) -> None:
    """Until the page has been drawn, and all stills that are to be seen are there."""
    window.locator('[data-testid="stSkeleton"]').first.wait_for(state="detached")
    window.wait_for_function(
        "[...document.querySelectorAll('.vs-tile img[src]')].every((one) => one.complete)"
    )
    window.wait_for_timeout(1000)


def _show_everything(window: Page) -> None:
    window.get_by_text("with nothing convincing").last.click()
    window.locator(".vs-none").first.wait_for()
    _rest(window)


def _play(window: Page) -> None:
    window.locator(".vs-picture").first.click()
    window.wait_for_function("document.querySelector('.vs-player video').currentTime > 38")
    window.locator(".vs-player video").hover()
    _rest(window)


def _open(window: Page) -> None:
    window.get_by_role("button", name="More to ask").click()
    _rest(window)


def _pick(window: Page) -> None:
    _show_everything(window)
    for number in range(3):
        window.locator(".vs-pick").nth(number).click()
        window.wait_for_timeout(1000)  # until the server knows
    window.get_by_role("radio", name="Basket").click()
    note = window.get_by_placeholder("A note").first
    note.fill("for the opening")
    note.press("Enter")
    window.get_by_text("with nothing convincing").wait_for(state="detached")
    window.get_by_role("button", name="Empty the basket").wait_for()
    _rest(window)


def _index(window: Page, folder: Path) -> None:
    field = window.get_by_label("Add a folder of videos")
    field.fill(str(folder))
    field.press("Enter")
    field.blur()
    window.get_by_text(re.compile("Indexing: [0-9]+ of")).wait_for()
    _rest(window)


def main() -> None:
    """Take the pictures and name them."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.page.screenshots", description=__doc__
    )
    parser.add_argument("--into", type=Path, default=FOLDER, help="folder for the pictures")
    prepare_process()
    for path in take(parser.parse_args().into):
        print(f"{path}  {path.stat().st_size / 1024:.0f} KiB", flush=True)


if __name__ == "__main__":
    main()
