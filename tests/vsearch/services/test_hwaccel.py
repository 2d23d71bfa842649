"""What is to be decoded on, and what is said where there is no such thing."""

import logging
from collections.abc import Iterator

import pytest

from indexer import IndexSettings
from media import ACCELERATORS, first_usable, why_not
from vsearch.messages import log
from vsearch.services.library.indexing import IndexOptions, index_settings


class Heard(logging.Handler):
    """What was said."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append((record.levelno, record.getMessage()))


@pytest.fixture
def heard() -> Iterator[Heard]:
    handler, level = Heard(), log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    yield handler
    log.removeHandler(handler)
    log.setLevel(level)


def accelerator(named: str) -> str:
    return index_settings(
        IndexOptions(settings=IndexSettings(accelerator=named)), made_by=None
    ).accelerator


def test_without_a_wish_nothing_is_looked_for(heard: Heard) -> None:
    assert (accelerator("none"), heard.said) == ("none", [])


def test_the_first_that_works_is_taken_and_that_there_is_none_is_told_once(heard: Heard) -> None:
    found = first_usable()
    assert accelerator("auto") == (found or "none")
    said = [(logging.INFO, "videos are decoded by the processor:")]
    assert [(level, text[:36]) for level, text in heard.said] == ([] if found else said)


def test_one_that_was_named_and_does_not_work_is_warned_of(heard: Heard) -> None:
    missing = next(name for name in ACCELERATORS if why_not(name) is not None)
    assert accelerator(missing) == "none"
    ((level, text),) = heard.said
    assert level == logging.WARNING
    assert text.startswith(f"videos are decoded without {missing}: ")
