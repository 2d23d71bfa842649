"""Results of `forget`, `relocate`, `copy` and `verify`, for people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from machine.names import quoted, shown
from machine.presence import is_there
from vsearch.messages import log
from vsearch.show.output import console, count

if TYPE_CHECKING:
    from catalog import Address, Verification
    from catalog.transfer import Copied
    from vsearch.services.library.maintenance import Forgotten, Relocation


def forgetting_json(forgotten: Forgotten) -> dict[str, Any]:
    """The counts, and the given paths that were unknown or that still exist, as JSON."""
    return {
        "files": forgotten.files,
        "videos": forgotten.videos,
        "clips": forgotten.clips,
        "unknown": [str(path) for path in forgotten.unknown],
        "present": [str(path) for path in forgotten.present],
    }


def print_forgetting(forgotten: Forgotten) -> None:
    """Print the counts."""
    if forgotten.files:
        console().print(
            f"Forgot {count(forgotten.files, 'file')}: {count(forgotten.videos, 'video')} with "
            f"{count(forgotten.clips, 'clip')} went"
        )


def tell_of_forgetting(forgotten: Forgotten) -> None:
    """Log which files the next index run will add again, and how to exclude them."""
    if forgotten.present:
        flags = " ".join(f"--exclude {quoted(path)}" for path in forgotten.present)
        log.info(
            "still on disk: the next `vsearch index` of a folder above adds it again, unless "
            "it is given %s",
            flags,
        )


def unknown_paths(forgotten: Forgotten) -> str:
    """The sentence about unknown paths; empty if there are none."""
    if not forgotten.unknown:
        return ""
    named = ", ".join(shown(path) for path in forgotten.unknown)
    return f"nothing is known at or below {named}; `vsearch status` names the folders"


def relocation_json(relocation: Relocation) -> dict[str, Any]:
    """The old and the new path, with counts of the files and of those on disk, as JSON."""
    return {
        "old": str(relocation.old),
        "new": str(relocation.new),
        "files": relocation.files,
        "found": relocation.found,
    }


def print_relocation(relocation: Relocation) -> None:
    """Print how many files have another path now, and how many of them exist there."""
    console().print(
        f"{count(relocation.files, 'file')} of {shown(relocation.old)} now belong to "
        f"{shown(relocation.new)}, and {relocation.found:,} of them exist there"
    )


def tell_of_relocation(relocation: Relocation) -> None:
    """Log files that are missing: a catalog may be prepared for a disk that is not mounted yet."""
    missing = relocation.files - relocation.found
    if not is_there(relocation.new):
        log.info("%s is not there; mount it, or relocate once more", relocation.new)
    elif missing:
        log.info(
            "%s not there; if the rest is elsewhere, relocate that, or index %s to drop it",
            f"{count(missing, 'file')} {'is' if missing == 1 else 'are'}",
            relocation.new,
        )


def copy_json(copied: Copied, found: Verification, *, old: Address, new: Address) -> dict[str, Any]:
    """Both addresses, the counts, and the problems of the copy, as JSON."""
    return {
        "from": str(old),
        "to": str(new),
        "rows": copied.rows,
        "resumed": copied.resumed,
        **verification_json(found),
    }


def print_copy(copied: Copied, *, old: Address, new: Address) -> None:
    """Print what was copied, and which command uses it."""
    earlier = f" ({copied.resumed:,} of its rows by an earlier run)" if copied.resumed else ""
    console().print(
        f"Copied {count(copied.videos, 'video')} with {count(copied.clips, 'clip')} from "
        f"{shown(str(old))} to {shown(str(new))}{earlier}"
    )


def verification_json(verification: Verification) -> dict[str, Any]:
    """The counts, and each problem with how it was repaired, else null, as JSON."""
    return {
        "files": verification.files,
        "videos": verification.videos,
        "clips": verification.clips,
        "problems": [
            {"what": problem.what, "mended": problem.repaired} for problem in verification.problems
        ],
    }


def print_verification(verification: Verification) -> None:
    """Print each problem with its repair, then the counts."""
    page = console()
    for problem in verification.problems:
        page.print(shown(problem.what))
        if problem.repaired is not None:
            page.print(f"  repaired: {shown(problem.repaired)}", style="green")
    checked = ", ".join(
        (
            count(verification.files, "file"),
            count(verification.videos, "video"),
            count(verification.clips, "clip"),
        )
    )
    wrong = count(len(verification.problems), "problem")
    repaired = sum(problem.repaired is not None for problem in verification.problems)
    verdict = f"{wrong} found" if verification.problems else "all is well"
    if repaired:
        verdict += f", {repaired:,} repaired"
    page.print(f"Checked {checked}: {verdict}")
