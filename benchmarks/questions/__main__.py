"""Kinds of questions on unseen toy videos: `python -m benchmarks.questions`."""

from __future__ import annotations

import time

from benchmarks.answers.asked import Models
from benchmarks.measure.machine import describe_machine
from benchmarks.questions import likeness, parts, said, sequences, tags
from machine import prepare_process


def main() -> None:
    """Measure, and print the tables as Markdown."""
    prepare_process()  # like the product
    begin = time.monotonic()
    models = Models.load()
    print(describe_machine(), flush=True)
    for table in parts.measure(models):
        print(f"\n{table}", flush=True)
    print(f"\n{tags.measure(models)}\n{tags.measure_speed()}", flush=True)
    print(f"\n{said.measure(models)}\n{said.measure_speed()}", flush=True)
    print(f"\n{likeness.measure(models)}", flush=True)
    print(f"\n{sequences.measure(models)}", flush=True)
    print(f"Measured in {(time.monotonic() - begin) / 60:.0f} minutes.")


if __name__ == "__main__":
    main()
