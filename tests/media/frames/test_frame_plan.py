"""Frame plans of random packet tables: properties that always hold."""

import math
from bisect import bisect_right
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.container.clock import Clock
from media.frames.frame_plan import FLUSH_AND_DECODE, SKIP, FramePlan, plan_frames
from media.packets.packet_table import PacketTable
from media.packets.references import PacketFlag

UNIT = Fraction(1, 1000)
FIRST = 7000
CLOCK = Clock(Fraction(FIRST, 1000), UNIT)

_moments = st.lists(st.floats(-1.0, 40.0), min_size=1, max_size=30).map(sorted)
_tolerances = st.sampled_from([0.0, 0.02, 0.3, 2.0, 60.0])


@st.composite
def _tables(draw, *, references: bool = True) -> PacketTable:
    """Random GOPs: a random access point, leading frames (not in the first GOP), later frames."""
    pts: list[int] = []
    flags: list[int] = []
    now = FIRST
    for group in range(draw(st.integers(1, 6))):
        leading = draw(st.integers(0, 3)) if group else 0
        trailing = draw(st.integers(0, 9))
        steps = draw(
            st.lists(
                st.integers(1, 400),
                min_size=leading + trailing + 1,
                max_size=leading + trailing + 1,
            )
        )
        stamps = (now + np.cumsum(steps) - steps[0]).tolist()
        now = stamps[-1] + draw(st.integers(1, 400))
        behind = stamps[leading + 1 :]
        for start in range(0, len(behind), 4):  # stored out of order, as B-frames make it
            behind[start : start + 4] = draw(st.permutations(behind[start : start + 4]))
        pts += [stamps[leading], *stamps[:leading], *behind]
        kinds = st.sampled_from([0, int(PacketFlag.DISPOSABLE)])
        entry = int(PacketFlag.RANDOM_ACCESS | PacketFlag.KEY)
        flags += [entry, *(draw(kinds) for _ in range(leading + trailing))]
    sizes = draw(st.lists(st.integers(1, 90_000), min_size=len(pts), max_size=len(pts)))
    return PacketTable(
        pts=np.array(pts, np.int64),
        flags=np.array(flags, np.uint8),
        sizes=np.array(sizes, np.uint32),
        unit=UNIT,
        references=references,
    )


def _planned(table: PacketTable, times: list[float], tolerance: float) -> FramePlan:
    plan = plan_frames(table, times, among=times, clock=CLOCK, first_pts=FIRST, tolerance=tolerance)
    assert plan is not None
    return plan


def _decodable(plan: FramePlan) -> set[int]:
    """The packets whose frames a decoder that follows the plan can make from what they refer to."""
    table, whole = plan.table, set()
    group_intact = before_intact = False
    entry_pts = 0
    for number, action in enumerate(plan.actions.tolist()):
        flags = int(table.flags[number])
        if flags & PacketFlag.RANDOM_ACCESS:
            before_intact = group_intact and action != FLUSH_AND_DECODE
            group_intact, entry_pts = action != SKIP, int(table.pts[number])
        intact = group_intact and (table.pts[number] >= entry_pts or before_intact)
        if action != SKIP and intact:
            whole.add(number)
        if action == SKIP and not flags & PacketFlag.DISPOSABLE:
            group_intact = False
    return whole


def _seconds(table: PacketTable, packets) -> list[float]:
    return [(int(table.pts[packet]) - FIRST) / 1000 for packet in packets]


def _on_display(table: PacketTable, times: list[float]) -> list[float]:
    starts = sorted(_seconds(table, range(len(table))))
    return [starts[max(bisect_right(starts, time + 1e-6) - 1, 0)] for time in times]


@given(table=_tables(), times=_moments, tolerance=st.one_of(_tolerances, st.just(math.inf)))
def test_every_chosen_frame_can_be_decoded(table, times, tolerance):
    plan = _planned(table, times, tolerance)
    assert len(plan.chosen) == len(times)
    assert set(plan.chosen.tolist()) <= _decodable(plan)
    shown = _seconds(table, plan.chosen)
    assert shown == sorted(shown)


@given(table=_tables(), times=_moments)
def test_without_tolerance_the_frames_on_display_are_chosen(table, times):
    plan = _planned(table, times, 0.0)
    assert _seconds(table, plan.chosen) == _on_display(table, times)


@given(table=_tables(), times=_moments, tolerance=_tolerances)
def test_frames_are_on_display_or_within_the_tolerance(table, times, tolerance):
    plan = _planned(table, times, tolerance)
    taken = _seconds(table, plan.chosen)
    for time, found, exact in zip(times, taken, _on_display(table, times), strict=True):
        assert found == exact or abs(found - time) <= tolerance + 1e-9


