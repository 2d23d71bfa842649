"""Which packets have to be decoded to have the frames of wanted moments: arithmetic only.

A film is a row of groups: an entry, from which on decoding may begin, and what is stored behind it.
Within a group a frame takes all referenced frames that are stored before it, and frames that are
stored behind an entry but shown before it take the group before as well.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from media.container.clock import Clock
from media.packets.packet_table import PacketTable
from media.packets.references import PacketFlag

TIME_TOLERANCE = 1e-6  # seconds; wanted times are floats, frame times are fractions
SKIP, DECODE, FLUSH_AND_DECODE = 0, 1, 2
_CHOICES = 16  # groups at most among which the cheapest frame of one moment is looked for
_NEVER = math.inf


@dataclass(frozen=True, slots=True, eq=False)
class FramePlan:
    """What to do with each packet of `table`, and what comes of it.

    `actions` (N,) uint8, for the packets in the order in which they are stored: SKIP, DECODE, or
    FLUSH_AND_DECODE (decode after the decoder has been flushed). `chosen` (M,) int64: for each
    sample time the packet of the frame that is taken; their presentation times ascend.
    """

    table: PacketTable
    actions: NDArray[np.uint8]
    chosen: NDArray[np.int64]


def plan_frames(
    table: PacketTable,
    times: Sequence[float],
    *,
    among: Sequence[float],
    clock: Clock,
    first_pts: int,
    tolerance: float,
) -> FramePlan | None:
    """The cheapest way to a frame for each of the ascending `times`; None where none is known.

    `times` are seconds on `clock`; `first_pts` is the stamp of the first frame. A frame suits a
    moment if it is on display then, or begins at most `tolerance` seconds from it; with an infinite
    tolerance the nearest entry is taken. Of several suitable ones it is one that costs least to
    decode, and of those that cost nothing more the nearest. What is cheapest is found for all
    moments `among` which `times` are, so that a part of them gets the same frames as all.
    """
    to_keys = math.isinf(tolerance)
    if not (table.references or to_keys):
        return None
    groups = _Gops.of(table)
    if groups is None:
        return None
    shown = _Shown.of(groups, keys_only=to_keys, clock=clock, first_pts=first_pts)
    if shown is None:
        return None
    wanted = np.asarray(among, np.float64)
    if to_keys:
        places = shown.nearest(wanted)
    elif tolerance > 0:
        windows = shown.windows(wanted, tolerance)
        rough = _cheapest(groups, shown, windows)
        actions = groups.actions(shown.packets(rough))
        places = shown.nearest_decoded(wanted, actions, rough, windows)
    else:
        places = shown.displayed(wanted)
    chosen = shown.packets(places[np.searchsorted(wanted, times)])
    return FramePlan(table, groups.actions(chosen), chosen)


@dataclass(frozen=True, slots=True, eq=False)
class _Gops:
    """The packets as groups, each from the packet `entries[g]` to before `entries[g + 1]`."""

    table: PacketTable
    entries: NDArray[np.int64]
    unreferenced: NDArray[np.bool_]

    @classmethod
    def of(cls, table: PacketTable) -> "_Gops | None":
        """None where there is no entry, or the groups are entangled with more than the one before.

        That is no codec's way: the stamps, or the marks, are wrong.
        """
        entries = np.flatnonzero(
            table.has(PacketFlag.RANDOM_ACCESS if table.references else PacketFlag.KEY)
        )
        if not len(entries):
            return None
        entry_pts = table.pts[entries]
        earliest = np.minimum.reduceat(table.pts, entries)
        if (np.diff(entry_pts) <= 0).any() or (earliest[1:] <= entry_pts[:-1]).any():
            return None
        if (table.pts[: entries[0]] >= entry_pts[0]).any():
            return None
        return cls(table, entries, table.has(PacketFlag.DISPOSABLE))

    def group_of(self, packets: NDArray[np.int64]) -> NDArray[np.int64]:
        """The group of each packet."""
        return np.searchsorted(self.entries, packets, side="right") - 1

    def leads(self, packets: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether a packet is shown before the entry that is stored before it."""
        first = self.entries[self.group_of(packets)]
        leads: NDArray[np.bool_] = self.table.pts[packets] < self.table.pts[first]
        return leads

    def actions(self, chosen: NDArray[np.int64]) -> NDArray[np.uint8]:
        """What to do with each packet, so that the frames of the chosen ones come out."""
        until = self._until(chosen)
        actions = np.full(len(self.table), SKIP, np.uint8)
        complete = False  # whether everything up to here was fed that later frames may refer to
        for group in np.flatnonzero(until >= 0):
            entry, last = int(self.entries[group]), int(until[group])
            actions[entry : last + 1] = ~self.unreferenced[entry : last + 1]
            complete = complete and bool(until[group - 1] >= 0)
            actions[entry] = DECODE if complete else FLUSH_AND_DECODE
            rest = slice(last + 1, self._end(int(group)))
            complete = bool(self.unreferenced[rest].all())
        rest_of = chosen[actions[chosen] == SKIP]
        actions[rest_of] = DECODE
        return actions

    def _end(self, group: int) -> int:
        return int(self.entries[group + 1]) if group + 1 < len(self.entries) else len(self.table)

    def _until(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """The last packet of each group that is needed, -1 where none is."""
        until = np.full(len(self.entries), -1, np.int64)
        group = self.group_of(chosen)
        np.maximum.at(until, group, chosen)
        before = np.unique(group[self.leads(chosen)]) - 1
        until[before] = self.entries[before + 1] - 1
        return until


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """The frames that are shown, in the order in which they are: packets and seconds."""

    groups: _Gops
    order: NDArray[np.int32]
    times: NDArray[np.float64]

    @classmethod
    def of(cls, groups: _Gops, *, keys_only: bool, clock: Clock, first_pts: int) -> "_Shown | None":
        """None where frames share a stamp, or the first one is not where the film begins."""
        table, hidden = groups.table, groups.table.has(PacketFlag.HIDDEN)
        if keys_only:
            order = groups.entries[~hidden[groups.entries]]
        else:
            visible = ~hidden
            visible[: groups.entries[0]] = False
            head = slice(0, groups._end(0))  # what leads there refers to what is not in the film
            visible[head] &= table.pts[head] >= table.pts[groups.entries[0]]
            order = np.flatnonzero(visible)
            order = order[np.argsort(table.pts[order], kind="stable")]
        stamps = table.pts[order]
        if not len(order) or (np.diff(stamps) <= 0).any():
            return None
        if not keys_only and stamps[0] != first_pts:
            return None
        # From the first frame on: stamps may be too large for floats to keep them apart.
        times = np.multiply(stamps - first_pts, float(table.unit), dtype=np.float64)
        times += clock.seconds(first_pts)
        return cls(groups, order.astype(np.int32), times)

    def packets(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where the frames of these places are stored."""
        return self.order[places].astype(np.int64)

    def displayed(self, wanted: NDArray[np.float64]) -> NDArray[np.int64]:
        """The place of the frame on display at each moment."""
        places = np.searchsorted(self.times, wanted + TIME_TOLERANCE, side="right") - 1
        return np.maximum(places, 0)

    def nearest(self, wanted: NDArray[np.float64]) -> NDArray[np.int64]:
        """The place of the frame whose beginning is nearest to each moment."""
        after = np.clip(np.searchsorted(self.times, wanted), 1, max(len(self.times) - 1, 1))
        after = np.minimum(after, len(self.times) - 1)
        before = np.maximum(after - 1, 0)
        is_before = wanted - self.times[before] <= self.times[after] - wanted
        return np.where(is_before, before, after)

    def windows(self, wanted: NDArray[np.float64], tolerance: float) -> NDArray[np.int64]:
        """(M, 2) the first and the last place that suit each moment."""
        on_display = self.displayed(wanted)
        first = np.searchsorted(self.times, wanted - tolerance, side="left")
        last = np.searchsorted(self.times, wanted + tolerance, side="right") - 1
        return np.stack([np.minimum(first, on_display), np.maximum(last, on_display)], axis=1)

    def nearest_decoded(
        self,
        wanted: NDArray[np.float64],
        actions: NDArray[np.uint8],
        rough: NDArray[np.int64],
        windows: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """For each moment the nearest place among those decoded anyway, else the `rough` one."""
        packets = self.order.astype(np.int64)
        decoded = actions[packets] != SKIP
        group = self.groups.group_of(packets)
        afresh = actions[self.groups.entries[group]] == FLUSH_AND_DECODE
        decoded &= ~(afresh & self.groups.leads(packets))
        places = np.flatnonzero(decoded)
        pool = _Shown(self.groups, self.order[places], self.times[places])
        nearest = places[pool.nearest(wanted)]
        suits = (windows[:, 0] <= nearest) & (nearest <= windows[:, 1])
        return np.where(suits, nearest, rough)


@dataclass(frozen=True, slots=True)
class _Choice:
    """A way to have one moment's frame: its place, and what getting there has cost.

    `reached` is the work up to this frame had the film been decoded from its start.
    """

    place: int
    reached: float
    spent: float
    before: "_Choice | None"


def _cheapest(groups: _Gops, shown: _Shown, windows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The place of a frame in each window, so that all of them together cost least to decode.

    The shortest path through the windows. Of each group within a window one frame has to be looked
    at: that which is reached first, as whatever comes later takes it as well.
    """
    work = _Work.of(groups)
    choices: list[_Choice] = []
    for first, last in windows.tolist():
        options = work.options(shown, first, last)
        choices = [_best(option, choices) for option in options]
    best = min(choices, key=lambda choice: choice.spent)
    places: list[int] = []
    step: _Choice | None = best
    while step is not None:
        places.append(step.place)
        step = step.before
    return np.array(places[::-1], np.int64)


@dataclass(frozen=True, slots=True)
class _Option:
    """A frame that suits a moment: what work has to be done between `start` and `reached`."""

    place: int
    start: float
    reached: float
    own: float  # of a frame that nothing refers to: what it costs by itself


def _best(option: _Option, before: list[_Choice]) -> _Choice:
    """The cheapest way to an option from those to the moment before."""
    if not before:
        spent = option.reached - option.start + option.own
        return _Choice(option.place, option.reached, spent, None)
    spent, previous = min(
        ((_spent(option, choice), choice) for choice in before), key=lambda way: way[0]
    )
    return _Choice(option.place, option.reached, spent, previous)


def _spent(option: _Option, before: _Choice) -> float:
    if option.place < before.place:
        return _NEVER
    if option.place == before.place:
        return before.spent
    return before.spent + max(option.reached - max(option.start, before.reached), 0) + option.own


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """What it takes to decode each packet, and all that are referred to up to it.

    Half of the time goes with the number of pictures, half with their bytes: an estimate that only
    weighs choices against each other.
    """

    groups: _Gops
    each: NDArray[np.float32]  # (N,) of a packet by itself
    total: NDArray[np.float64]  # (N + 1,) of all before a packet that are referred to

    @classmethod
    def of(cls, groups: _Gops) -> "_Work":
        sizes = groups.table.sizes
        each = (sizes / max(float(sizes.mean()), 1.0) + 1).astype(np.float32)
        total = np.zeros(len(each) + 1)
        np.cumsum(np.where(groups.unreferenced, 0, each), dtype=np.float64, out=total[1:])
        return cls(groups, each, total)

    def options(self, shown: "_Shown", first: int, last: int) -> list[_Option]:
        """Of the places from `first` to `last` the one of each group that is reached first."""
        packets = shown.order[first : last + 1].astype(np.int64)
        leads = self.groups.leads(packets)
        # Frames that lead a group are shown, and can be had, between those of two groups.
        begins = self.groups.entries[self.groups.group_of(packets) - leads]
        reached = self.total[packets + 1]
        own = np.where(self.groups.unreferenced[packets], self.each[packets], 0)
        kinds = 2 * begins + leads
        options = []
        for kind in np.unique(kinds)[:_CHOICES]:
            members = np.flatnonzero(kinds == kind)
            best = int(members[np.argmin(reached[members] + own[members])])
            options.append(
                _Option(
                    place=first + best,
                    start=float(self.total[begins[best]]),
                    reached=float(reached[best]),
                    own=float(own[best]),
                )
            )
        return options
