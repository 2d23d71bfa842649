"""Subtitle files belong to the video with their name, less a language and a kind."""

import pytest

from indexer.details.names import video_of


@pytest.mark.parametrize(
    ("stem", "expected"),
    [
        ("film", ("film", None)),
        ("film.en", ("film", "en")),
        ("film.pt-BR.forced", ("film", "pt-BR")),
        ("film.forced.eng", ("film", "eng")),
        ("film.sdh", ("film", None)),
        ("film.English", ("film", "English")),
        ("film.zh-Hans", ("film", "zh-Hans")),
        ("film.part.2", ("film.part.2", None)),
        ("film.de", ("film.de", None)),  # a video of its own
        ("film.de.en", ("film.de", "en")),
        ("film.2020.en", None),
        ("film 2.en", None),
        ("other.en", None),
        ("film.a.b.c.d.e.f", None),
        (".en", None),
        ("", None),
    ],
)
def test_the_video_and_the_language_of_a_name(stem, expected):
    assert video_of(stem, {"film", "film.part.2", "film.de"}) == expected
