"""What made the vectors: read from its row, written to it, compared in words."""

from dataclasses import fields
from pathlib import Path

from sqlalchemy.orm import Session

from catalog.database.tables import Meta
from catalog.errors import ProvenanceMismatchError
from catalog.records import Provenance
from catalog.store import partials
from catalog.store.clips import any_video
from machine.names import quoted


def stored_provenance(meta: Meta) -> Provenance | None:
    """What the catalog was bound to, if it was."""
    if (
        meta.model is None
        or meta.weights_digest is None
        or meta.dimension is None
        or meta.frames_per_clip is None
        or meta.window is None
        or meta.stride is None
    ):
        return None
    return Provenance(
        model=meta.model,
        revision=meta.revision,
        weights_digest=meta.weights_digest,
        dimension=meta.dimension,
        frames_per_clip=meta.frames_per_clip,
        window=meta.window,
        stride=meta.stride,
    )


def has_vectors(session: Session) -> bool:
    """Whether there is anything that new vectors must agree with: videos, or drafts of some."""
    return any_video(session) or partials.count(session) > 0


def store_provenance(meta: Meta, provenance: Provenance) -> None:
    """Write it into the catalog's row."""
    for each in fields(provenance):
        setattr(meta, each.name, getattr(provenance, each.name))


def drop_provenance(meta: Meta) -> None:
    """Take it out of the catalog's row again."""
    for each in fields(Provenance):
        setattr(meta, each.name, None)


def require_agreement(stored: Provenance, *, asked: Provenance, folder: Path) -> None:
    """Refuse to mix vectors that cannot be compared.

    Raises:
        ProvenanceMismatchError: names both sides and what mends it.
    """
    if stored.agrees_with(asked):
        return
    raise ProvenanceMismatchError(
        f"the catalog in {folder} was made with {_in_words(stored)}, but this run asks for"
        f" {_in_words(asked)}; give `--model {stored.model} --window {stored.window:g} --stride"
        f" {stored.stride:g}`, or begin anew: `vsearch forget --all --catalog"
        f" {quoted(folder)}` empties it, and leaves the films as they are"
    )


def _in_words(provenance: Provenance) -> str:
    revision = "" if provenance.revision is None else f"@{provenance.revision}"
    return (
        f"{provenance.model}{revision} (digest {provenance.weights_digest[:12]},"
        f" {provenance.frames_per_clip} frames a clip, {provenance.dimension} numbers a vector,"
        f" {provenance.window:g} s every {provenance.stride:g} s)"
    )
