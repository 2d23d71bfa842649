"""Provenance: what made the vectors of a catalog, and the refusal to mix them with others."""

from dataclasses import dataclass

from catalog.address import Address
from catalog.errors import ProvenanceMismatchError
from machine.names import command_line, quoted


@dataclass(frozen=True, slots=True)
class Provenance:
    """What made the vectors of a catalog.

    Vectors may be compared only when all fields agree but the names of the model: the same model
    under another name (a local copy of a published checkpoint) makes the same vectors.

    Attributes:
        model: the name of the model.
        revision: its commit on the Hub, if it came from there.
        model_digest: hexadecimal sha256 over everything of the model that changes vectors.
        dim: D, the length of a vector.
        frames_per_clip: T, the frames that are sampled from a clip.
        window: seconds that a clip lasts.
        stride: seconds from the start of a clip to the start of the next.
    """

    model: str
    revision: str | None
    model_digest: str
    dim: int
    frames_per_clip: int
    window: float
    stride: float

    def agrees_with(self, other: "Provenance") -> bool:
        """Whether vectors made under both may be in one catalog."""
        return self._essence() == other._essence()

    def _essence(self) -> tuple[str, int, int, float, float]:
        return (
            self.model_digest,
            self.dim,
            self.frames_per_clip,
            self.window,
            self.stride,
        )

    def __str__(self) -> str:
        """All of it in words, for messages."""
        revision = "" if self.revision is None else f"@{self.revision}"
        return (
            f"{self.model}{revision} (digest {self.model_digest[:12]},"
            f" {self.frames_per_clip} frames a clip, {self.dim} numbers a vector,"
            f" {self.window:g} s every {self.stride:g} s)"
        )


def mismatch(address: Address, *, made_by: Provenance, asked: object) -> ProvenanceMismatchError:
    """The error for vectors that cannot be compared with those of the catalog at `address`.

    Args:
        address: where the catalog is.
        made_by: the provenance of the catalog.
        asked: the other provenance, or, where only its model is known, the name of the model.
    """
    mends = f"--model {quoted(made_by.model)}"
    if isinstance(asked, Provenance):
        mends += f" --window {made_by.window:g} --stride {made_by.stride:g}"
    empty = command_line("vsearch", "forget", "--all", "--catalog", str(address))
    return ProvenanceMismatchError(
        f"the catalog in {address} was made with {made_by}, but this command asks for {asked};"
        f" give `{mends}`, or begin anew: `{empty}` empties the catalog, and leaves the videos as"
        " they are"
    )
