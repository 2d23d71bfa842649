"""Download of checkpoints from the Hugging Face Hub into its cache.

The cache is huggingface_hub's own, shared with every other program that uses it. A cached
checkpoint is not compared with the Hub again, so an index keeps its model.
"""

from __future__ import annotations

import difflib
import errno
import json
import os
import re
import shutil
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from machine.presence import is_folder, is_there
from xclip_core.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    HubUnreachableError,
    damaged,
)
from xclip_core.identity import PUBLISHED_MODELS

SAFETENSORS = "model.safetensors"
SAFETENSORS_INDEX = "model.safetensors.index.json"
PICKLED = "pytorch_model.bin"

_ANSWER_SECONDS = 5.0
# Errors of this machine, as opposed to those of the network.
_LOCAL_ERRORS = {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG,
    errno.EIO, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EMFILE,
}  # fmt: skip

OnMessage = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class HubName:
    """A model on the Hub: `owner/name`, or `owner/name@revision`."""

    repository: str
    revision: str | None

    def __str__(self) -> str:
        return self.repository if self.revision is None else f"{self.repository}@{self.revision}"


def fetch(name: HubName, *, offline: bool, on_message: OnMessage) -> Path:
    """Find a checkpoint in the cache, and fetch the files that are missing.

    Args:
        offline: use only what is in the cache.
        on_message: receives one sentence when something has to be fetched.

    Returns:
        The folder of the snapshot; its name is the commit.

    Raises:
        CheckpointNotFoundError: the Hub has no such model or revision, or it lacks files.
        HubUnreachableError: not (wholly) in the cache, and the Hub cannot be asked.
        CheckpointError: the Hub refuses, or the cache cannot be written, is full or has no folder.
    """
    snapshot = _cached_snapshot(name)
    if snapshot is not None and is_complete(snapshot):
        return snapshot
    _forbid_reports()
    _require_cache()
    _require_valid(name)
    if offline:
        raise HubUnreachableError(
            f"{name} is not on this machine and the network is not to be used; fetch it once "
            "without that restriction, or name a folder that holds it"
        )
    _ask_hub(name)
    config = _fetch_first(name, "config.json")
    # From here on of that commit, in case that the Hub's copy changes in between.
    pinned = HubName(repository=name.repository, revision=config.parent.name)
    size = _require_room(pinned)
    on_message(f"fetching {name} ({size}) from the Hub, once; it stays in {_cache_folder()}")
    _fetch_first(pinned, "preprocessor_config.json", "processor_config.json")
    if _fetch_first(pinned, "tokenizer.json", "vocab.json").name == "vocab.json":
        _fetch_first(pinned, "merges.txt")
    weights = _fetch_first(pinned, SAFETENSORS, SAFETENSORS_INDEX, PICKLED)
    if weights.name == SAFETENSORS_INDEX:
        for shard in shard_names(weights):
            _fetch_first(pinned, shard)
    return config.parent


def _cached_snapshot(name: HubName) -> Path | None:
    """The folder of a model in the cache, if there is one.

    The client is not asked: its import takes as long as a whole query.
    """
    revision, cache = name.revision or "main", _default_cache()
    if ".." in revision or cache.parts[:1] == ("~",):  # nobody's home: see `_require_cache`
        return None
    model = cache / f"models--{name.repository.replace('/', '--')}"
    try:
        commit = (model / "refs" / revision).read_text(encoding="utf-8")
    except (OSError, ValueError):
        commit = revision
    snapshot = model / "snapshots" / commit
    return snapshot if is_folder(snapshot) else None


def _default_cache() -> Path:
    """The cache of the Hub's client, as its environment variables name it."""
    home = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    place = os.environ.get("HF_HOME", f"{home}/huggingface") + "/hub"
    for variable in ("HUGGINGFACE_HUB_CACHE", "HF_HUB_CACHE"):
        place = os.environ.get(variable, place)
    # Unlike that of Path, it does not raise where there is no home folder.
    return Path(os.path.expandvars(os.path.expanduser(place)))  # noqa: PTH111


