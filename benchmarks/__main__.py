"""All speed benchmarks in one table: `python -m benchmarks`, or `make bench`.

Each part runs in a separate process, so that none inherits memory, threads or caches of another.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.inputs.models import CACHE
from benchmarks.measure.machine import describe_machine
from benchmarks.measure.section import Section, as_markdown, read_section, write_section
from machine import prepare_process

PARTS = ("encode", "decode", "indexing", "vector_index", "query", "serving", "page")
_RESULTS = CACHE.parent / "bench.md"
_README = Path(__file__).with_name("README.md")
_END = "<!-- end -->"


def main() -> None:
    """Measure, print and store the table."""
    prepare_process()  # like the product
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; or all")
    parser.add_argument("--record", action="store_true", help="also write the table to README.md")
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(
            f"unknown part: {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}"
        )
    if arguments.into is not None:
        write_section(measure(arguments.parts[0]), path=arguments.into)
        return
    report = _report(arguments.parts or list(PARTS))
    _RESULTS.parent.mkdir(parents=True, exist_ok=True)
    _RESULTS.write_text(report, encoding="utf-8")
    if arguments.record:
        record(report, path=_README, of="make bench")
    print(f"written to {_RESULTS}", file=sys.stderr)


def measure(part: str) -> Section:
    """Run one part in this process."""
    section: Section = importlib.import_module(f"benchmarks.{part}").measure()
    return section


def record(report: str, *, path: Path, of: str) -> None:
    """Write the report of a command between its marks in the Markdown file at `path`.

    Raises:
        ValueError: the marks are missing.
    """
    mark = f"<!-- results of {of}: begin -->"
    before, begin, rest = path.read_text(encoding="utf-8").partition(mark)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError(f"{path} lacks the lines {mark} and {_END}")
    path.write_text(f"{before}{begin}\n{report}\n{end}{after}", encoding="utf-8")


def _report(parts: list[str]) -> str:
    texts = [describe_machine() + "\n"]
    print(texts[0], flush=True)
    for part in parts:
        begin = time.monotonic()
        text = as_markdown(_measured_apart(part))
        print(text, flush=True)
        print(f"{part} took {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
        texts.append(text)
    return "\n".join(texts)


def _measured_apart(part: str) -> Section:
    with tempfile.TemporaryDirectory() as scratch:
        result = Path(scratch) / "section.json"
        command = [sys.executable, "-m", "benchmarks", part, "--into", str(result)]
        subprocess.run(command, check=True)
        return read_section(result)


if __name__ == "__main__":
    main()
