"""Timecode against OpenTimelineIO's, and the rate of a list."""

from fractions import Fraction

import opentimelineio as otio
import pytest

from timelines import LIST_RATES, Rate, rate_of_list


@pytest.mark.parametrize("rate", LIST_RATES.values(), ids=LIST_RATES)
def test_labels_are_those_that_everybody_counts(rate: Rate) -> None:
    day = rate.number(24, 0, 0, 0)
    tens = rate.number(0, 10, 0, 0)
    edges = (
        edge + beside
        for edge in (*range(0, 4 * tens, tens // 10), day // 2)
        for beside in (-1, 0, 1)
    )
    for frame in {frame for frame in edges if 0 <= frame < day}:
        time = otio.opentime.RationalTime(frame, float(rate.exact))
        assert rate.label(frame) == time.to_timecode(float(rate.exact), rate.drop)
        assert rate.number(*rate.parts(frame)) == frame
    assert rate.label(day + 5) == rate.label(5)


def test_drop_frames_keep_up_with_the_clock() -> None:
    assert LIST_RATES["29.97df"].hour == 107_892
    assert LIST_RATES["59.94df"].hour == 215_784
    assert LIST_RATES["29.97"].hour == 108_000


@pytest.mark.parametrize(
    ("sources", "name"),
    [
        ([], "25"),
        (["25", "24", "24"], "24"),
        (["25", "24"], "25"),
        (["29.97df", "29.97df", "29.97"], "29.97df"),
        ([15], "30"),
        ([10], "30"),
        ([12], "24"),
        (["12.5"], "25"),
        ([120], "24"),
        (["120000/1001"], "23.976"),
        (["179/6"], "29.97"),
        (["27.3"], "25"),
    ],
)
def test_a_list_has_the_rate_of_most_of_its_films(sources: list[str | int], name: str) -> None:
    rates = [LIST_RATES.get(str(one)) or Rate(Fraction(one)) for one in sources]
    assert rate_of_list(rates).name == name