def is_complete(folder: Path) -> bool:
    """Whether a folder holds every file that loading needs; a download may have been cut off."""
    has = {path.name for path in folder.iterdir() if path.is_file()}
    index = folder / SAFETENSORS_INDEX
    return (
        "config.json" in has
        and bool(has & {"preprocessor_config.json", "processor_config.json"})
        and ("tokenizer.json" in has or {"vocab.json", "merges.txt"} <= has)
        and (
            bool(has & {SAFETENSORS, PICKLED})
            or (index.name in has and set(shard_names(index)) <= has)
        )
    )


def shard_names(index: Path) -> list[str]:
    """The shards that a `model.safetensors.index.json` names, all in the same folder.

    Raises:
        CheckpointError: the index is damaged or points elsewhere.
    """
    try:
        weight_map = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        names = sorted(set(weight_map.values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(damaged(index, error)) from error
    strays = [name for name in names if Path(str(name)).name != name]
    if strays:
        raise CheckpointError(f"{index} names {strays[0]!r}, which is not a file beside it")
    return names


def nearest_names(name: str) -> str:
    """A hint for a name that does not exist: the most similar published one, or a few."""
    near = _nearest_published(name)
    if near:
        return f"did you mean {near}?"
    return f"published are {', '.join(PUBLISHED_MODELS[:3])} and others"


def _nearest_published(name: str) -> str:
    return next(iter(difflib.get_close_matches(name, PUBLISHED_MODELS, n=1)), "")


def _forbid_reports() -> None:
    """Turn telemetry off: the Hub gets requests for files, and nothing about this machine."""
    # Before the client is imported, which reads it once.
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    from huggingface_hub import constants

    constants.HF_HUB_DISABLE_TELEMETRY = True  # someone may have imported it before us


def _require_cache() -> None:
    """Require a home folder; without one the cache would be a folder `~` in the current one."""
    from huggingface_hub import constants

    if constants.HF_HUB_CACHE.startswith("~"):
        raise CheckpointError(
            "there is no home folder to keep fetched models in; set VSEARCH_HOME, or HF_HOME, to a "
            "folder for them, or name a folder that holds a model"
        )


def _require_valid(name: HubName) -> None:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(name.repository)
    except HFValidationError as error:
        raise CheckpointNotFoundError(
            f"{name.repository!r} cannot be the name of a model on the Hub; "
            f"{nearest_names(name.repository)}"
        ) from error


def _cached_file(name: HubName, file: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(name.repository, file, revision=name.revision)
    return Path(found) if isinstance(found, str) else None


def _cache_folder() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _require_room(name: HubName) -> str:
    """Require room for the weights on the disk; return their size in words."""
    size = _weights_bytes(name)
    if size is None:
        return "of unknown size"
    folder = _cache_folder()
    there = next(above for above in (folder, *folder.parents) if is_there(above))
    free = shutil.disk_usage(there).free
    if size > free:
        raise CheckpointError(
            f"the weights of {name.repository} take {_megabytes(size)}, and {folder} has room for "
            f"{_megabytes(free)}; make room there, or set HF_HOME to a folder on another disk"
        )
    return _megabytes(size)


def _weights_bytes(name: HubName) -> int | None:
    """Size of the weights on the Hub; None for several files, and if the Hub does not say it."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError

    for file in (SAFETENSORS, SAFETENSORS_INDEX, PICKLED):
        url = hf_hub_url(name.repository, file, revision=name.revision)
        try:
            size = get_hf_file_metadata(url, timeout=_ANSWER_SECONDS).size
        except EntryNotFoundError:
            continue
        except Exception as error:  # the HTTP library beneath differs from version to version
            raise _translated(error, name) from error
        return None if file == SAFETENSORS_INDEX else size
    return None


def _megabytes(size: int) -> str:
    return f"{max(size, 0) / 1e6:,.0f} MB"


def _ask_hub(name: HubName) -> None:
    """Send one short request without retries, so that a missing network shows within seconds."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    url = hf_hub_url(name.repository, "config.json", revision=name.revision)
    try:
        get_hf_file_metadata(url, timeout=_ANSWER_SECONDS)
    except Exception as error:  # the HTTP library beneath differs from version to version
        raise _translated(error, name) from error


def _fetch_first(name: HubName, *files: str) -> Path:
    """Fetch the first of these files that the Hub has, if it is not cached; return its path."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    for file in files:
        cached = _cached_file(name, file)
        if cached is not None:
            return cached
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about a full disk, which raises right after
                path = hf_hub_download(
                    name.repository,
                    file,
                    revision=name.revision,
                    etag_timeout=_ANSWER_SECONDS,
                    # After a damaged file was deleted, its bytes are downloaded, not linked, again.
                    force_download=True,
                )
        except LocalEntryNotFoundError as error:
            raise _translated(error, name) from error
        except EntryNotFoundError:
            continue
        except Exception as error:  # the HTTP library beneath differs from version to version
            raise _translated(error, name) from error
        return Path(path)
    raise CheckpointNotFoundError(
        f"{name} on the Hub has no {' and no '.join(files)}, so it is not an X-CLIP checkpoint "
        "that vsearch reads"
    )


def _translated(error: Exception, name: HubName) -> CheckpointError:
    from huggingface_hub import errors as hub

    if isinstance(error, hub.GatedRepoError):
        return CheckpointError(
            f"{name} is gated on the Hub: accept its terms there and log in with `hf auth login`"
        )
    if isinstance(error, hub.RepositoryNotFoundError):
        return CheckpointNotFoundError(
            f"the Hub has no public model {name.repository!r}; {nearest_names(name.repository)}"
        )
    if isinstance(error, hub.RevisionNotFoundError):
        return CheckpointNotFoundError(
            f"{name.repository} on the Hub has no revision {name.revision!r}; "
            "leave it out for the newest, or give a branch, a tag or a commit"
        )
    if isinstance(error, hub.EntryNotFoundError) and not isinstance(
        error, hub.LocalEntryNotFoundError
    ):
        return CheckpointNotFoundError(
            f"{name} on the Hub has no config.json, so it is not an X-CLIP checkpoint"
        )
    if isinstance(error, hub.OfflineModeIsEnabled):
        return HubUnreachableError(
            f"{name} is not on this machine and HF_HUB_OFFLINE forbids fetching it; unset that "
            "once, or name a folder that holds it"
        )
    return _not_fetched(error, name)


def _causes(error: BaseException | None) -> Iterator[OSError]:
    """The errors of the operating system that led to this one."""
    while error is not None:
        if isinstance(error, OSError):
            yield error
        error = error.__cause__ or error.__context__


def _not_fetched(error: Exception, name: HubName) -> CheckpointError:
    from huggingface_hub import constants

    local = next((cause for cause in _causes(error) if cause.errno in _LOCAL_ERRORS), None)
    if local is not None:
        return CheckpointError(
            f"what the Hub sends of {name.repository} cannot be kept in {_cache_folder()} "
            f"({local.strerror}); see that it has room and may be written to, or set HF_HOME to "
            "another folder"
        )
    near = _nearest_published(name.repository)
    meant = f"; did you mean {near}?" if near not in ("", name.repository) else ""
    reason = re.sub(r"^\[Errno -?\d+\] ", "", str(error.__cause__ or error).splitlines()[0])
    through = _proxy_to(constants.ENDPOINT)
    way = f" through the proxy {through}" if through else ""
    mend = "correct or unset the proxy's variable" if through else "connect"
    return HubUnreachableError(
        f"{name} is not on this machine and {constants.ENDPOINT} does not answer{way} ({reason}); "
        f"{mend} and try again, or name a folder that holds the checkpoint{meant}"
    )


def _proxy_to(url: str) -> str | None:
    """The proxy that the environment names for an address, without name and password."""
    import urllib.request  # only here: it takes longer to load than a question to answer

    scheme, host = urlsplit(url).scheme, urlsplit(url).hostname or ""
    proxies = urllib.request.getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(host):
        return None
    return re.sub(r"//[^/@]*@", "//", proxy)
