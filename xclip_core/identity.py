"""Names of models, and the identity of one."""

from __future__ import annotations

from dataclasses import dataclass

DEMO_MODEL = "demo"
DEFAULT_MODEL = "microsoft/xclip-base-patch32"

PUBLISHED_MODELS = (
    "microsoft/xclip-base-patch32",
    "microsoft/xclip-base-patch32-16-frames",
    "microsoft/xclip-base-patch16",
    "microsoft/xclip-base-patch16-16-frames",
    "microsoft/xclip-base-patch16-kinetics-600",
    "microsoft/xclip-base-patch16-kinetics-600-16-frames",
    "microsoft/xclip-base-patch16-zero-shot",
    *(
        f"microsoft/xclip-base-patch16-{dataset}-{shots}-shot"
        for dataset in ("hmdb", "ucf")
        for shots in (2, 4, 8, 16)
    ),
    "microsoft/xclip-large-patch14",
    "microsoft/xclip-large-patch14-16-frames",
    "microsoft/xclip-large-patch14-kinetics-600",
)


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """The identity of a model, as an index keeps it with the vectors of the model.

    Attributes:
        model: "demo", the absolute path of a folder, or the Hub's `owner/name`.
        revision: the Hub's commit; None for anything that is not from the Hub.
        model_digest: hexadecimal sha256 of everything that changes a vector: weights,
            configuration, preparation of frames, tokenizer.
        dim: D, the length of a vector.
        frames_per_clip: T.
        image_size: S, the side of a prepared frame in pixels.
    """

    model: str
    revision: str | None
    model_digest: str
    dim: int
    frames_per_clip: int
    image_size: int
