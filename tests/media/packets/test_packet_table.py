"""Packet tables and frame plans check their arrays where they are made."""

from fractions import Fraction

import numpy as np
import pytest

from media.frames.frame_plan import FramePlan
from media.packets.packet_table import PacketTable

PTS = np.arange(3, dtype=np.int64)
FLAGS = np.zeros(3, np.uint8)
SIZES = np.ones(3, np.uint32)


def _table(pts=PTS, flags=FLAGS, sizes=SIZES) -> PacketTable:
    return PacketTable(pts=pts, flags=flags, sizes=sizes, unit=Fraction(1, 25), references=True)


@pytest.mark.parametrize(
    "columns",
    [
        {"pts": PTS.astype(np.float64)},
        {"flags": FLAGS[:2]},
        {"sizes": SIZES.astype(np.int64)},
        {"pts": PTS[:, np.newaxis]},
    ],
)
def test_columns_of_other_types_or_lengths_are_refused(columns):
    assert len(_table()) == 3
    with pytest.raises(ValueError, match="packet table"):
        _table(**columns)


@pytest.mark.parametrize(
    ("actions", "chosen"),
    [
        (np.zeros(2, np.uint8), np.zeros(1, np.int64)),
        (np.zeros(3, np.int64), np.zeros(1, np.int64)),
        (np.zeros(3, np.uint8), np.zeros(1, np.float64)),
        (np.zeros(3, np.uint8), np.zeros((1, 1), np.int64)),
    ],
)
def test_a_plan_of_other_types_or_lengths_is_refused(actions, chosen):
    with pytest.raises(ValueError, match=r"actions are|chosen packets are"):
        FramePlan(_table(), actions, chosen)
