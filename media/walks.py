"""Which walk through its bytes tells what of a file is garbled or scrambled, by its container."""

from collections.abc import Iterator
from contextlib import contextmanager

from media.findings import Finding, Findings
from media.source import Source
from media.transport import walk_program, walk_transport


@contextmanager
def findings_of(source: Source) -> Iterator[Findings]:
    """What a walk through the file of `source` finds; nothing, where none is made."""
    with source.path.open("rb") as file:
        walk: Iterator[Finding] = iter(())
        match source.container_name:
            case "mpegts":
                walk = walk_transport(file, source.stream.id)
            case "mpeg":
                walk = walk_program(file)
        yield Findings(walk)
