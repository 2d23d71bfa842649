"""The errors of this package."""

from pathlib import Path

from machine.names import quoted


class ModelError(Exception):
    """The base class of all errors that this package raises; each message is one sentence.

    ```
    ModelError
    ├── ConfigError              an incomplete or impossible configuration
    ├── CheckpointError          a checkpoint that cannot be used
    │   ├── CheckpointNotFoundError   no such name, folder or revision, or files are missing
    │   ├── HubUnreachableError       not on this machine, and the Hub cannot be reached
    │   └── WeightsError              damaged, unsafe, or of another architecture
    ├── TokenizerError           vocabulary files that are missing, damaged or not CLIP's
    ├── FrameProcessorError      a preprocessor_config.json that cannot be used
    ├── InputError               frames, clips or token ids of the wrong shape or type
    └── DeviceError              a device or a precision that this machine does not have
    ```
    """


class ConfigError(ModelError):
    """A configuration that is incomplete, or of no model that can be built."""


class CheckpointError(ModelError):
    """A checkpoint that cannot be used."""


class CheckpointNotFoundError(CheckpointError):
    """No checkpoint of that name, folder or revision, or some of its files are missing."""


class HubUnreachableError(CheckpointError):
    """The checkpoint is not on this machine and the Hugging Face Hub does not answer."""


class WeightsError(CheckpointError):
    """Weights that are damaged, unsafe to read, or of another architecture."""


class TokenizerError(ModelError):
    """Vocabulary files that are missing, damaged, or not a CLIP byte-pair vocabulary."""


class FrameProcessorError(ModelError):
    """A frame processor's configuration that is missing, incomplete or not supported."""


class InputError(ModelError):
    """Frames, clips, token ids or texts of the wrong shape, type or number."""


class DeviceError(ModelError):
    """A device or a precision that this machine does not have."""


def damaged(path: Path, reason: object) -> str:
    """The message for a file of a checkpoint that cannot be read, with a way to mend it."""
    if path.parent.parent.name == "snapshots":  # the Hub's cache
        mend = f"delete it, `rm {quoted(path)}`, and the same command fetches it anew"
    else:
        mend = "put a sound copy of it there"
    return f"{path} is damaged or cut off ({reason}); {mend}"
