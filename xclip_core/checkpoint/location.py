"""Locations of checkpoints by name: the demo model, a folder, or the cache of the Hub.

A checkpoint is a folder with `config.json`, `preprocessor_config.json`, the tokenizer's files and
the weights: `model.safetensors` (whole or in shards), else `pytorch_model.bin`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from machine.presence import is_folder
from xclip_core.checkpoint.hub import HubName, fetch, nearest_names
from xclip_core.errors import CheckpointNotFoundError
from xclip_core.identity import DEFAULT_MODEL, DEMO_MODEL, PUBLISHED_MODELS

DEMO_FOLDER = Path(__file__).parents[1] / "demo"

_HUB_NAME = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")


@dataclass(frozen=True, slots=True)
class Location:
    """The place of a checkpoint.

    Attributes:
        name: "demo", the absolute path of a folder, or the Hub's `owner/name`.
        revision: the Hub's commit; None for anything that is not from the Hub.
        folder: the folder that holds its files.
    """

    name: str
    revision: str | None
    folder: Path


def locate(
    name: str, *, offline: bool = False, on_message: Callable[[str], None] = lambda _: None
) -> Location:
    """Find a checkpoint by name: "demo", a folder, or a Hub id (`owner/name[@revision]`).

    Args:
        offline: use only what is in the Hub's cache on this machine.
        on_message: receives one sentence when files have to be fetched.

    Raises:
        CheckpointError: there is no such checkpoint, or the Hub does not answer.
    """
    if name == DEMO_MODEL:
        return Location(name=name, revision=None, folder=DEMO_FOLDER)
    if folder := _folder(name):
        return Location(name=str(folder), revision=None, folder=folder)
    hub_name = parse_hub_name(name)
    folder = fetch(hub_name, offline=offline, on_message=on_message)
    return Location(name=hub_name.repository, revision=folder.name, folder=folder)


def parse_hub_name(name: str) -> HubName:
    """Parse the name of a model that is neither "demo" nor a folder; nothing is looked up.

    Raises:
        CheckpointNotFoundError: no model can have this name.
    """
    match = None if name.startswith(("/", ".", "~")) else _HUB_NAME.fullmatch(name)
    if match is None:
        raise CheckpointNotFoundError(
            f"{name!r} is not a model: give {DEMO_MODEL!r}, a folder that exists, or a Hub id such "
            f"as {DEFAULT_MODEL}; {nearest_names(name)}"
        )
    return HubName(repository=match["repository"], revision=match["revision"])


def _folder(name: str) -> Path | None:
    """The folder of that name, if there is one.

    A published name always means the published model, also where the current folder holds a
    folder of that name.
    """
    if not name or name.partition("@")[0] in PUBLISHED_MODELS:
        return None
    try:
        folder = Path(name).expanduser()
    except RuntimeError:  # ~ for a user that has no home folder
        return None
    return folder.resolve() if is_folder(folder) else None