@given(table=_tables(), times=_moments)
def test_with_an_infinite_tolerance_the_nearest_random_access_points_are_chosen(table, times):
    plan = _planned(table, times, math.inf)
    entries = np.flatnonzero(table.has(PacketFlag.RANDOM_ACCESS))
    starts = _seconds(table, entries)
    for time, found in zip(times, _seconds(table, plan.chosen), strict=True):
        assert abs(found - time) == min(abs(start - time) for start in starts)
    assert set(np.flatnonzero(plan.actions).tolist()) == set(plan.chosen.tolist())


@given(table=_tables(), time=st.floats(-1.0, 40.0), tolerance=_tolerances)
def test_no_suitable_frame_costs_less_than_the_chosen_one(table, time, tolerance):
    fed = np.count_nonzero(_planned(table, [time], tolerance).actions)
    even = PacketTable(table.pts, table.flags, np.ones_like(table.sizes), UNIT, True)
    fed = np.count_nonzero(_planned(even, [time], tolerance).actions)
    alone = [
        np.count_nonzero(_planned(even, [start], 0.0).actions)
        for start in _seconds(even, range(len(even)))
        if abs(start - time) <= tolerance
    ]
    exact = np.count_nonzero(_planned(even, [time], 0.0).actions)
    assert fed == min([*alone, exact])


def test_gops_without_a_chosen_frame_are_skipped():
    plan = _planned(_two_groups(), [0.0, 1.2], 0.0)
    assert plan.actions.tolist() == [2, 0, 0, 0, 2, 1, 1, 0]


def test_disposable_frames_are_skipped_on_the_way():
    plan = _planned(_two_groups(unreferenced=[2, 5]), [0.3, 1.3], 0.0)
    assert plan.actions.tolist() == [2, 1, 0, 1, 1, 0, 1, 1]


def test_leading_frames_of_a_gop_need_the_previous_gop():
    pts = [0, 100, 200, 600, 300, 400, 500]
    table = _table(pts, entries=[0, 3], unreferenced=[2, 5])
    plan = _planned(table, [0.4], 0.0)
    assert plan.actions.tolist() == [2, 1, 0, 1, 1, 1, 0]


def test_of_frames_at_no_further_cost_the_nearest_is_chosen():
    plan = _planned(_two_groups(), [0.12, 0.31], 0.15)
    assert _seconds(plan.table, plan.chosen) == [0.1, 0.2]


def test_one_key_frame_within_tolerance_of_two_sample_times_saves_the_rest():
    plan = _planned(_two_groups(), [0.95, 1.05], 0.1)
    assert _seconds(plan.table, plan.chosen) == [1.0, 1.0]
    assert np.count_nonzero(plan.actions) == 1


@pytest.mark.parametrize(
    "pts",
    [
        [0, 100, 200, 100, 1000, 1100, 1200, 1300],  # two frames at one moment
        [0, 100, 200, 300, 0, 1100, 1200, 1300],  # entries that do not ascend
        [200, 100, 250, 300, 1000, 150, 1200, 1300],  # before the entry before
        [50, 100, 200, 300, 1000, 1100, 1200, 1300],  # begins elsewhere than the video
    ],
)
def test_implausible_timestamps_give_no_plan(pts):
    table = _table(pts, entries=[0, 4], unreferenced=[])
    assert (
        plan_frames(table, [0.5], among=[0.5], clock=CLOCK, first_pts=FIRST, tolerance=0.0) is None
    )


def test_with_unknown_references_only_key_frames_are_planned():
    table = _table([0, 100, 200, 300], entries=[0, 2], unreferenced=[1], references=False)
    assert (
        plan_frames(table, [0.1], among=[0.1], clock=CLOCK, first_pts=FIRST, tolerance=0.5) is None
    )
    assert _planned(table, [0.19], math.inf).chosen.tolist() == [2]


def _two_groups(*, unreferenced: list[int] | None = None) -> PacketTable:
    """Key frames at 0 s and 1 s, three frames behind each at 0.1 s distance."""
    pts = [0, 100, 200, 300, 1000, 1100, 1200, 1300]
    return _table(pts, entries=[0, 4], unreferenced=[6] if unreferenced is None else unreferenced)


def _table(
    pts: list[int], *, entries: list[int], unreferenced: list[int], references: bool = True
) -> PacketTable:
    flags = np.zeros(len(pts), np.uint8)
    flags[entries] = PacketFlag.RANDOM_ACCESS | PacketFlag.KEY
    flags[unreferenced] |= np.uint8(PacketFlag.DISPOSABLE)
    return PacketTable(
        pts=np.array(pts, np.int64) + FIRST,
        flags=flags,
        sizes=np.full(len(pts), 100, np.uint32),
        unit=UNIT,
        references=references,
    )
