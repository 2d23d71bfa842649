"""Missing files, known and not found by a walk: deleted, or on a disk that is not mounted.

A disk that is not mounted looks like a library whose files were all deleted. Removing terabytes of
video from a catalog for that would be the worst answer: a file counts as gone only where its disk
is there.
"""

import stat
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from catalog import FileProblem, FileState
from indexer.report import LeftOut
from indexer.scan.walk import Walk

# The size of a file that could not be read: none is like that, so it is looked at every time.
UNREAD_SIZE = -1


@dataclass(frozen=True, slots=True)
class MissingFiles:
    """`gone` are files that are no more; `absent` are folders whose files were kept, and why.

    `recovered` are places of which only a failure was known, and that no longer fail.
    `left_out` is what this run did not look at, with the number of its videos: they were kept.
    """

    gone: tuple[Path, ...]
    absent: tuple[FileProblem, ...]
    recovered: tuple[Path, ...]
    left_out: tuple[LeftOut, ...] = ()


def missing_files(
    known: Mapping[str, FileState],
    *,
    walk: Walk,
    missing_roots: Iterable[Path],
    noted_mounts: Iterable[Path],
    unfinished: Collection[Path] = (),
) -> MissingFiles:
    """Sort the known files that were not found.

    Args:
        known: what the catalog knows at and below the given paths, by their texts.
        walk: what is there now.
        missing_roots: given paths that are not there at all.
        noted_mounts: folders at which a disk was mounted when their files were indexed.
        unfinished: files of partial videos; one that was never finished may not be known.
    """
    found = {file.pathname for file in walk.files}
    listed = {str(failure.path) for failure in walk.unreadable}
    names = {*known, *map(str, unfinished)} if unfinished else known
    unseen = [Path(name) for name in names if name not in found and name not in listed]
    if not unseen:
        return MissingFiles((), (), ())
    unmounted = _unmounted(found & known.keys(), walk, noted_mounts)
    absent = {*walk.empty_folders, *walk.dangling, *missing_roots, *unmounted}
    kept: Counter[Path] = Counter()
    left_out: Counter[Path] = Counter()
    gone, recovered = [], []
    for path in unseen:
        state = known.get(str(path))
        if state and (hidden := _left_out(path, walk)) and not is_gone(path):
            if state.video_id is not None:
                left_out[hidden] += 1
            elif path not in unfinished:
                recovered.append(path)
            continue
        folder = next((above for above in (path, *path.parents) if above in absent), None)
        if folder is not None:
            kept[folder] += state is not None and is_gone(path)
        elif state is not None and is_unread(state):
            recovered.append(path)
        elif is_gone(path):
            gone.append(path)
    return MissingFiles(
        tuple(gone),
        tuple(_kept(folder, files) for folder, files in kept.items() if files),
        tuple(recovered),
        tuple(LeftOut(path, files) for path, files in left_out.items()),
    )


def _left_out(path: Path, walk: Walk) -> Path | None:
    """The file or folder that the walk left out, and this with it."""
    if not walk.left_out:
        return None
    return next((p for p in (path, *path.parents) if str(p) in walk.left_out), None)


def is_unread(state: FileState) -> bool:
    """Whether all that is known of a file is that it could not be read."""
    return state.size == UNREAD_SIZE


def is_gone(path: Path) -> bool:
    """Whether there is no file at `path` (any more); False where the system gives no answer."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False


def _unmounted(found: Iterable[str], walk: Walk, noted_mounts: Iterable[Path]) -> set[Path]:
    """Folders at which a disk used to be mounted, and is not.

    One is an ordinary folder when files that are known of it are found there all the same: somebody
    has moved them to another disk.
    """
    suspects = set(noted_mounts) - set(walk.mounts)
    inhabited = {above for above in suspects if any(map(_lies_in(above), found))}
    return suspects - inhabited


def _lies_in(folder: Path) -> Callable[[str], bool]:
    head = str(folder / "_")[:-1]  # with the slash, and one only for "/"
    return lambda name: name.startswith(head)


def _kept(folder: Path, files: int) -> FileProblem:
    stays = "1 file of it stays" if files == 1 else f"{files:,} files of it stay"
    return FileProblem(
        folder,
        f"is empty or not there, or its disk is not mounted: {stays} in the catalog; "
        "`vsearch forget` removes files that will not come back",
    )
