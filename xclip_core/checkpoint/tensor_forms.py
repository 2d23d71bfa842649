"""Shapes and types of stored tensors, compared with those of an architecture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from xclip_core.errors import WeightsError

# Files of 2022 carry these constant tables 0, 1, 2 …; positions are counted where they are needed.
OBSOLETE_BUFFERS = frozenset(
    {"text_model.embeddings.position_ids", "vision_model.embeddings.position_ids"}
)


@dataclass(frozen=True, slots=True)
class TensorForm:
    """Shape and type of a tensor."""

    shape: tuple[int, ...]
    kind: str
    is_floating: bool


def require_forms(
    wanted: Mapping[str, tuple[int, ...]], found: Mapping[str, TensorForm], *, source: Path
) -> None:
    """Require exactly the tensors of an architecture.

    Args:
        wanted: the architecture's shapes by name.
        found: the stored tensors' shapes and types by name.
        source: the file that error messages name.

    Raises:
        WeightsError: a tensor is missing, unknown, misshapen or not of a floating type.
    """
    faults = [f"{key} is missing" for key in wanted if key not in found]
    faults += [f"{key} is unknown" for key in found if key not in wanted]
    for key, form in found.items():
        if key in wanted and form.shape != wanted[key]:
            faults.append(f"{key} has the shape {form.shape} and not {wanted[key]}")
        elif key in wanted and not form.is_floating:
            faults.append(f"{key} holds {form.kind} and not floating-point numbers")
    if faults:
        more = f", and {len(faults) - 3} more such faults" if len(faults) > 3 else ""
        raise WeightsError(
            f"{source} does not hold the model that config.json beside it describes: "
            f"{'; '.join(faults[:3])}{more}"
        )
