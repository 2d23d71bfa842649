"""What `forget`, `relocate` and `verify` did, for people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from machine.names import quoted, shown
from machine.presence import is_there
from vsearch.messages import log
from vsearch.show.output import console, count

if TYPE_CHECKING:
    from catalog import Verification
    from vsearch.services.maintenance import Forgetting, Relocation


def forgetting_json(forgetting: Forgetting) -> dict[str, Any]:
    """How much went, and the given paths of which nothing was known or that are still there."""
    return {
        "files": forgetting.forgotten.files,
        "videos": forgetting.forgotten.videos,
        "clips": forgetting.forgotten.clips,
        "unknown": [str(path) for path in forgetting.unknown],
        "present": [str(path) for path in forgetting.present],
    }


def print_forgetting(forgetting: Forgetting) -> None:
    """How much went."""
    went = forgetting.forgotten
    if went.files:
        console().print(
            f"Forgot {count(went.files, 'file')}: {count(went.videos, 'video')} with "
            f"{count(went.clips, 'clip')} went"
        )


def tell_of_forgetting(forgetting: Forgetting) -> None:
    """What is still on disk comes back with the next index run, unless that is told otherwise."""
    if forgetting.present:
        flags = " ".join(f"--exclude {quoted(path)}" for path in forgetting.present)
        log.info(
            "still on disk: the next `vsearch index` of a folder above takes it in again, unless "
            "it is given %s",
            flags,
        )


def unknown_paths(forgetting: Forgetting) -> str:
    """Why a part of the command could not be done; empty if all could."""
    if not forgetting.unknown:
        return ""
    named = ", ".join(shown(path) for path in forgetting.unknown)
    return f"nothing is known at or below {named}; `vsearch status` names the folders"


def relocation_json(relocation: Relocation) -> dict[str, Any]:
    """Where the files were, where they are now, and how many of them are there on disk."""
    return {
        "old": str(relocation.old),
        "new": str(relocation.new),
        "files": relocation.relocated.files,
        "found": relocation.relocated.found,
    }


def print_relocation(relocation: Relocation) -> None:
    """How many files have another place now, and how many of them are there."""
    moved = relocation.relocated
    console().print(
        f"{count(moved.files, 'file')} of {shown(relocation.old)} now looked for in "
        f"{shown(relocation.new)}: {moved.found:,} there"
    )


def tell_of_relocation(relocation: Relocation) -> None:
    """A catalog may be prepared for a disk that is not there yet: said, and not refused."""
    missing = relocation.relocated.files - relocation.relocated.found
    if not is_there(relocation.new):
        log.info("%s is not there; mount it, or relocate once more", relocation.new)
    elif missing:
        log.info(
            "%s not there; if the rest is elsewhere, relocate that, or index %s to drop it",
            f"{count(missing, 'file')} {'is' if missing == 1 else 'are'}",
            relocation.new,
        )


def verification_json(verification: Verification) -> dict[str, Any]:
    """What was checked, and each problem with how it was mended, else null."""
    return {
        "files": verification.files,
        "videos": verification.videos,
        "clips": verification.clips,
        "problems": [
            {"what": problem.what, "mended": problem.mended} for problem in verification.problems
        ],
    }


def print_verification(verification: Verification) -> None:
    """What was checked, and each problem with what was done about it."""
    page = console()
    for problem in verification.problems:
        page.print(shown(problem.what))
        if problem.mended is not None:
            page.print(f"  mended: {shown(problem.mended)}", style="green")
    checked = ", ".join(
        (
            count(verification.files, "file"),
            count(verification.videos, "video"),
            count(verification.clips, "clip"),
        )
    )
    wrong = count(len(verification.problems), "problem")
    mended = sum(problem.mended is not None for problem in verification.problems)
    verdict = f"{wrong} found" if verification.problems else "all is well"
    if mended:
        verdict += f", {mended:,} mended"
    page.print(f"Checked {checked}: {verdict}")
