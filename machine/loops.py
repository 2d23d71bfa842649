"""Loops of folders, as where a disk is mounted in itself."""

import os

# A folder with the number of one above it is the same where the path down from it never ends.
_TURNS = 5


class FolderLoops:
    """Detector of folders that are one of those above them again."""

    def __init__(self) -> None:
        self._numbers: set[tuple[int, int]] = set()

    def closes(self, pathname: str, state: os.stat_result) -> bool:
        """Whether a folder, which is entered now, is one of those above it again.

        Its number alone proves nothing: some file systems give one to many folders, and others.
        """
        number = state.st_dev, state.st_ino
        if number not in self._numbers:
            self._numbers.add(number)
            return False
        above = pathname
        while above := above.rpartition("/")[0]:
            way = pathname[len(above) :]
            if _number(above) == number and os.path.isdir(pathname + way * _TURNS):  # noqa: PTH112
                return True
        return False


def _number(pathname: str) -> tuple[int, int]:
    state = os.stat(pathname)  # noqa: PTH116 - a Path for each costs more
    return state.st_dev, state.st_ino
