"""Stills and sprites: what they show, how they are kept, that none is made for nobody."""

import asyncio
import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from serving.films.kept import KeptFiles
from serving.films.workshop import Workshop


def pixels_of(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB")).astype(int)


def test_a_still_shows_the_second_that_is_asked_for(cinema: Any, colour_of: Any) -> None:
    for name in ("sounding.mp4", "other.mkv"):
        for second in (0, 5, 11):
            answer = cinema.get(cinema.of("still", name, f"at={second + 0.5}"))
            assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")
            seen = pixels_of(answer.body).mean(axis=(0, 1))
            assert np.abs(seen - colour_of(second)).max() < 16


def test_a_still_is_not_black_where_its_neighbour_is_not(cinema: Any) -> None:
    if "testvideo.mp4" not in cinema.ids:
        pytest.skip("VSEARCH_TEST_VIDEOS does not name the folder of real test videos")
    for black in (6.5, 12.5):
        answer = cinema.get(cinema.of("still", "testvideo.mp4", f"at={black}"))
        assert pixels_of(answer.body).mean() > 30


def test_a_sprite_shows_the_moment_from_left_to_right_in_rows(cinema: Any, colour_of: Any) -> None:
    for name, start, end in (("sounding.mp4", 2, 7), ("other.mkv", 6, 12)):
        answer = cinema.get(cinema.of("sprite", name, f"start={start}&end={end}"))
        assert answer.status == 200
        told = f"columns=5 rows=5 start={start:.3f} end={end:.3f}"
        assert answer.headers["x-sprite"] == told
        sheet = pixels_of(answer.body)
        assert sheet.shape == (450, 800, 3)
        for index in range(25):
            second = start + (end - start) * (index + 0.5) / 25
            row, column = divmod(index, 5)
            cell = sheet[row * 90 + 20 : row * 90 + 70, column * 160 + 40 : column * 160 + 120]
            if 0.1 < second % 1 < 0.9:
                expected = np.array(colour_of(int(second)))
                assert np.abs(cell.mean(axis=(0, 1)) - expected).max() < 24, (name, second)


def test_what_the_browser_has_is_not_sent_again(cinema: Any) -> None:
    for address in (
        cinema.of("still", "sounding.mp4", "at=1"),
        cinema.of("sprite", "sounding.mp4", "start=1&end=3"),
    ):
        first = cinema.get(address)
        again = cinema.get(address, If_None_Match=first.headers["etag"])
        assert (again.status, again.body) == (304, b"")
        assert cinema.get(address, method="HEAD").body == b""


def test_pictures_of_nothing_are_refused(cinema: Any) -> None:
    for query in ("", "start=1", "end=1", "start=2&end=1", "start=1&end=1", "start=a&end=b"):
        assert cinema.get(cinema.of("sprite", "sounding.mp4", query)).status == 400
    assert cinema.get(cinema.of("sprite", "sounding.mp4", "start=50&end=60")).status == 416
    for query in ("", "at=-1", "at=nan"):
        assert cinema.get(cinema.of("still", "sounding.mp4", query)).status == 400
    for at in (60, "9" * 300):
        assert cinema.get(cinema.of("still", "sounding.mp4", f"at={at}")).status == 416
    assert cinema.get(cinema.of("still", "sounding.mp4", "at=12.5")).status == 200


def test_many_ask_at_once(cinema: Any) -> None:
    addresses = [
        cinema.of("sprite", name, f"start={start}&end={start + 3}")
        for name in ("sounding.mp4", "other.mkv", "silent.mp4")
        for start in range(5)
    ]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(cinema.get, addresses * 2))
    assert {answer.status for answer in answers} == {200}
    assert [a.body for a in answers[:15]] == [a.body for a in answers[15:]]
    assert cinema.files_open() == []


class Slow:
    """Pictures that are made when they are let through; what was begun is noted."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.through = threading.Event()

    def make(self, name: str) -> Any:
        def made(stopped: Any) -> bytes:
            self.begun.append(name)
            while not self.through.is_set() and not stopped():
                time.sleep(0.01)
            return name.encode() * 10

        return made


def test_a_picture_is_made_once_in_turn_and_not_for_nobody(tmp_path: Path) -> None:
    async def asked() -> None:
        slow, workshop = Slow(), Workshop(KeptFiles(tmp_path, max_bytes=1000))
        waiting = [
            asyncio.ensure_future(workshop.get(name, slow.make(name)))
            for name in ("a", "b", "c", "c", "d", "e")
        ]
        await asyncio.sleep(0.2)
        assert slow.begun == ["a", "b"]
        waiting[0].cancel()  # it is being made: it ends, and makes room
        waiting[4].cancel()  # d was not begun: it never is
        waiting[2].cancel()  # c is wanted by another still
        await asyncio.sleep(0.2)
        assert slow.begun == ["a", "b", "c"]
        slow.through.set()
        assert await waiting[1] == b"b" * 10
        assert await waiting[3] == b"c" * 10
        assert await waiting[5] == b"e" * 10
        assert slow.begun == ["a", "b", "c", "e"]
        assert await workshop.get("e", slow.make("e")) == b"e" * 10
        assert slow.begun == ["a", "b", "c", "e"]

    asyncio.run(asked())


def test_what_is_kept_has_a_bound_and_is_there_for_the_next_run(tmp_path: Path) -> None:
    async def asked() -> None:
        kept = KeptFiles(tmp_path, max_bytes=25)
        slow, workshop = Slow(), Workshop(kept)
        slow.through.set()
        for name in ("a", "b", "c", "c", "a"):
            await workshop.get(name, slow.make(name))
        assert slow.begun == ["a", "b", "c", "a"]
        again = Workshop(KeptFiles(tmp_path, max_bytes=25))
        assert await again.get("a", slow.make("a")) == b"a" * 10
        assert slow.begun == ["a", "b", "c", "a"]

    asyncio.run(asked())
