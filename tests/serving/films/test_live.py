"""Films that are made anew while they play: what a browser's MediaSource would be given."""

import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import av
import numpy as np
import pytest

PITCHES = (300, 600, 1200, 2400)


def pictures(body: bytes) -> list[tuple[float, np.ndarray]]:
    with av.open(io.BytesIO(body)) as container:
        return [
            (float(frame.pts * frame.time_base), frame.to_ndarray(format="rgb24"))
            for frame in container.decode(video=0)
        ]


def sound(body: bytes) -> tuple[float, np.ndarray]:
    """The first time, and all samples of the left channel."""
    with av.open(io.BytesIO(body)) as container:
        frames = list(container.decode(audio=0))
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    return float(frames[0].pts * frames[0].time_base), samples


def pitch(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * 48_000 / len(samples))


@pytest.mark.parametrize("name", ["sounding.mp4", "other.mkv"])
@pytest.mark.parametrize("start", [0, 3.25, 10.75])
def test_a_film_begins_at_its_second_with_picture_and_sound(
    cinema: Any, colour_of: Any, name: str, start: float
) -> None:
    """Each second of the films has a colour and a pitch of its own."""
    answer = cinema.get(cinema.of("live", name, f"start={start}"))
    assert (answer.status, answer.headers["content-type"]) == (200, "video/mp4")
    shown = pictures(answer.body)
    assert shown[0][0] == 0
    assert shown[-1][0] == pytest.approx(12 - start - 0.05, abs=0.2)
    for time_shown, pixels in shown:
        second = start + time_shown + 1e-3
        if 0.06 < second % 1 < 0.94:
            expected = np.array(colour_of(min(int(second), 11)))
            assert np.abs(pixels.mean(axis=(0, 1)) - expected).max() < 16, second
    begins, samples = sound(answer.body)
    assert begins == 0
    for second in range(int(start) + 1, 12):
        middle = int((second + 0.2 - start) * 48_000)
        heard = pitch(samples[middle : middle + 28_800])
        assert heard == pytest.approx(PITCHES[second % 4], rel=0.02), second
        # The pitch changes on the second, within a frame of film.
        change = int((second - start) * 48_000)
        before, after = samples[change - 3_000 : change - 1_000], samples[change + 1_000 :][:2_000]
        if change > 3_000:
            assert abs(pitch(before) - PITCHES[(second - 1) % 4]) < 60
            assert abs(pitch(after) - PITCHES[second % 4]) < 60


def test_what_is_announced_is_what_is_sent(cinema: Any) -> None:
    """A browser refuses tracks that were not announced, and waits for those that are missing."""
    for name in cinema.ids:
        told = cinema.get(cinema.of("playable", name))
        if told.status != 200:
            continue  # another test has changed it
        answer = cinema.get(cinema.of("live", name, "start=1&lines=480"))
        with av.open(io.BytesIO(answer.body)) as container:
            video, audio = container.streams.video, container.streams.audio
            stored = video[0].codec_context.extradata
            expected = [f"avc1.{stored[1:4].hex()}", *(["mp4a.40.2"] if audio else [])]
            assert told.json["live_type"] == f'video/mp4; codecs="{", ".join(expected)}"', name
            assert told.json["has_sound"] == bool(audio)
            assert len(video) == 1
            assert video[0].height <= 480


def test_a_times_that_no_film_has_are_refused(cinema: Any) -> None:
    for query in ("", "start=", "start=-1", "start=nan", "start=inf", "start=1_0", "start=a"):
        assert cinema.get(cinema.of("live", "sounding.mp4", query)).status == 400
    assert cinema.get(cinema.of("live", "sounding.mp4", "start=1&lines=9999")).status == 400
    late = cinema.get(cinema.of("live", "sounding.mp4", "start=99"))
    assert late.status == 416
    assert "12" in late.json["error"]


@contextmanager
def player(cinema: Any, name: str, start: float = 0) -> Iterator[socket.socket]:
    """Ask for a film; nobody has read from the connection yet."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 12)
        connection.settimeout(60)
        connection.connect(("127.0.0.1", cinema.port))
        address = cinema.of("live", name, f"start={start}")
        connection.sendall(
            f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1:{cinema.port}\r\n\r\n".encode()
        )
        yield connection


def until(condition: Any, *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_encoder_ends_when_its_browser_goes_away(cinema: Any) -> None:
    for _ in range(5):
        with player(cinema, "long.avi") as connection:
            assert connection.recv(20).startswith(b"HTTP/1.1 200")
            assert len(cinema.files_open()) == 1
        until(lambda: not cinema.files_open())


def test_two_encoders_at_most_and_the_one_that_nobody_reads_makes_room(cinema: Any) -> None:
    with player(cinema, "long.avi") as first, player(cinema, "long.avi", 5) as second:
        assert first.recv(20).startswith(b"HTTP/1.1 200")
        assert second.recv(20).startswith(b"HTTP/1.1 200")
        with player(cinema, "long.avi", 9) as third:
            seen = set()
            answered = False
            third.settimeout(0.05)
            begun = time.monotonic()
            while not answered:
                assert time.monotonic() < begun + 60
                seen.add(len(cinema.files_open()))
                try:
                    answered = bool(third.recv(20))
                except TimeoutError:
                    continue
            assert max(seen) == 2
            assert len(cinema.files_open()) == 2
    until(lambda: not cinema.files_open())


def test_whoever_waits_and_leaves_takes_no_place(cinema: Any) -> None:
    with player(cinema, "long.avi") as first, player(cinema, "long.avi", 5) as second:
        first.recv(20)
        second.recv(20)
        for _ in range(5):
            with player(cinema, "long.avi", 9):
                pass
    until(lambda: not cinema.files_open())
    assert cinema.get(cinema.of("live", "silent.mp4", "start=1")).status == 200


def test_the_server_ends_though_a_film_plays(show: Any, start: Any, cinema: Any) -> None:
    with show(cinema.settings, cinema.folder, start) as other, player(other, "long.avi") as unread:
        unread.recv(20)
        begun = time.monotonic()
        other.process.terminate()
        _, said = other.process.communicate(timeout=30)
        assert time.monotonic() - begun < 10
        assert other.process.returncode == 0
        assert said == f"the page is at http://127.0.0.1:{other.port}; Ctrl-C ends it\n"


def test_what_was_played_is_kept_and_played_again_from_there(cinema: Any) -> None:
    """As far as it was played: the browser asks for the rest."""
    folder = cinema.settings.home / "cache" / "played"
    before = set(folder.iterdir())
    with player(cinema, "long.avi", 20.5) as connection:
        while len(connection.recv(1 << 16, socket.MSG_PEEK)) < 4000:
            time.sleep(0.05)
        taken = 0
        while taken < 6 << 20:  # some seconds
            taken += len(connection.recv(1 << 16))
    until(lambda: len(set(folder.glob("[0-9a-f]" * 64)) - before) == 1)
    (kept,) = set(folder.glob("[0-9a-f]" * 64)) - before
    again = cinema.get(cinema.of("live", "long.avi", "start=20.5"))
    assert again.body == kept.read_bytes()
    times = [time for time, _ in pictures(again.body)]
    assert times[0] == 0
    assert 2 < times[-1] < 35  # of 39.5 seconds
    kept.write_bytes(b"from the file")
    assert cinema.get(cinema.of("live", "long.avi", "start=20.5")).body == b"from the file"
    kept.unlink()
