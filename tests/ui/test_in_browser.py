"""The page in a real browser: what it shows, loads and lets others do, and its keys."""

import json
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

playwright = pytest.importorskip(
    "playwright.sync_api", reason="needs Playwright, which `make test` installs"
)
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
if CHROMIUM is None:
    pytest.skip("needs Chromium: `apt-get install chromium`", allow_module_level=True)

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # evil.example is a name that its owner lets point to this machine; nothing else has an address.
    "--host-resolver-rules=MAP evil.example 127.0.0.1, MAP * ~NOTFOUND, "
    "EXCLUDE 127.0.0.1, EXCLUDE localhost",
)

# What a web page can try: each outcome as text, None where nothing came of it.
ATTEMPTS = """async address => {
  const outcome = promise => Promise.race([
    promise.catch(() => null), new Promise(resolve => setTimeout(resolve, 5000, null))])
  const loaded = (tag, source) => outcome(new Promise((resolve, reject) => {
    const element = document.body.appendChild(document.createElement(tag))
    element.onload = () => resolve('loaded')
    element.onerror = reject
    element.src = source
  }))
  return {
    fetched: await outcome(fetch(address).then(answer => answer.text())),
    withCookies: await outcome(
      fetch(address + '_stcore/health', {credentials: 'include'}).then(answer => answer.text())),
    socket: await outcome(new Promise((resolve, reject) => {
      const socket = new WebSocket(address.replace('http', 'ws') + '_stcore/stream', 'streamlit')
      socket.onopen = () => resolve('open')
      socket.onerror = reject
    })),
    picture: await loaded('img', address + 'favicon.png'),
    script: await loaded('script', address + SCRIPT),
  }
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def window(browser) -> Iterator[Any]:
    context = browser.new_context()
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def other_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where another web page is served on this machine."""
    folder = tmp_path_factory.mktemp("other")
    (folder / "index.html").write_text("<!doctype html><title>other</title><body></body>")
    handler = partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: Any) -> None:
        pass


def open_page(window, port: int) -> None:
    """Open the page and wait until its own script runs: the search field then has the focus."""
    window.goto(f"http://127.0.0.1:{port}/")
    playwright.expect(window.get_by_label("Sentence")).to_be_focused(timeout=60_000)


def ask(window, sentence: str) -> None:
    field = window.get_by_label("Sentence")
    field.fill(sentence)
    field.press("Enter")
    window.wait_for_url(f"**q={sentence.replace(' ', '+')}*")


def wait_until(window, condition: str) -> None:
    """Wait for a condition in JavaScript; Playwright's own way is what the page forbids (eval)."""
    deadline = time.monotonic() + 60
    while not window.evaluate(condition):
        assert time.monotonic() < deadline, f"never: {condition}"
        window.wait_for_timeout(100)


def play(window) -> None:
    window.get_by_role("button", name="Play 1.").press("Enter")
    playwright.expect(window.locator("video")).to_be_focused(timeout=60_000)


def test_who_searches_and_plays_loads_from_the_page_alone_and_it_calls_nobody(
    served, window
) -> None:
    asked: set[str] = set()
    complaints: list[str] = []
    window.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    window.on("websocket", lambda socket: asked.add(urlsplit(socket.url).netloc))
    window.on("console", lambda said: complaints.append(said.text) if said.type == "error" else 0)
    window.on("pageerror", lambda error: complaints.append(str(error)))
    open_page(window, served.port)
    ask(window, "a film")
    window.locator(".vs-tile").first.wait_for()
    wait_until(window, "[...document.images].every(image => image.naturalWidth)")
    window.locator(".vs-picture").first.hover()
    play(window)
    wait_until(window, "document.querySelector('video').currentTime > 0.2")
    assert asked - {""} == {f"127.0.0.1:{served.port}"}  # "" is what is part of the document
    # Streamlit's document holds one line of script, for search engines, which the policy refuses.
    assert [line for line in complaints if "inline script" not in line] == []
    assert served.witness.exists()
    assert served.calls == []
    assert served.foreign_files_opened == []


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "evil.example"])
def test_another_web_page_gets_nothing_from_it(served, other_port, window, name: str) -> None:
    window.goto(f"http://{name}:{other_port}/")
    script = json.dumps(a_script_of(served.port))
    for own in ("127.0.0.1", "localhost"):
        address = f"http://{own}:{served.port}/"
        outcome = window.evaluate(ATTEMPTS.replace("SCRIPT", script), address)
        assert set(outcome.values()) == {None}, outcome
    assert served.calls == []


