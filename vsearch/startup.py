"""Preparation of the process: current folder, module search path, home folder, streams.

Only modules that Python has loaded by itself are imported here: others might be found in the folder
that one stands in.
"""

import os
import sys

TYPE_CHECKING = False  # `typing` is not loaded yet
if TYPE_CHECKING:
    from pathlib import Path

HOME_VARIABLE = "VSEARCH_HOME"

_FOR_DATA = "~/Library/Application Support" if sys.platform == "darwin" else "~/.local/share"
# Folders that count only as absolute paths: a relative one is another place each time.
_FOLDERS = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
_missing: set[str] = set()  # of "folder", "stdin", "stdout" and "stderr"


def prepare_surroundings() -> None:
    """Prepare the current folder, the module search path, the home folder and the streams."""
    _leave_folder_that_is_gone()
    _leave_current_folder_out()
    _settle_home()
    _open_streams()
    _take_every_name()


def usual_home() -> str | None:
    """The folder for all state of a user who has set none: in that of the platform for data.

    As the XDG specification or Apple has it. None for a user without a home folder.
    """
    data = os.environ.get("XDG_DATA_HOME", "").strip() or os.path.expanduser(_FOR_DATA)  # noqa: PTH111
    return os.path.join(data, "vsearch") if os.path.isabs(data) else None  # noqa: PTH117, PTH118


def has_stdout() -> bool:
    """Whether the process was started with a stdout."""
    return "stdout" not in _missing


def require_current_folder(path: "Path") -> "Path":
    """The same path; raises ValueError for a relative one where the current folder was deleted."""
    if _missing & {"folder"} and not path.is_absolute() and path.parts[:1] != ("~",):
        raise ValueError(
            f"{path}: the folder that you stand in is gone; go to another one, or give a whole path"
        )
    return path


def has_current_folder() -> bool:
    """Whether the process was started in a folder that is there."""
    return "folder" not in _missing


def _leave_folder_that_is_gone() -> None:
    """Leave a deleted current folder: some libraries fail, or end the process, in it."""
    try:
        os.getcwd()  # noqa: PTH109
    except OSError:
        _missing.add("folder")
        os.chdir("/")


def _leave_current_folder_out() -> None:
    """Remove folders that are relative to the current one from the module search path.

    `python -m` puts the current one first, and an empty entry in PYTHONPATH means it. The folder
    that vsearch itself lies in stays in any case.
    """
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    here = os.getcwd()  # noqa: PTH109
    if not sys.flags.safe_path and sys.path and sys.path[0] in ("", here):
        del sys.path[0]
    variable = os.environ.get("PYTHONPATH", "")
    named = variable.split(os.pathsep) if variable else []
    relative = {os.path.join(here, name) for name in named if not os.path.isabs(name)}  # noqa: PTH117, PTH118
    relative = {os.path.normpath(name) for name in relative} - {ours}
    sys.path[:] = [entry for entry in sys.path if os.path.normpath(entry) not in relative]
    if ours not in sys.path:
        sys.path.insert(0, ours)


def _settle_home() -> None:
    """Use the folder of vsearch as home folder, for libraries too, if the user has none."""
    for name in _FOLDERS:
        if not os.path.isabs(os.environ.get(name, "/")):  # noqa: PTH117
            del os.environ[name]
    ours = os.environ.get(HOME_VARIABLE, "")
    if os.path.isabs(ours) and os.path.expanduser("~") == "~":  # noqa: PTH111, PTH117
        os.environ["HOME"] = ours


def _open_streams() -> None:
    """Open closed standard streams on the null device.

    The next file to be opened would get the number of a closed stream, and messages of native code
    would be written into it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        mode = "w" if number else "r"
        try:
            os.set_blocking(number, True)  # or a pipe that is full for a moment would be an error
        except OSError:
            nothing = os.open(os.devnull, os.O_WRONLY if number else os.O_RDONLY)
            if nothing != number:
                os.dup2(nothing, number)
                os.close(nothing)
            os.set_inheritable(number, True)  # noqa: FBT003
        if getattr(sys, name) is None:
            _missing.add(name)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _take_every_name() -> None:
    """Have stdout and stderr take every name of a file: neither need be Unicode."""
    for stream in (sys.stdout, sys.stderr):
        unicode = (stream.encoding or "").lower().replace("-", "") == "utf8"
        errors = "surrogateescape" if unicode else "backslashreplace"
        stream.reconfigure(errors=errors)  # type: ignore[union-attr]
