"""Looking and playing in a real browser: films of many kinds, with sound, by keys and by touch."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from catalog import Catalog
from search import Asked
from tests.serving.films.conftest import write_sounding
from vsearch.services.answers.search import search

playwright = pytest.importorskip(
    "playwright.sync_api", reason="needs Playwright, which `make test` installs"
)

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
if CHROMIUM is None:
    pytest.skip("needs Chromium: `apt-get install chromium`", allow_module_level=True)
MATERIAL = os.environ.get("VSEARCH_TEST_VIDEOS")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@pytest.fixture(scope="module")
def page_of_many(lasting_settings, watch_page) -> Iterator[Any]:
    """The page over films with sound in MP4 and AVI, and one in HEVC."""
    with watch_page() as served:
        yield served


@pytest.fixture(scope="module")
def watch_page(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Any:
    from functools import partial

    from tests.ui.conftest import index_into, serve_among_planted_settings, settings_in

    home = tmp_path_factory.mktemp("watching")
    settings = settings_in(home, model=model)
    videos = home / "videos"
    write_sounding(videos / "sound.mp4", seconds=20, codec="libx264", sound="aac")
    write_sounding(videos / "old.avi", seconds=12, codec="mpeg4", sound="mp3")
    if MATERIAL is not None:
        shutil.copy(Path(MATERIAL, "juggle_hevc10.mkv"), videos / "modern.mkv")
    index_into(settings, videos)
    return partial(serve_among_planted_settings, settings, tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def window(browser) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


def look(window, served, **address: str) -> None:
    """Open an address and wait for its moments, also those with nothing convincing."""
    query = "&".join(f"{key.rstrip('_')}={value}" for key, value in address.items())
    window.goto(f"http://127.0.0.1:{served.port}/?all=true&{query}")
    window.locator(".vs-tile").first.wait_for()


def until(window, condition: str) -> Any:
    for _ in range(600):
        found = window.evaluate(condition)
        if found:
            return found
        window.wait_for_timeout(100)
    raise AssertionError(f"never: {condition}")


def video(window, what: str) -> Any:
    return window.evaluate(f"document.querySelector('video').{what}")


def play_film(window, name: str) -> None:
    window.get_by_role("button", name=f"Play {name}").click()
    until(window, "document.querySelector('video').videoWidth > 0")
    until(window, "document.querySelector('video').currentTime > 0.5")


def test_a_film_plays_whole_with_sound_from_the_moment_and_goes_where_it_is_told(
    page_of_many, window
) -> None:
    look(window, page_of_many, q="a+film", in_="sound.mp4")
    told = "document.querySelector('.vs-moments').moments.films[0].moments[0].start"
    start = float(window.evaluate(told))
    window.locator(".vs-picture").first.click()
    until(window, f"document.querySelector('video').currentTime > {start + 0.3}")
    assert video(window, "videoWidth") > 0
    assert video(window, "duration") == pytest.approx(20, abs=0.2)
    assert until(window, "document.querySelector('video').webkitAudioDecodedByteCount > 0")
    strip = window.locator(".vs-player .vs-strip").bounding_box()
    window.mouse.click(strip["x"] + 0.75 * strip["width"], strip["y"] + 5)
    until(window, "document.querySelector('video').currentTime >= 14.8")
    window.keyboard.press("k")
    assert until(window, "document.querySelector('video').paused")
    before = video(window, "currentTime")
    window.keyboard.press("j")
    until(window, f"Math.abs(document.querySelector('video').currentTime - {before - 10}) < 0.3")
    window.keyboard.press(".")
    until(window, f"document.querySelector('video').currentTime > {before - 10 + 0.02}")
    window.keyboard.press("Escape")
    playwright.expect(window.locator(".vs-player")).to_be_hidden()


def test_what_plays_stands_in_the_address_and_plays_again_from_there(page_of_many, window) -> None:
    look(window, page_of_many, q="the+film+before", in_="sound.mp4")
    look(window, page_of_many, q="a+film", in_="sound.mp4")
    window.locator(".vs-picture").first.click()
    until(window, "document.querySelector('video').currentTime > 0.3")
    window.keyboard.press("l")
    window.keyboard.press("n")
    start = float(window.evaluate("document.querySelector('.vs-moments').moments.playing.start"))
    assert f"%40{start:.3f}" in window.url
    title = window.locator(".vs-playing").inner_text()
    window.reload()
    playwright.expect(window.locator(".vs-playing")).to_have_text(title)
    until(window, f"document.querySelector('video').currentTime > {start - 0.1}")
    window.get_by_role("button", name="+ Basket").first.click()  # the page is drawn anew
    window.get_by_role("button", name="✓ In the basket").first.click()
    assert "play=" in window.url
    field = window.get_by_label("Sentence")
    field.fill("another film")
    field.press("Enter")
    playwright.expect(window.locator(".vs-player")).to_be_hidden()
    window.wait_for_url("**q=another+film*")
    assert "play=" not in window.url
    assert "all=" not in window.url  # the next answer may be convincing
    window.go_back()  # to the search, which does not play unasked
    playwright.expect(field).to_have_value("a film")
    assert "play=" not in window.url
    window.go_back()
    playwright.expect(field).to_have_value("the film before")


def test_all_moments_are_shown_of_a_question_only_where_that_was_asked_for(
    page_of_many, window, watch_page
) -> None:
    settings = watch_page.args[0]
    found = (search(Asked.of(f"thing {number}"), settings=settings) for number in range(50))
    hiding = next(one.query for one in found if len(one.convincing) < len(one.hits))
    window.goto(f"http://127.0.0.1:{page_of_many.port}/?q={hiding}")
    window.get_by_role("button", name="Also show").click()
    window.wait_for_url("**all=true*")
    field = window.get_by_label("Sentence")
    for sentence in ("a film", hiding):
        field.fill(sentence)
        field.press("Enter")
        window.wait_for_url(f"**q={sentence.replace(' ', '+')}*")
        until(window, f"document.title.startsWith('{sentence} ')")
    window.get_by_role("button", name="Also show").wait_for()
    window.wait_for_timeout(1000)  # a browser might tell of a change later
    assert "all=" not in window.url
    playwright.expect(window.get_by_role("button", name="Also show")).to_be_visible()


@pytest.mark.parametrize("name", ["old.avi", "modern.mkv"])
def test_what_the_browser_cannot_play_is_turned_into_what_it_can(
    page_of_many, window, watch_page, name: str
) -> None:
    if name == "modern.mkv" and MATERIAL is None:
        pytest.skip("VSEARCH_TEST_VIDEOS names no folder of videos")
    look(window, page_of_many, view="Library")
    play_film(window, name)
    assert video(window, "src").startswith("blob:")
    whole = video(window, "duration")
    assert whole == pytest.approx({"old.avi": 12, "modern.mkv": 10.3}[name], abs=0.5)
    window.evaluate("document.querySelector('video').currentTime = 8")
    until(window, "document.querySelector('video').currentTime > 8.3")
    if name == "old.avi":
        assert until(window, "document.querySelector('video').webkitAudioDecodedByteCount > 0")
        # Again, from what was kept of it, and beyond.
        window.keyboard.press("Escape")
        played = watch_page.args[0].home / "cache" / "played"
        for kept in played.iterdir():
            os.truncate(kept, kept.stat().st_size // 3)
        window.get_by_role("button", name=f"Play {name}").click()
        until(window, "document.querySelector('video').ended")


def test_the_pointer_looks_through_a_moment(page_of_many, window) -> None:
    look(window, page_of_many, q="a+film", in_="sound.mp4")
    tile = window.locator(".vs-picture").first
    tile.scroll_into_view_if_needed()
    box = tile.bounding_box()
    tile.hover()
    until(window, "document.querySelector('.vs-scrub').style.backgroundImage")
    places = []
    for share in (0.1, 0.5, 0.9):
        window.mouse.move(box["x"] + share * box["width"], box["y"] + 20)
        places.append(tile.locator(".vs-scrub").evaluate("one => one.style.backgroundPosition"))
    assert len(set(places)) == 3
    assert (
        tile.locator(".vs-scrub")
        .evaluate("one => one.style.backgroundImage")
        .startswith('url("/sprite/')
    )
    assert window.evaluate(
        "fetch(document.querySelector('.vs-scrub').style.backgroundImage.slice(5, -2))"
        ".then(answer => answer.status)"
    ) == 200  # fmt: skip


def test_more_like_a_moment_asks_by_its_address(page_of_many, window) -> None:
    look(window, page_of_many, q="a+film", in_="sound.mp4")
    window.get_by_role("button", name="More like this").first.click()
    window.wait_for_url("**like=**")
    until(window, "document.querySelector('.vs-moments').moments.answer.startsWith('like')")
    window.go_back()
    playwright.expect(window.get_by_label("Sentence")).to_have_value("a film")


def test_a_picture_that_is_dropped_anywhere_is_a_question(
    page_of_many, window, tmp_path: Path
) -> None:
    look(window, page_of_many, q="a+film")
    frame = av.VideoFrame.from_ndarray(np.full((90, 160, 3), (80, 120, 200), np.uint8), "rgb24")
    frame.to_image().save(tmp_path / "asked.png")
    content = b64encode((tmp_path / "asked.png").read_bytes()).decode()
    window.locator("h1").evaluate(
        """(place, content) => {
          const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0))
          const dataTransfer = new DataTransfer()
          dataTransfer.items.add(new File([bytes], 'asked.png', { type: 'image/png' }))
          place.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true }))
        }""",
        content,
    )
    window.wait_for_url("**like=**")
    window.get_by_role("button", name="Like:").wait_for()  # a way to leave it out
    window.goto(f"{window.url}&all=true")  # a bookmark
    until(window, "document.querySelector('.vs-moments')?.moments?.question?.includes('asked/')")


def test_page_and_command_line_answer_alike(page_of_many, window, watch_page) -> None:
    """The same moments in the same order, with the same words for how sure they are."""
    settings = watch_page.args[0]
    look(window, page_of_many, q="a+film")
    told = window.evaluate(
        """document.querySelector('.vs-moments').moments.ranked.map(({ film, moment }) =>
          [moment.rank, film.path, moment.start, moment.end, moment.peak, moment.confidence])"""
    )
    command = ["-P", "-m", "vsearch", "query", "--all", "--json", "--catalog", settings.catalog]
    printed = subprocess.run(
        [sys.executable, *map(str, command), "--", "a film"],
        env={**os.environ, "VSEARCH_HOME": str(settings.home)},
        check=True,
        capture_output=True,
    ).stdout
    hits = json.loads(printed)["hits"]
    assert len(told) == len(hits) >= 2
    for shown, hit in zip(told, hits, strict=True):
        assert (shown[0], shown[1], shown[5]) == (hit["rank"], hit["path"], hit["confidence"])
        assert shown[2:5] == pytest.approx([hit[key] for key in ("start", "end", "peak")], abs=2e-3)


def test_what_is_picked_is_in_the_basket_of_every_window_and_leaves_it_as_a_list(
    page_of_many, window, browser, tmp_path: Path
) -> None:
    look(window, page_of_many, q="a+film")
    window.get_by_role("button", name="+ Basket").first.click()
    window.get_by_role("button", name="✓ In the basket").first.wait_for()
    with browser.new_context() as other:
        second = other.new_page()
        second.goto(f"http://127.0.0.1:{page_of_many.port}/?view=Basket")
        second.get_by_role("button", name="Remove").first.wait_for()
        look(second, page_of_many, q="a+film")
        second.get_by_role("button", name="+ Basket").first.click()
        window.get_by_role("button", name="✓ In the basket").first.click()  # knows of one
        second.goto(f"http://127.0.0.1:{page_of_many.port}/?view=Basket")
        playwright.expect(second.get_by_role("button", name="Remove")).to_have_count(1)
        until(second, "document.querySelector('.vs-picked img').naturalWidth > 0")
        second.get_by_role("combobox", name="Take them along as").click()
        second.get_by_role("option", name="Premiere XML").click()
        with second.expect_download() as saved:
            second.get_by_role("button", name="Download").click()
        line = second.get_by_text("The same by a command").locator("code").inner_text()
        told, listed = shlex.split(line), tmp_path / "moments.xml"
        told[told.index("-o") + 1] = str(listed)
        subprocess.run([sys.executable, "-P", "-m", *told], check=True)
        assert saved.value.path().read_bytes() == listed.read_bytes()
        second.get_by_role("button", name="Empty the basket").click()
        second.get_by_text("The basket is empty").wait_for()


def test_keys_alone_find_play_and_leave(page_of_many, window) -> None:
    look(window, page_of_many, q="a+film")
    window.locator(".vs-tile").first.click(position={"x": 2, "y": 2})
    window.keyboard.press("Escape")
    window.keyboard.press("/")
    playwright.expect(window.get_by_label("Sentence")).to_be_focused()
    window.keyboard.press("Tab")
    window.keyboard.press("?")
    keys = window.get_by_role("dialog", name="Keys")
    playwright.expect(keys).to_be_visible()
    window.keyboard.press("Escape")
    playwright.expect(keys).to_be_hidden()
    window.keyboard.press("1")
    until(window, "document.querySelector('video').currentTime > 0")
    first = window.locator(".vs-playing").inner_text()
    window.keyboard.press("n")
    assert (
        window.locator(".vs-playing").inner_text() != first
        or window.locator(".vs-tile").count() == 1
    )


def test_a_phone_shows_one_column_that_does_not_scroll_sideways(page_of_many, browser) -> None:
    with browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True) as context:
        window = context.new_page()
        look(window, page_of_many, q="a+film")
        assert window.evaluate("document.documentElement.scrollWidth <= innerWidth")
        lefts = window.locator(".vs-tile").evaluate_all(
            "tiles => tiles.map(tile => tile.getBoundingClientRect().left)"
        )
        assert len(set(lefts)) == 1


def test_a_file_that_is_gone_says_so(page_of_many, window, watch_page) -> None:
    look(window, page_of_many, view="Library")
    with Catalog.open(watch_page.args[0].catalog) as catalog:
        path = next(v.paths[0] for v in catalog.videos() if v.paths[0].name == "old.avi")
    away = path.rename(path.with_name("away.avi"))
    try:
        window.get_by_role("button", name="Play old.avi").click()
        playwright.expect(window.locator(".vs-trouble")).to_contain_text("The file is gone")
    finally:
        away.rename(path)


def test_pictures_of_moments_are_not_black(page_of_many, window) -> None:
    look(window, page_of_many, view="Library")
    until(window, "[...document.querySelectorAll('.vs-tile img')].every(one => one.naturalWidth)")
    brightest = window.evaluate(
        """[...document.querySelectorAll('.vs-tile img')].map(image => {
          const canvas = document.createElement('canvas')
          Object.assign(canvas, {width: 16, height: 9})
          canvas.getContext('2d').drawImage(image, 0, 0, 16, 9)
          return Math.max(...canvas.getContext('2d').getImageData(0, 0, 16, 9).data
            .filter((_, place) => place % 4 < 3))
        })"""
    )
    assert min(brightest) > 40, json.dumps(brightest)


def run_of(home: Path) -> int:
    """The process id of the index run that the page has begun."""
    for _ in range(600):
        for told in home.rglob("run.json"):
            with suppress(ValueError):  # it is being written
                return int(json.loads(told.read_text())["pid"])
        time.sleep(0.05)
    raise AssertionError("no run was begun")


def test_a_folder_that_is_added_becomes_searchable_while_the_page_is_used(
    page_of_many, window, browser, watch_page
) -> None:
    """Also when the window that began it is closed; what failed is tried again by a button."""
    home = watch_page.args[0].home
    for seconds in (5, 6, 7, 8):
        path = home / "more" / f"{seconds}.mp4"
        write_sounding(path, seconds=seconds, codec="libx264", sound="aac")
    broken = home / "more" / "8.mp4"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:2000])
    look(window, page_of_many, view="Library")
    window.get_by_label("Add a folder of videos").fill(str(home / "more"))
    window.get_by_role("button", name="Index").click()
    run = run_of(home)
    os.kill(run, signal.SIGSTOP)  # or it could end before it is seen
    window.get_by_text("Indexing").first.wait_for()
    with browser.new_context() as context:
        other = context.new_page()
        other.set_default_timeout(60_000)
        look(other, page_of_many, q="the+first+film")
        other.get_by_text("Indexing").first.wait_for()
        window.close()
        field = other.get_by_label("Sentence")
        field.fill("another film")
        field.press("Enter")
        until(other, "document.title.startsWith('another film')")
        look(other, page_of_many, q="another+film")
        other.locator(".vs-picture").first.click()
        until(other, "document.querySelector('video').currentTime > 0.2")
        other.evaluate("document.querySelector('video').the = 'one that was begun'")
        os.kill(run, signal.SIGCONT)
        number = 6 if MATERIAL is not None else 5
        other.get_by_text(f"{number} videos").first.wait_for()
        # What plays goes on in the grid of the larger library.
        until(other, "document.querySelectorAll('.vs-tile').length > 3")
        at = video(other, "currentTime")
        assert video(other, "the") == "one that was begun"
        until(other, f"document.querySelector('video').currentTime > {at + 0.3}")
        look(other, page_of_many, q="a+film", in_=f"{home}/more")
        broken.write_bytes(whole)
        look(other, page_of_many, view="Library")
        other.get_by_text("1 file could not be indexed").click()
        other.get_by_text(f"{broken}: ").wait_for()
        other.get_by_role("button", name="Try again").click()
        other.get_by_text(f"{number + 1} videos").first.wait_for()
        playwright.expect(other.get_by_text("could not be indexed")).to_be_hidden()
