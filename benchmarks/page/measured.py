"""All figures of the page, of one server."""

from __future__ import annotations

import os

from benchmarks.measure.section import Section
from benchmarks.page.browser import chromium
from benchmarks.page.films import RATE, SECONDS, page_catalog
from benchmarks.page.requests import request_rows
from benchmarks.page.server import served
from benchmarks.page.watching import Window, ask_rows, memory_row, play_rows
from catalog import Catalog


def measure() -> Section:
    """Serve a catalog of 100,000 clips, ask and play in a browser, then ask the server alone."""
    settings, films = page_catalog()
    with Catalog.open(settings.catalog) as catalog:
        status = catalog.status()
    with served(settings) as server, chromium() as browser:
        version = browser.version
        window = Window(browser, server)
        memory = memory_row(window)  # first: from the start of the server on
        rows = [*ask_rows(window), *play_rows(window), memory, *request_rows(server, films)]
        loads = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    return Section(
        title="Page",
        setting=(
            f"{status.clips:,} clips of {status.videos} films, demo model; Chromium {version} "
            "without a window, on the machine of the server. What is found are toy films of 160 × "
            "120 pixels; what is played are H.264 and H.265 (Main 10) films in 720p at "
            f"{RATE} frames a second, {SECONDS} s long, and an H.264 one of 2 GiB; they show a "
            f"moving pattern with noise. Load at the end {loads}."
        ),
        rows=tuple(rows),
    )
