"""Embedding speed while other processes keep cores busy.

OpenMP reads its wait policy when PyTorch is loaded, so each policy has a separate process, which
embeds a batch for each line on stdin.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.inputs.models import base_patch32
from benchmarks.measure.section import Row
from benchmarks.measure.timing import figure_of, side_by_side
from machine import usable_cores

CLIPS, TAKEN, ROUNDS = 2, 2, 5

_ENCODE = f"""
import sys
import numpy as np
import torch
from xclip_core.embedder import Embedder

torch.set_num_threads(int(sys.argv[2]))
embedder = Embedder.load(sys.argv[1], device="cpu", precision="fp32", offline=True)
clips = np.zeros(({CLIPS}, 8, 224, 224, 3), dtype=np.uint8)
for line in sys.stdin:
    embedder.embed_clips(clips)
    print(flush=True)
"""


def contention_row() -> Row:
    """Compare passive waiting on the free cores with PyTorch's default on all cores."""
    cores = usable_cores()
    left = max(cores - TAKEN, 1)
    with ExitStack() as running:
        usual = running.enter_context(_encoder(threads=cores, waiting={}))
        ours = running.enter_context(_encoder(threads=left, waiting={"OMP_WAIT_POLICY": "PASSIVE"}))
        for _ in range(TAKEN):
            running.enter_context(busy_core())
        taken = side_by_side({"usual": usual, "ours": ours}, rounds=ROUNDS)
    speed = {
        name: figure_of([CLIPS / second for second in timing.seconds], unit="clips/s")
        for name, timing in taken.items()
    }
    return Row(
        f"with {TAKEN} cores kept busy by others: {left} threads that wait passively",
        speed["ours"],
        note=f"{cores} threads that spin, as PyTorch does by itself: {speed['usual']}",
    )


@contextmanager
def _encoder(*, threads: int, waiting: dict[str, str]) -> Iterator[Callable[[], None]]:
    """Start a process; the function that is returned has it embed `CLIPS` clips."""
    environment = {name: value for name, value in os.environ.items() if name[:4] != "OMP_"}
    command = [sys.executable, "-c", _ENCODE, str(base_patch32()), str(threads)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**environment, **waiting},
        text=True,
    ) as process:
        to, back = process.stdin, process.stdout
        assert to is not None
        assert back is not None

        def encode() -> None:
            print(file=to, flush=True)
            if not back.readline():
                raise RuntimeError("the embedding process has ended")

        try:
            encode()  # the model is loaded when this returns
            yield encode
        finally:
            to.close()


@contextmanager
def busy_core() -> Iterator[None]:
    """Keep one core busy with a process."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()
