"""Reader threads: bounded, prompt to stop, and never silent about a crash."""

import threading
import time
from pathlib import Path

import pytest

from indexer.fingerprint import Fingerprint
from indexer.readers import FilmReaders
from indexer.reading import ClipRead, FilmJob, FilmRead
from indexer.walk import FoundFile


def job(number: int) -> FilmJob:
    file = FoundFile(root=Path("/"), pathname=f"/{number}.mp4", size=1, mtime_ns=1)
    return FilmJob(file, Fingerprint(digest=str(number), size=1, mtime_ns=1))


def endless(of: FilmJob, *, produced: list[FilmJob], closed: list[FilmJob]):
    try:
        while True:
            produced.append(of)
            yield ClipRead(of, 0, ())
    finally:
        closed.append(of)


def until(condition) -> bool:
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_readers_pause_when_nobody_takes_what_they_read():
    produced, closed = [], []
    with FilmReaders(
        lambda of: endless(of, produced=produced, closed=closed), workers=2, capacity=3
    ) as readers:
        readers.submit(job(1))
        readers.submit(job(2))
        assert until(lambda: len(produced) >= 5)
        time.sleep(0.05)
        assert len(produced) == 5  # three in the queue, one in each hand
        readers.receive(timeout=5)
        assert until(lambda: len(produced) == 6)


def test_leaving_ends_threads_that_wait_and_closes_their_films():
    produced, closed = [], []
    began = time.monotonic()
    with FilmReaders(
        lambda of: endless(of, produced=produced, closed=closed), workers=3, capacity=1
    ) as readers:
        for number in range(10):
            readers.submit(job(number))
        assert until(lambda: len(produced) >= 4)
    assert time.monotonic() - began < 3
    assert not [t for t in threading.enumerate() if t.name.startswith("film-reader")]
    assert len(closed) == 3


def test_unfinished_counts_films_until_their_end_is_received():
    def read(of):
        yield ClipRead(of, 0, ())
        yield FilmRead(of)

    with FilmReaders(read, workers=1, capacity=4) as readers:
        readers.submit(job(1))
        readers.submit(job(2))
        counts = [readers.unfinished]
        for _ in range(4):
            readers.receive(timeout=5)
            counts.append(readers.unfinished)
    assert counts == [2, 2, 1, 1, 0]


def test_what_a_reader_dies_of_is_raised_to_the_receiver():
    def read(of):
        yield ClipRead(of, 0, ())
        raise ZeroDivisionError

    with FilmReaders(read, workers=1, capacity=4) as readers:
        readers.submit(job(1))
        assert isinstance(readers.receive(timeout=5), ClipRead)
        with pytest.raises(ZeroDivisionError):
            readers.receive(timeout=5)


def test_receiving_gives_up_after_the_time_it_was_given():
    began = time.monotonic()
    with FilmReaders(lambda _: iter(()), workers=1, capacity=4) as readers:
        assert readers.receive(timeout=0.05) is None
    assert time.monotonic() - began < 3
