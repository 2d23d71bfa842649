"""X-CLIP (arXiv 2208.02816) in plain PyTorch.

Only what is cheap to import is named here. The rest lies where its name says:
`from xclip_core.embedder import Embedder`, `from xclip_core.model.model import XCLIP`, and so on.
"""

from xclip_core.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    ConfigError,
    DeviceError,
    FrameProcessorError,
    HubUnreachableError,
    InputError,
    ModelError,
    TokenizerError,
    WeightsError,
)
from xclip_core.identity import (
    DEFAULT_MODEL,
    DEMO_MODEL,
    PUBLISHED_MODELS,
    ModelIdentity,
)

__all__ = [
    "DEFAULT_MODEL",
    "DEMO_MODEL",
    "PUBLISHED_MODELS",
    "CheckpointError",
    "CheckpointNotFoundError",
    "ConfigError",
    "DeviceError",
    "FrameProcessorError",
    "HubUnreachableError",
    "InputError",
    "ModelError",
    "ModelIdentity",
    "TokenizerError",
    "WeightsError",
]
