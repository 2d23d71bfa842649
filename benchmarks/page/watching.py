"""The page in a browser: from Enter to the grid, to the first picture of a film, to another place.

Times are taken in the browser: from the key or click until the frame in which the thing is there.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from benchmarks.measure.section import Row
from benchmarks.measure.timing import figure_of
from benchmarks.page.films import CAPTIONS, SECONDS
from toyworld.world import COMBINATIONS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from benchmarks.page.server import Server

ASK_BARS = {10: 0.4, 50: 0.9}  # seconds by moments
PLAY_BARS = {"h264": 0.5, "hevc": 2.5}  # seconds by film
SEEK_BAR, MEMORY_BAR = 0.2, 100  # seconds, MiB
_ROUNDS = 7
_SEEKS, _TIMED = 200, 30
_SEARCHES, _PLAYS = 200, 50
_WORDINGS = ("{}", "the {}", "one {}", "{} there")  # an answer that is kept would be no measurement

# Resolves when all moments are in the grid, and then when all stills in sight are there.
_ASKED = """(least) => {
  const before = document.querySelector('.vs-tile')
  const told = {}
  window.measured = new Promise((done) => {
    const seen = (tile) => tile.getBoundingClientRect().top < innerHeight
    const there = (image) => image === null || (image.complete && image.naturalWidth > 0)
    const look = () => {
      const tiles = [...document.querySelectorAll('.vs-tile')]
      if (tiles.length >= least && tiles[0] !== before) {
        told.grid ??= performance.now() - told.begin
        told.moments = tiles.length
        const images = tiles.filter(seen).map((tile) => tile.querySelector('img'))
        if (images.some((image) => image?.complete && image.naturalWidth))
          told.first ??= performance.now() - told.begin
        if (images.every(there)) {
          told.stills = performance.now() - told.begin
          return done(told)
        }
      }
      requestAnimationFrame(look)
    }
    const begin = (event) => {
      if (event.key !== 'Enter') return
      told.begin = performance.now()
      document.removeEventListener('keydown', begin, true)
      look()
    }
    document.addEventListener('keydown', begin, true)
  })
}"""

# The time from a click, or a jump within a film, until a frame at or after `from` is on display.
_SHOWN = """([act, from]) => new Promise((done) => {
  const video = document.querySelector('.vs-player video')
  const begin = performance.now()
  const shown = (now, { mediaTime }) =>
    mediaTime >= from - 0.1 && mediaTime < from + 2
      ? done(performance.now() - begin)
      : video.requestVideoFrameCallback(shown)
  video.requestVideoFrameCallback(shown)
  const { moments } = document.querySelector('.vs-moments')
  if (act === 'click') document.querySelector('.vs-picture').click()
  else if (act === 'begin') moments.playFilm(moments.films[0], from)
  else moments.player.seek(from)
})"""


class Window:
    """One window of the page."""

    def __init__(self, browser: Browser, server: Server) -> None:
        self.server = server
        context = browser.new_context(viewport={"width": 1280, "height": 800}, bypass_csp=True)
        context.set_default_timeout(120_000)
        self._page = context.new_page()

    def open(self, query: str = "") -> None:
        """Load the page with this query in its address, and wait until it is there."""
        self._page.goto(f"{self.server.address}?{query}")
        self._page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
        self._page.locator(".vs-header").wait_for()

    def leave(self) -> None:
        """Show no page."""
        self._page.goto("about:blank")

    def ask(self, sentence: str, *, least: int) -> dict[str, float]:
        """Milliseconds from Enter to the `grid`, the `first` still, and all `stills` in sight.

        `moments` are those in the grid, at `least` so many; `cpu` is what the server has computed.
        """
        before = self.server.cpu()
        self._page.evaluate(_ASKED, least)
        self._enter(sentence)
        told: dict[str, float] = self._page.evaluate("window.measured")
        return told | {"cpu": 1000 * (self.server.cpu() - before)}

    def search(self, sentence: str) -> None:
        """Ask, and wait until the server has nothing more to say, whatever it found."""
        self._enter(sentence)
        self._page.wait_for_function(
            """(asked) => document.title.startsWith(asked) &&
            document.querySelector('[data-test-script-state="notRunning"]')""",
            arg=sentence,
        )

    def films(self, name: str) -> None:
        """Show the films of this name, with nothing known of them yet."""
        self.open(f"view=Library&name={name}")
        self._page.locator(".vs-tile").first.wait_for()

    def shown(self, act: str, second: float = 0.0) -> float:
        """Seconds until the player shows a frame from `second` on: `click`, `begin` or `seek`."""
        taken: float = self._page.evaluate(_SHOWN, [act, second])
        return taken / 1000

    def run(self, script: str, argument: Any = None) -> Any:
        """What a script returns."""
        return self._page.evaluate(script, argument)

    def _enter(self, sentence: str) -> None:
        field = self._page.get_by_label("Sentence")
        field.fill(sentence)
        field.press("Enter")


def ask_rows(window: Window) -> list[Row]:
    """From Enter to the grid, of sentences that were not asked before."""
    rows = []
    for moments, bar in ASK_BARS.items():
        window.open(f"n={moments}")
        window.search("something else")  # the model is loaded, and the grid has been there
        told = [
            # Some are true of fewer than 50 moments.
            window.ask(wording.format(caption), least=moments * 4 // 5)
            for caption in CAPTIONS
            for wording in _WORDINGS
        ]
        figures = {
            name: figure_of([one[name] for one in told], unit="ms")
            for name in ("grid", "first", "stills", "cpu")
        }
        shown = sorted(round(one["moments"]) for one in told)
        rows += [
            Row(
                f"Enter to all of {moments} moments at most with their texts",
                figures["grid"],
                f"p50 ≤ {1000 * bar:.0f} ms",
                figures["grid"].median <= 1000 * bar,
                f"{len(told)} questions, each with {shown[0]} to {shown[-1]} moments",
            ),
            Row("– to the first still", figures["first"]),
            Row("– to all stills in sight", figures["stills"]),
            Row("– the server's processor time, with stills", figures["cpu"]),
        ]
    return rows


def play_rows(window: Window) -> list[Row]:
    """To the first picture of films, and to other places in a large one."""
    chance = random.Random(0)
    rows = []
    for name, bar in PLAY_BARS.items():
        for act in ("click", "begin"):
            taken = []
            for _ in range(_ROUNDS):
                window.films(name)
                at = 0.0 if act == "click" else round(chance.uniform(2, SECONDS - 4), 1)
                taken.append(window.shown(act, at))
            figure = figure_of(taken, unit="s")
            place = "its beginning" if act == "click" else "any second"
            what = f"first picture of {name} 720p, from {place}"
            rows.append(Row(what, figure, f"p50 ≤ {bar} s", figure.median <= bar))
    return [*rows, _seek_row(window, chance)]


def _seek_row(window: Window, chance: random.Random) -> Row:
    window.films("large")
    window.shown("click")
    window.run("document.querySelector('.vs-player video').pause()")
    length = window.run("document.querySelector('.vs-player video').duration")
    for _ in range(_SEEKS):
        window.run(
            "(at) => document.querySelector('.vs-moments').moments.player.seek(at)",
            chance.uniform(0, length - 4),
        )
    taken = figure_of(
        [1000 * window.shown("seek", chance.uniform(0, length - 4)) for _ in range(_TIMED)],
        unit="ms",
    )
    return Row(
        f"picture at any second of a 2 GiB film of {length / 60:.0f} minutes, after {_SEEKS} seeks",
        taken,
        f"p50 ≤ {1000 * SEEK_BAR:.0f} ms",
        taken.median <= 1000 * SEEK_BAR,
    )


def memory_row(window: Window) -> Row:
    """What the server has grown by after many searches and plays, once it is ready for them."""
    chance = random.Random(1)
    window.server.wait_until_at_rest()
    began = window.server.memory()
    window.open()
    others = [one for one in COMBINATIONS if one.caption not in CAPTIONS]
    for one in chance.sample(others, _SEARCHES):
        window.search(one.caption)
    searched = window.server.memory()
    for number in range(_PLAYS):
        window.films(("h264", "hevc")[number % 2])
        window.shown("begin", chance.uniform(2, SECONDS - 4))
    playing = window.server.memory()
    window.leave()
    window.server.wait_until_at_rest()
    growth = window.server.memory() - began
    return Row(
        f"server's memory after {_SEARCHES} searches and {_PLAYS} plays, beyond that before them",
        f"{growth:.0f} MiB",
        f"≤ {MEMORY_BAR} MiB",
        growth <= MEMORY_BAR,
        f"{began:.0f} MiB before, with model and vectors; {searched:.0f} after the searches,"
        f" {playing:.0f} while the last film plays",
    )