def a_script_of(port: int) -> str:
    """One that the page loads for itself."""
    from urllib.request import urlopen

    with urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
        document = answer.read().decode()
    return str(document.split('src="./static/js/')[1].split('"')[0]).join(("static/js/", ""))


def test_another_web_page_cannot_show_it_within_itself(served, other_port, window) -> None:
    window.goto(f"http://localhost:{other_port}/")
    window.evaluate(
        "address => { document.body.innerHTML = `<iframe src=${address}></iframe>` }",
        f"http://localhost:{served.port}/",
    )
    window.wait_for_timeout(1000)
    assert window.frames[-1].locator("#root").count() == 0


def test_under_another_name_that_points_to_this_machine_it_is_not_served(served, window) -> None:
    answer = window.goto(f"http://evil.example:{served.port}/")
    assert answer.status == 403
    outcome = window.evaluate(
        ATTEMPTS.replace("SCRIPT", "'none.js'"), f"http://evil.example:{served.port}/"
    )
    assert outcome["socket"] is None
    assert served.calls == []


def test_a_link_from_another_web_page_opens_it(served, other_port, window) -> None:
    window.goto(f"http://localhost:{other_port}/")
    window.evaluate(
        "address => { document.body.innerHTML = `<a href='${address}'>films</a>` }",
        f"http://127.0.0.1:{served.port}/?q=a+film",
    )
    window.get_by_text("films").click()
    window.get_by_role("button", name="Play 1.").wait_for()


def test_back_and_forward_lead_through_the_questions(served, window) -> None:
    open_page(window, served.port)
    sentences = ["one film", "two films", "three films"]
    for sentence in sentences:
        ask(window, sentence)
        wait_until(window, f"document.title.startsWith({json.dumps(sentence)})")
    field = playwright.expect(window.get_by_label("Sentence"))
    for sentence in ["two films", "one film", ""]:
        window.go_back()
        field.to_have_value(sentence, timeout=30_000)
    window.go_forward()
    field.to_have_value("one film", timeout=30_000)


def test_the_search_field_has_the_focus_first_and_a_player_when_it_opens(served, window) -> None:
    open_page(window, served.port)
    window.keyboard.type("a film")
    window.keyboard.press("Enter")
    play(window)
    player = playwright.expect(window.locator("video"))
    for paused in (True, False):
        window.keyboard.press("Space")
        player.to_have_js_property("paused", paused, timeout=60_000)
    window.keyboard.press("Escape")
    player.to_be_hidden()
    playwright.expect(window.get_by_role("button", name="Play 1.")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_whoever_cannot_see_it_can_use_it(served, browser, scheme: str) -> None:
    with browser.new_context(color_scheme=scheme) as context:
        window = context.new_page()
        window.set_default_timeout(60_000)
        for address, told in (
            ("", "Of video"),
            ("?q=a+film", "Why this one"),
            ("?view=Library", "2 videos"),
        ):
            window.goto(f"http://127.0.0.1:{served.port}/{address}")
            window.get_by_text(told).first.wait_for()
            wait_until(window, "!document.querySelector('[data-stale=true]')")
            window.wait_for_timeout(1000)  # for the pictures, and colours that fade in
            found = axe.Axe().run(window)
            assert found.violations_count == 0, found.generate_report()
        window.goto(f"http://127.0.0.1:{served.port}/?q=a+film")
        window.locator(".vs-tile").first.wait_for()
        number = window.get_by_role("listitem").count()
        assert number >= 1
        told = f"{number} moment{'s' * (number > 1)}"
        playwright.expect(window.get_by_role("status").first).to_have_text(told, timeout=30_000)


def test_when_the_program_has_ended_the_page_says_how_to_start_it(
    serve, window, tmp_path: Path
) -> None:
    with serve(tmp_path) as page:
        window.goto(f"http://127.0.0.1:{page.port}/")
        window.get_by_label("Sentence").wait_for()
        page.process.send_signal(signal.SIGTERM)
        page.process.wait(timeout=60)
        told = window.get_by_role("dialog").locator("> div").last
        told.wait_for()
        written = "element => getComputedStyle(element, '::after').content"
        assert "vsearch ui has ended" in told.evaluate(written)
