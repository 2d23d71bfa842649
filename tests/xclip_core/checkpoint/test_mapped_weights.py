"""Weights as views of their file: what is read of it, in which type, and what is refused."""

import json
import mmap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from xclip_core.checkpoint.mapped_weights import map_weights
from xclip_core.checkpoint.tensor_forms import TensorForm, require_forms
from xclip_core.errors import WeightsError

Weights = dict[str, torch.Tensor]
TEXT = ("text_model.",)


@pytest.fixture
def weights() -> Weights:
    return {
        "text_model.a": torch.randn(5, 4),
        "text_model.b": torch.randn(4),
        "vision_model.c": torch.randn(3, 2, 2),
    }


def written(folder: Path, weights: Weights) -> Path:
    path = folder / "model.safetensors"
    save_file(weights, path, metadata={"format": "pt"})
    return path


def base_of(array: NDArray[Any]) -> object:
    """What an array is a view of, at the very end."""
    base: object = array
    while isinstance(base, np.ndarray | memoryview):
        base = base.base if isinstance(base, np.ndarray) else base.obj
    return base


def test_tensors_are_found_by_the_beginning_of_their_names(
    tmp_path: Path, weights: Weights
) -> None:
    found = map_weights([written(tmp_path, weights)], prefixes=TEXT)
    assert found.keys() == {"text_model.a", "text_model.b"}
    for name, tensor in found.items():
        assert np.array_equal(tensor.whole(), weights[name].numpy())


def test_single_precision_stays_in_the_file(tmp_path: Path, weights: Weights) -> None:
    found = map_weights([written(tmp_path, weights)], prefixes=TEXT)
    assert isinstance(base_of(found["text_model.a"].whole()), mmap.mmap)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_become_single(
    tmp_path: Path, weights: Weights, dtype: torch.dtype
) -> None:
    stored = {name: value.to(dtype) for name, value in weights.items()}
    found = map_weights([written(tmp_path, stored)], prefixes=TEXT)["text_model.a"]
    expected = stored["text_model.a"].float().numpy()
    assert found.whole().dtype == np.float32
    assert np.array_equal(found.whole(), expected)
    assert np.array_equal(found.rows(np.array([3, 0, 3])), expected[[3, 0, 3]])


def test_a_file_whose_numbers_lie_at_odd_addresses_is_read(
    tmp_path: Path, weights: Weights
) -> None:
    path = written(tmp_path, weights)
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = content[8 : 8 + length].rstrip() + b" " * 3
    header += b" " * (1 - len(header) % 2)
    path.write_bytes(len(header).to_bytes(8, "little") + header + content[8 + length :])
    found = map_weights([path], prefixes=TEXT)["text_model.a"]
    assert np.array_equal(found.whole(), weights["text_model.a"].numpy())
    assert found.whole().flags.aligned


def test_parts_of_one_model_are_put_together(tmp_path: Path, weights: Weights) -> None:
    for name, value in weights.items():
        save_file({name: value}, tmp_path / f"{name}.safetensors")
    files = sorted(tmp_path.iterdir())
    assert map_weights(files, prefixes=TEXT).keys() == {"text_model.a", "text_model.b"}


def test_a_pickle_is_read_as_well(tmp_path: Path, weights: Weights) -> None:
    path = tmp_path / "pytorch_model.bin"
    torch.save({**weights, "text_model.ids": torch.arange(4)}, path)
    found = map_weights([path], prefixes=TEXT)
    assert np.array_equal(found["text_model.a"].whole(), weights["text_model.a"].numpy())
    assert found["text_model.ids"].form == TensorForm((4,), "torch.int64", is_floating=False)


def test_a_tensor_of_whole_numbers_is_told_from_others(tmp_path: Path, weights: Weights) -> None:
    path = written(tmp_path, weights | {"text_model.ids": torch.arange(6).reshape(1, 6)})
    found = map_weights([path], prefixes=TEXT)
    assert found["text_model.ids"].form == TensorForm((1, 6), "I64", is_floating=False)


@pytest.mark.parametrize("kept", [0, 4, 20, 150, -1, -40])
def test_a_file_that_was_cut_off_is_said_to_be(tmp_path: Path, weights: Weights, kept: int) -> None:
    path = written(tmp_path, weights)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(WeightsError, match=r"model\.safetensors is damaged or cut off"):
        map_weights([path], prefixes=TEXT)


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [5, 5], "data_offsets": [0, 80]},
        {"dtype": "F32", "shape": [20], "data_offsets": [-80, 0]},
        {"dtype": "F32", "shape": [-20], "data_offsets": [80, 0]},
        {"dtype": "F32", "shape": 20, "data_offsets": [0, 80]},
        {"dtype": "F32", "shape": ["20"], "data_offsets": [0, 80]},
        {"dtype": "F32", "shape": [20]},
        {"dtype": ["F32"], "shape": [20], "data_offsets": [0, 80]},
        ["F32"],
    ],
)
def test_a_table_of_contents_that_makes_no_sense_is_refused(tmp_path: Path, entry: Any) -> None:
    path = tmp_path / "model.safetensors"
    other = {"dtype": "U8", "shape": [100], "data_offsets": [0, 100]}
    header = json.dumps({"text_model.a": entry, "other": other}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(100))
    with pytest.raises(WeightsError, match="damaged or cut off"):
        map_weights([path], prefixes=TEXT)


def test_faults_are_named_with_what_was_found_and_wanted() -> None:
    wanted: dict[str, tuple[int, ...]] = {"a": (2,), "b": (3,), "c": (4,)}
    found = {
        "b": TensorForm((5,), "F32", is_floating=True),
        "c": TensorForm((4,), "I8", is_floating=False),
        "d": TensorForm((), "F32", is_floating=True),
    }
    with pytest.raises(WeightsError) as caught:
        require_forms(wanted, found, source=Path("/models/x"))
    for words in ("/models/x", "a is missing", "d is unknown", "(5,) and not (3,)", "1 more"):
        assert words in str(caught.value)
    require_forms({}, {}, source=Path("/models/x"))
