"""Memory-mapped weights for NumPy: views of the file, of which only the used parts are read.

The library of the format copies every tensor and has no bfloat16 for NumPy, so the (small) format
is read here: https://github.com/huggingface/safetensors#format.
"""

from __future__ import annotations

import json
import math
import mmap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xclip_core.checkpoint.hub import PICKLED
from xclip_core.checkpoint.tensor_forms import TensorForm
from xclip_core.errors import WeightsError, damaged

# NumPy's type for each type of the format; for bfloat16, which NumPy lacks, that of its bits.
_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
_LENGTH_BYTES = 8
_LONGEST_HEADER = 100_000_000  # the library's own limit


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor in its file.

    Attributes:
        kind: the type as the format names it.
        array: a view of the tensor; of its bits (uint16) if it is bfloat16.
    """

    kind: str
    array: NDArray[Any]

    @property
    def form(self) -> TensorForm:
        """Shape and type."""
        return TensorForm(self.array.shape, self.kind, is_floating=self.kind in _TYPES)

    def rows(self, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        """Read some rows (R,) int64 of a tensor (rows, …): (R, …) float32."""
        return _in_single(self.array[numbers], kind=self.kind)

    def whole(self) -> NDArray[np.float32]:
        """The whole tensor in float32: a view if it is stored so, else a copy."""
        return _in_single(self.array, kind=self.kind)


def map_weights(files: Sequence[Path], *, prefixes: tuple[str, ...]) -> dict[str, StoredTensor]:
    """Map the tensors whose names begin with one of `prefixes`.

    Pickled weights need PyTorch; only then it is imported.

    Raises:
        WeightsError: a file is damaged, or a pickle holds anything but tensors.
    """
    found: dict[str, StoredTensor] = {}
    for path in files:
        if path.name == PICKLED:
            found |= _unpickled(path, prefixes=prefixes)
        else:
            found |= _mapped(path, prefixes=prefixes)
    return found


def _mapped(path: Path, *, prefixes: tuple[str, ...]) -> dict[str, StoredTensor]:
    try:
        with path.open("rb") as opened:
            content = memoryview(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))
        entries, data = _parse_header(content)
        return {
            name: _stored(entry, data)
            for name, entry in entries.items()
            if name.startswith(prefixes)
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WeightsError(damaged(path, error)) from error


def _parse_header(content: memoryview) -> tuple[dict[str, Any], memoryview]:
    """Split a file into its table of contents and the bytes that the table describes."""
    length = int.from_bytes(content[:_LENGTH_BYTES], "little")
    begin = _LENGTH_BYTES + length
    if len(content) < _LENGTH_BYTES or length > _LONGEST_HEADER or begin > len(content):
        raise ValueError("its table of contents is incomplete")
    entries: dict[str, Any] = json.loads(bytes(content[_LENGTH_BYTES:begin]))
    entries.pop("__metadata__", None)
    data = content[begin:]
    if max((entry["data_offsets"][1] for entry in entries.values()), default=0) != len(data):
        raise ValueError("it is shorter or longer than its table of contents says")
    return entries, data


def _stored(entry: Mapping[str, Any], data: memoryview) -> StoredTensor:
    kind, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
    if kind not in _TYPES:  # `require_forms` names it in its message
        return StoredTensor(kind, np.broadcast_to(np.uint8(0), shape))
    dtype = np.dtype(_TYPES[kind])
    if not 0 <= begin <= end or end - begin != math.prod(shape) * dtype.itemsize:
        raise ValueError("its table of contents contradicts itself")
    array = np.frombuffer(data[begin:end], dtype=dtype).reshape(shape)
    # Tensors of old files may be unaligned, and arithmetic would copy them each time.
    return StoredTensor(kind, np.require(array, requirements="A"))


def _unpickled(path: Path, *, prefixes: tuple[str, ...]) -> dict[str, StoredTensor]:
    from xclip_core.checkpoint.checkpoint import read_pickled

    return {
        name: StoredTensor("F32", tensor.float().numpy())
        if tensor.is_floating_point()
        else StoredTensor(str(tensor.dtype), tensor.numpy())
        for name, tensor in read_pickled(path).items()
        if name.startswith(prefixes)
    }


def _in_single(array: NDArray[Any], *, kind: str) -> NDArray[np.float32]:
    if kind == "BF16":  # the upper half of a float32
        return (array.astype(np.uint32) << 16).view(np.float32)
    return np.asarray(array, dtype=np.float32)
