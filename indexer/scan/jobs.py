"""What scanning hands on: a file to be read, and what reading it told of its content."""

from dataclasses import dataclass, field

from catalog import ClipSpan
from indexer.scan.fingerprint import Sample
from indexer.scan.walk import FoundFile


@dataclass(frozen=True, slots=True)
class VideoJob:
    """A file to be decoded, or only `measured`, and its sample when its turn came.

    `ready` are clips that an earlier run has embedded already; they count as long as the file has
    the fingerprint `ready_of`, and lasts `ready_duration` seconds, to the digit.
    """

    file: FoundFile
    sample: Sample
    fingerprint_only: bool = False
    ready: frozenset[ClipSpan] = field(default=frozenset(), compare=False)
    ready_of: str = field(default="", compare=False)
    ready_duration: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds, told from all of it, and its sample and state before it was read."""

    fingerprint: str
    sample: Sample
