"""Names of videos, of folders that belong to the system, and of ignore files."""

import re

# The suffixes that are looked for, by the container that is usual under each, as FFmpeg calls it.
# The previews that cameras keep beside their videos (.lrv, .glv) are not among them.
SUFFIXES_BY_CONTAINER = {
    "asf": (".asf", ".dvr-ms", ".wm", ".wmv"),
    "avi": (".amv", ".avi", ".divx"),
    "dv": (".dv",),
    "flv": (".flv",),
    "gif": (".gif",),
    "h264": (".264", ".avc", ".h264"),
    "hevc": (".265", ".h265", ".hevc"),
    "ivf": (".ivf",),
    "matroska": (".mk3d", ".mkv", ".webm"),
    "mjpeg": (".mjpeg", ".mjpg"),
    "mov": (
        ".360", ".3g2", ".3gp", ".3gp2", ".3gpp", ".f4v", ".insv", ".ismv", ".m4p", ".m4v",
        ".mov", ".mp4", ".mp4v", ".mpeg4", ".mqv", ".qt",
    ),
    "mpeg": (".evo", ".m2p", ".mod", ".mpe", ".mpeg", ".mpg", ".mpv", ".vob", ".vro"),
    "mpegts": (".m2t", ".m2ts", ".mts", ".tod", ".tp", ".trp", ".ts"),
    "mpegvideo": (".m1v", ".m2v"),
    "mxf": (".mxf",),
    "nsv": (".nsv",),
    "nut": (".nut",),
    "nuv": (".nuv",),
    "obu": (".obu",),
    "ogg": (".ogm", ".ogv"),
    "rm": (".rm", ".rmvb"),
    "vivo": (".viv",),
    "wtv": (".wtv",),
    "yuv4mpegpipe": (".y4m",),
}  # fmt: skip
VIDEO_SUFFIXES = frozenset(
    suffix for suffixes in SUFFIXES_BY_CONTAINER.values() for suffix in suffixes
)
SUBTITLE_SUFFIXES = frozenset({".ass", ".srt", ".ssa", ".vtt"})
# TypeScript, modules of Go, Fortran and AMPL, tracker music, translations of Qt, Squirrel scripts.
SUFFIXES_WITH_TWO_MEANINGS = frozenset({".mod", ".mts", ".nut", ".rm", ".tp", ".ts"})

# Folders that systems and network disks keep for themselves: bins, snapshots, recovered pieces,
# thumbnails and what is transcoded. Windows, macOS, AFP, Android, Synology, QNAP, NetApp, Buffalo.
_SYSTEM_FOLDER = re.compile(
    r"\$recycle\.bin|recycler|recycled|system volume information|found\.\d{3}"
    r"|__macosx|backups\.backupdb|network trash folder|temporary items|thevolumesettingsfolder"
    r"|lost\+found|lost\.dir"
    r"|[#@]recycle|#snapshot|@(eadir|tmp|sharebin|sharesnap|synoresource|recently-snapshot"
    r"|transcode|gmt-.*)|~snapshot|trashbox",
    re.IGNORECASE,
)

# A folder that holds one of these is skipped, with all that is below it; Android's own, and
# that of GNOME's search. Others hold patterns; see `indexer.scan.ignore_files`.
MARKS = frozenset({".nomedia", ".trackerignore"})
PATTERN_FILES = frozenset({".ignore", ".immichignore", ".plexignore", ".ppignore"})
IGNORE_FILES = MARKS | PATTERN_FILES


def is_video_name(name: str) -> bool:
    """Whether the suffix is one that videos have, in either case."""
    return name[name.rfind(".") :].lower() in VIDEO_SUFFIXES


def is_subtitle_name(name: str) -> bool:
    """Whether the suffix is one that subtitles have, in either case."""
    return name[name.rfind(".") :].lower() in SUBTITLE_SUFFIXES


def is_system_folder(name: str) -> bool:
    """Whether a folder of this name is a system's own."""
    return _SYSTEM_FOLDER.fullmatch(name) is not None


def is_left_out(name: str) -> bool:
    """Whether a folder of this name is skipped unless it is given: hidden, or a system's."""
    return name.startswith(".") or is_system_folder(name)
