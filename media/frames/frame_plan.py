"""Plan of the packets to decode for the frames at given sample times: arithmetic only.

A video is a sequence of groups of pictures (GOPs): a random access point, at which decoding can
start, and the packets that are stored behind it. Within a GOP a frame needs all referenced frames
that are stored before it. Leading frames, stored behind the random access point but displayed
before it (open GOP), need the previous GOP as well.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from media.container.clock import Clock
from media.packets.packet_table import PacketTable
from media.packets.references import PacketFlag

TIME_TOLERANCE = 1e-6  # seconds; sample times are floats, frame times are fractions
SKIP, DECODE, FLUSH_AND_DECODE = 0, 1, 2
_CHOICES = 16  # GOPs at most in which the cheapest frame of one sample time is searched
_NEVER = math.inf


@dataclass(frozen=True, slots=True, eq=False)
class FramePlan:
    """Actions for the packets of `table`, and the frames that they yield.

    `actions` (packets,) uint8: SKIP, DECODE, or FLUSH_AND_DECODE (after a reset of the decoder).
    `chosen` (times,) int64: for each sample time the packet of the frame that is taken; their
    presentation times ascend. Raises `ValueError` for arrays of other shapes or types.
    """

    table: PacketTable
    actions: NDArray[np.uint8]
    chosen: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.actions.shape != (len(self.table),) or self.actions.dtype != np.uint8:
            raise ValueError(f"actions are {self.actions.dtype} {self.actions.shape}")
        if self.chosen.ndim != 1 or self.chosen.dtype != np.int64:
            raise ValueError(f"chosen packets are {self.chosen.dtype} {self.chosen.shape}")


def plan_frames(
    table: PacketTable,
    times: Sequence[float],
    *,
    among: Sequence[float],
    clock: Clock,
    first_pts: int,
    tolerance: float,
) -> FramePlan | None:
    """Plan the cheapest decoding of a frame for each of the ascending `times`.

    `times` are seconds on `clock`; `first_pts` is the timestamp of the first frame. A frame is
    accepted for a sample time if it is on display then, or begins at most `tolerance` seconds from
    it; with an infinite tolerance the nearest random access point is taken. Of several accepted
    frames one that costs least to decode is taken, and of those that cost nothing more the nearest.
    `among`: all sample times of the video; the choice is made over all of them, so that a part of
    them gets the same frames as all. None if the table does not allow a plan.
    """
    to_keys = math.isinf(tolerance)
    if not (table.references or to_keys):
        return None
    gops = _Gops.of(table)
    if gops is None:
        return None
    shown = _Shown.of(gops, keys_only=to_keys, clock=clock, first_pts=first_pts)
    if shown is None:
        return None
    sample_times = np.asarray(among, np.float64)
    if to_keys:
        positions = shown.nearest(sample_times)
    elif tolerance > 0:
        windows = shown.windows(sample_times, tolerance)
        rough = _cheapest(gops, shown, windows)
        actions = gops.actions(shown.packets(rough))
        positions = shown.nearest_decoded(sample_times, actions, rough, windows)
    else:
        positions = shown.displayed(sample_times)
    chosen = shown.packets(positions[np.searchsorted(sample_times, times)])
    return FramePlan(table, gops.actions(chosen), chosen)


@dataclass(frozen=True, slots=True, eq=False)
class _Gops:
    """The GOPs of a packet table: GOP g from packet `entries[g]` to before `entries[g + 1]`.

    `entries` (gops,) int64: the random access points. `disposable` (packets,) bool.
    """

    table: PacketTable
    entries: NDArray[np.int64]
    disposable: NDArray[np.bool_]

    @classmethod
    def of(cls, table: PacketTable) -> "_Gops | None":
        """Split a table; None without random access points, or if GOPs overlap by more than one.

        No codec does that: the timestamps, or the flags, are wrong.
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

    def gop_of(self, packets: NDArray[np.int64]) -> NDArray[np.int64]:
        """(count,) int64: the GOP of each packet."""
        return np.searchsorted(self.entries, packets, side="right") - 1

    def leads(self, packets: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(count,) bool: whether a packet is displayed before its GOP's random access point."""
        first = self.entries[self.gop_of(packets)]
        leads: NDArray[np.bool_] = self.table.pts[packets] < self.table.pts[first]
        return leads

    def actions(self, chosen: NDArray[np.int64]) -> NDArray[np.uint8]:
        """(packets,) uint8: the actions that yield the frames of the chosen packets."""
        until = self._until(chosen)
        actions = np.full(len(self.table), SKIP, np.uint8)
        complete = False  # whether all frames up to here are decoded that later ones may refer to
        for gop in np.flatnonzero(until >= 0):
            entry, last = int(self.entries[gop]), int(until[gop])
            actions[entry : last + 1] = ~self.disposable[entry : last + 1]
            complete = complete and bool(until[gop - 1] >= 0)
            actions[entry] = DECODE if complete else FLUSH_AND_DECODE
            rest = slice(last + 1, self._end(int(gop)))
            complete = bool(self.disposable[rest].all())
        rest_of = chosen[actions[chosen] == SKIP]
        actions[rest_of] = DECODE
        return actions

    def _end(self, gop: int) -> int:
        return int(self.entries[gop + 1]) if gop + 1 < len(self.entries) else len(self.table)

    def _until(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """(gops,) int64: the last packet of each GOP that is needed, -1 for none."""
        until = np.full(len(self.entries), -1, np.int64)
        gop = self.gop_of(chosen)
        np.maximum.at(until, gop, chosen)
        before = np.unique(gop[self.leads(chosen)]) - 1
        until[before] = self.entries[before + 1] - 1
        return until


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """The displayed frames in display order.

    `order` (frames,) int32: their packets. `times` (frames,) float64: seconds. A position is an
    index into both.
    """

    gops: _Gops
    order: NDArray[np.int32]
    times: NDArray[np.float64]

    @classmethod
    def of(cls, gops: _Gops, *, keys_only: bool, clock: Clock, first_pts: int) -> "_Shown | None":
        """Sort the frames; None if two share a timestamp, or the first is not at `first_pts`."""
        table, hidden = gops.table, gops.table.has(PacketFlag.HIDDEN)
        if keys_only:
            order = gops.entries[~hidden[gops.entries]]
        else:
            visible = ~hidden
            visible[: gops.entries[0]] = False
            head = slice(0, gops._end(0))  # its leading frames refer to frames outside of the file
            visible[head] &= table.pts[head] >= table.pts[gops.entries[0]]
            order = np.flatnonzero(visible)
            order = order[np.argsort(table.pts[order], kind="stable")]
        timestamps = table.pts[order]
        if not len(order) or (np.diff(timestamps) <= 0).any():
            return None
        if not keys_only and timestamps[0] != first_pts:
            return None
        # Relative to the first frame: timestamps may be too large for floats.
        times = np.multiply(timestamps - first_pts, float(table.unit), dtype=np.float64)
        times += clock.seconds(first_pts)
        return cls(gops, order.astype(np.int32), times)

    def packets(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """(count,) int64: the packets at these positions."""
        return self.order[positions].astype(np.int64)

    def displayed(self, sample_times: NDArray[np.float64]) -> NDArray[np.int64]:
        """(times,) int64: position of the frame on display at each sample time."""
        positions = np.searchsorted(self.times, sample_times + TIME_TOLERANCE, side="right") - 1
        return np.maximum(positions, 0)

    def nearest(self, sample_times: NDArray[np.float64]) -> NDArray[np.int64]:
        """(times,) int64: position of the frame whose start is nearest to each sample time."""
        after = np.clip(np.searchsorted(self.times, sample_times), 1, max(len(self.times) - 1, 1))
        after = np.minimum(after, len(self.times) - 1)
        before = np.maximum(after - 1, 0)
        is_before = sample_times - self.times[before] <= self.times[after] - sample_times
        return np.where(is_before, before, after)

    def windows(self, sample_times: NDArray[np.float64], tolerance: float) -> NDArray[np.int64]:
        """(times, 2) int64: the first and the last position accepted for each sample time."""
        on_display = self.displayed(sample_times)
        first = np.searchsorted(self.times, sample_times - tolerance, side="left")
        last = np.searchsorted(self.times, sample_times + tolerance, side="right") - 1
        return np.stack([np.minimum(first, on_display), np.maximum(last, on_display)], axis=1)

    def nearest_decoded(
        self,
        sample_times: NDArray[np.float64],
        actions: NDArray[np.uint8],
        rough: NDArray[np.int64],
        windows: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """(times,) int64: the nearest accepted frame decoded anyway, else the `rough` one."""
        packets = self.order.astype(np.int64)
        decoded = actions[packets] != SKIP
        gop = self.gops.gop_of(packets)
        afresh = actions[self.gops.entries[gop]] == FLUSH_AND_DECODE
        decoded &= ~(afresh & self.gops.leads(packets))
        positions = np.flatnonzero(decoded)
        pool = _Shown(self.gops, self.order[positions], self.times[positions])
        nearest = positions[pool.nearest(sample_times)]
        suits = (windows[:, 0] <= nearest) & (nearest <= windows[:, 1])
        return np.where(suits, nearest, rough)


@dataclass(frozen=True, slots=True)
class _Choice:
    """A path of frames up to one sample time: the last position, and the work spent so far.

    `reached` is the work up to this frame if the video were decoded from its start.
    """

    position: int
    reached: float
    spent: float
    before: "_Choice | None"


def _cheapest(gops: _Gops, shown: _Shown, windows: NDArray[np.int64]) -> NDArray[np.int64]:
    """(times,) int64: a position in each window, so that all together cost least to decode.

    The shortest path through the windows. Of each GOP in a window only the frame that is reached
    first is considered, because later frames need it as well.
    """
    work = _Work.of(gops)
    choices: list[_Choice] = []
    for first, last in windows.tolist():
        options = work.options(shown, first, last)
        choices = [_best(option, choices) for option in options]
    best = min(choices, key=lambda choice: choice.spent)
    positions: list[int] = []
    step: _Choice | None = best
    while step is not None:
        positions.append(step.position)
        step = step.before
    return np.array(positions[::-1], np.int64)


@dataclass(frozen=True, slots=True)
class _Option:
    """An accepted frame, and the work to do between `start` and `reached`."""

    position: int
    start: float
    reached: float
    own: float  # work of a disposable frame by itself


def _best(option: _Option, before: list[_Choice]) -> _Choice:
    """The cheapest path to an option from the paths to the sample time before."""
    if not before:
        spent = option.reached - option.start + option.own
        return _Choice(option.position, option.reached, spent, None)
    spent, previous = min(
        ((_spent(option, choice), choice) for choice in before), key=lambda way: way[0]
    )
    return _Choice(option.position, option.reached, spent, previous)


def _spent(option: _Option, before: _Choice) -> float:
    if option.position < before.position:
        return _NEVER
    if option.position == before.position:
        return before.spent
    return before.spent + max(option.reached - max(option.start, before.reached), 0) + option.own


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """Estimated work to decode each packet, and all referenced packets before it.

    Half of it for each frame, half by its bytes: good enough to compare choices.
    """

    gops: _Gops
    each: NDArray[np.float32]  # (packets,) of a packet by itself
    total: NDArray[np.float64]  # (packets + 1,) of all referenced packets before each

    @classmethod
    def of(cls, gops: _Gops) -> "_Work":
        sizes = gops.table.sizes
        each = (sizes / max(float(sizes.mean()), 1.0) + 1).astype(np.float32)
        total = np.zeros(len(each) + 1)
        np.cumsum(np.where(gops.disposable, 0, each), dtype=np.float64, out=total[1:])
        return cls(gops, each, total)

    def options(self, shown: "_Shown", first: int, last: int) -> list[_Option]:
        """For each GOP, of the positions from `first` to `last` the one that is reached first."""
        packets = shown.order[first : last + 1].astype(np.int64)
        leads = self.gops.leads(packets)
        # Leading frames are displayed between two GOPs and need both.
        begins = self.gops.entries[self.gops.gop_of(packets) - leads]
        reached = self.total[packets + 1]
        own = np.where(self.gops.disposable[packets], self.each[packets], 0)
        kinds = 2 * begins + leads
        options = []
        for kind in np.unique(kinds)[:_CHOICES]:
            members = np.flatnonzero(kinds == kind)
            best = int(members[np.argmin(reached[members] + own[members])])
            options.append(
                _Option(
                    position=first + best,
                    start=float(self.total[begins[best]]),
                    reached=float(reached[best]),
                    own=float(own[best]),
                )
            )
        return options
