"""X-CLIP (arXiv 2208.02816) in plain PyTorch.

The names below are this package's public ones. Those that need a large library are imported at
their first use, so that `import xclip_core` takes no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from xclip_core.checkpoint.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
    from xclip_core.checkpoint.files import ClipFormat, read_clip_format
    from xclip_core.checkpoint.location import locate
    from xclip_core.embedder import Embedder
    from xclip_core.inputs.preprocess import FrameProcessor
    from xclip_core.inputs.tokenizer import Tokenizer, train_tokenizer
    from xclip_core.model.config import TextConfig, VisionConfig, XCLIPConfig
    from xclip_core.model.model import XCLIP, XCLIPOutput
    from xclip_core.text_embedder import TextEmbedder
    from xclip_core.training import (
        Question,
        TrainingBatch,
        TrainingPlan,
        TrainingStep,
        train,
    )

__all__ = [
    "DEFAULT_MODEL",
    "DEMO_MODEL",
    "PUBLISHED_MODELS",
    "XCLIP",
    "Checkpoint",
    "CheckpointError",
    "CheckpointNotFoundError",
    "ClipFormat",
    "ConfigError",
    "DeviceError",
    "Embedder",
    "FrameProcessor",
    "FrameProcessorError",
    "HubUnreachableError",
    "InputError",
    "ModelError",
    "ModelIdentity",
    "Question",
    "TextConfig",
    "TextEmbedder",
    "Tokenizer",
    "TokenizerError",
    "TrainingBatch",
    "TrainingPlan",
    "TrainingStep",
    "VisionConfig",
    "WeightsError",
    "XCLIPConfig",
    "XCLIPOutput",
    "load_checkpoint",
    "locate",
    "read_clip_format",
    "save_checkpoint",
    "train",
    "train_tokenizer",
]

_LATER = {
    "checkpoint.checkpoint": ("Checkpoint", "load_checkpoint", "save_checkpoint"),
    "checkpoint.files": ("ClipFormat", "read_clip_format"),
    "checkpoint.location": ("locate",),
    "embedder": ("Embedder",),
    "inputs.preprocess": ("FrameProcessor",),
    "inputs.tokenizer": ("Tokenizer", "train_tokenizer"),
    "model.config": ("TextConfig", "VisionConfig", "XCLIPConfig"),
    "model.model": ("XCLIP", "XCLIPOutput"),
    "text_embedder": ("TextEmbedder",),
    "training": ("Question", "TrainingBatch", "TrainingPlan", "TrainingStep", "train"),
}

if not TYPE_CHECKING:  # else type checkers would take any name for one of this package

    def __getattr__(name: str) -> Any:
        for module, names in _LATER.items():
            if name in names:
                return getattr(import_module(f"{__name__}.{module}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
