"""Checkpoints on disk: strict loading, safe files, and what is said when something is wrong."""

import dataclasses
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from xclip_core.checkpoint.checkpoint import load_checkpoint, save_checkpoint
from xclip_core.checkpoint.tensor_forms import OBSOLETE_BUFFERS
from xclip_core.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    ConfigError,
    ModelError,
    WeightsError,
)
from xclip_core.inputs.preprocess import FrameProcessor
from xclip_core.inputs.tokenizer import Tokenizer
from xclip_core.model.model import XCLIP

Weights = dict[str, torch.Tensor]


def weights_of(folder: Path) -> Weights:
    return load_file(folder / "model.safetensors")


def rewrite_weights(folder: Path, weights: Weights) -> None:
    (folder / "model.safetensors").unlink()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def change_config(folder: Path, part: str, **changed: Any) -> None:
    path = folder / "config.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content[part].update(changed)
    path.write_text(json.dumps(content), encoding="utf-8")


def same_weights(one: XCLIP, two: XCLIP) -> bool:
    left, right = one.state_dict(), two.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[key], right[key]) for key in left)


def test_a_saved_checkpoint_loads_as_it_was(small_folder: Path, small_model: XCLIP) -> None:
    loaded = load_checkpoint(str(small_folder))
    assert same_weights(loaded.model, small_model)
    assert loaded.model.config == small_model.config
    assert not loaded.model.training
    assert loaded.identity.model == str(small_folder)
    assert loaded.identity.revision is None


def test_saved_weights_are_as_readable_as_the_files_beside_them(small_folder: Path) -> None:
    modes = {path.name: path.stat().st_mode for path in small_folder.iterdir()}
    assert modes["model.safetensors"] == modes["config.json"]


def test_a_saved_checkpoint_works_in_the_published_library(
    small_folder: Path, small_model: XCLIP, small_tokenizer: Tokenizer
) -> None:
    theirs = transformers.XCLIPModel.from_pretrained(small_folder).eval()
    ids, mask = small_tokenizer.encode_batch(["a red circle", "a green square moving left"])
    pixels = torch.randn(2, 4, 3, 32, 32)
    with torch.no_grad():
        ours = small_model(ids, pixels, mask=mask).logits_per_video
        expected = theirs(input_ids=ids, attention_mask=mask, pixel_values=pixels)
    assert torch.allclose(ours, expected.logits_per_video, atol=1e-5)


def test_what_the_published_library_saves_loads_here(
    small_folder: Path, tmp_path: Path, small_model: XCLIP
) -> None:
    theirs = transformers.XCLIPModel.from_pretrained(small_folder)
    again = tmp_path / "again"
    theirs.save_pretrained(again)
    transformers.AutoTokenizer.from_pretrained(small_folder).save_pretrained(again)
    FrameProcessor.load(small_folder).save(again)
    assert same_weights(load_checkpoint(str(again)).model, small_model)


def test_obsolete_position_tables_of_published_files_are_left_out(
    small_folder: Path, small_model: XCLIP
) -> None:
    tables = {name: torch.arange(5)[None] for name in OBSOLETE_BUFFERS}
    rewrite_weights(small_folder, weights_of(small_folder) | tables)
    assert same_weights(load_checkpoint(str(small_folder)).model, small_model)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_files_are_computed_in_single(
    small_folder: Path, dtype: torch.dtype
) -> None:
    halves = {key: value.to(dtype) for key, value in weights_of(small_folder).items()}
    rewrite_weights(small_folder, halves)
    model = load_checkpoint(str(small_folder)).model
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_a_half_precision_model_is_saved_as_such(
    tmp_path: Path, small_folder: Path, small_tokenizer: Tokenizer, small_processor: FrameProcessor
) -> None:
    model = load_checkpoint(str(small_folder)).model.to(torch.float16)
    half = tmp_path / "half"
    save_checkpoint(half, model=model, tokenizer=small_tokenizer, processor=small_processor)
    assert {value.dtype for value in weights_of(half).values()} == {torch.float16}
    assert json.loads((half / "config.json").read_text())["dtype"] == "float16"


def test_a_model_may_be_saved_over_the_folder_that_it_came_from(
    small_folder: Path, small_tokenizer: Tokenizer, small_processor: FrameProcessor
) -> None:
    model = load_checkpoint(str(small_folder)).model
    for _ in range(2):
        save_checkpoint(
            small_folder, model=model, tokenizer=small_tokenizer, processor=small_processor
        )
    assert same_weights(load_checkpoint(str(small_folder)).model, model)
    assert not list(small_folder.glob(".*"))


def test_a_loaded_model_can_be_trained_further(small_folder: Path) -> None:
    model = load_checkpoint(str(small_folder)).model
    model.encode_text(torch.tensor([[0, 1]])).sum().backward()
    assert model.text_projection.weight.grad is not None


def split_into_shards(folder: Path) -> list[Path]:
    weights = weights_of(folder)
    names = sorted(weights)
    halves = {"model-00001-of-00002.safetensors": names[::2]}
    halves["model-00002-of-00002.safetensors"] = names[1::2]
    for shard, keys in halves.items():
        save_file({key: weights[key] for key in keys}, folder / shard)
    weight_map = {key: shard for shard, keys in halves.items() for key in keys}
    index = json.dumps({"metadata": {}, "weight_map": weight_map})
    (folder / "model.safetensors.index.json").write_text(index, encoding="utf-8")
    (folder / "model.safetensors").unlink()
    return [folder / shard for shard in halves]


def test_weights_in_shards_load(small_folder: Path, small_model: XCLIP) -> None:
    whole = load_checkpoint(str(small_folder))
    split_into_shards(small_folder)
    loaded = load_checkpoint(str(small_folder))
    assert same_weights(loaded.model, small_model)
    again = dataclasses.replace(loaded.identity, model_digest="")
    assert again == dataclasses.replace(whole.identity, model_digest="")


def test_a_missing_shard_is_named(small_folder: Path) -> None:
    split_into_shards(small_folder)[1].unlink()
    with pytest.raises(CheckpointNotFoundError, match="00002-of-00002"):
        load_checkpoint(str(small_folder))


@pytest.mark.parametrize(
    ("index", "named"),
    [
        ("{", "damaged"),
        ('{"weight_map": {"a": "../../secret.safetensors"}}', "not a file beside it"),
        ('{"weight_map": {"a": 3}}', "not a file beside it"),
        ('{"weight_map": []}', "damaged"),
    ],
)
def test_a_hostile_index_of_shards_is_refused(small_folder: Path, index: str, named: str) -> None:
    (small_folder / "model.safetensors").unlink()
    (small_folder / "model.safetensors.index.json").write_text(index, encoding="utf-8")
    with pytest.raises(CheckpointError, match=named):
        load_checkpoint(str(small_folder))


def pickle_weights(folder: Path, content: object) -> None:
    (folder / "model.safetensors").unlink()
    torch.save(content, folder / "pytorch_model.bin")


def test_pickled_weights_load_where_there_are_no_others(
    small_folder: Path, small_model: XCLIP
) -> None:
    pickle_weights(small_folder, weights_of(small_folder))
    assert same_weights(load_checkpoint(str(small_folder)).model, small_model)


def test_safetensors_win_over_a_pickle(small_folder: Path, small_model: XCLIP) -> None:
    (small_folder / "pytorch_model.bin").write_bytes(b"never read")
    assert same_weights(load_checkpoint(str(small_folder)).model, small_model)


class _Touches:
    """What a malicious pickle does: run something while it is being read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("write", ["torch", "plain"])
def test_a_pickle_that_wants_to_run_code_is_refused(
    small_folder: Path, tmp_path: Path, write: str
) -> None:
    trace = tmp_path / "ran"
    if write == "torch":
        pickle_weights(small_folder, {"logit_scale": _Touches(trace)})
    else:
        (small_folder / "model.safetensors").unlink()
        (small_folder / "pytorch_model.bin").write_bytes(pickle.dumps(_Touches(trace), protocol=2))
    with pytest.raises(WeightsError, match=r"refused.*model\.safetensors"):
        load_checkpoint(str(small_folder))
    assert not trace.exists()


@pytest.mark.parametrize("content", [[1, 2], {"a": "text"}, torch.zeros(3)])
def test_a_pickle_of_something_else_is_refused(small_folder: Path, content: object) -> None:
    pickle_weights(small_folder, content)
    with pytest.raises(WeightsError, match="tensors by name"):
        load_checkpoint(str(small_folder))


@pytest.mark.parametrize("kept", [0, 4, 1000, -1000])
@pytest.mark.parametrize("kind", ["model.safetensors", "pytorch_model.bin"])
def test_a_file_that_was_cut_off_is_said_to_be(small_folder: Path, kind: str, kept: int) -> None:
    if kind == "pytorch_model.bin":
        pickle_weights(small_folder, weights_of(small_folder))
    path = small_folder / kind
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(WeightsError, match=f"{kind} is damaged or cut off.*put a sound copy"):
        load_checkpoint(str(small_folder))


def test_a_missing_tensor_is_named(small_folder: Path) -> None:
    weights = weights_of(small_folder)
    del weights["mit.position_embedding"]
    rewrite_weights(small_folder, weights)
    with pytest.raises(WeightsError, match=r"mit\.position_embedding is missing"):
        load_checkpoint(str(small_folder))


def test_an_extra_tensor_is_named(small_folder: Path) -> None:
    rewrite_weights(small_folder, weights_of(small_folder) | {"mit.more": torch.zeros(1)})
    with pytest.raises(WeightsError, match=r"mit\.more is unknown"):
        load_checkpoint(str(small_folder))


def test_a_misshapen_tensor_is_named_with_both_shapes(small_folder: Path) -> None:
    change_config(small_folder, "vision_config", num_frames=8)
    with pytest.raises(WeightsError) as caught:
        load_checkpoint(str(small_folder))
    assert "mit.position_embedding has the shape (1, 4, 16) and not (1, 8, 16)" in str(caught.value)


def test_many_faults_are_counted_and_three_are_named(small_folder: Path) -> None:
    change_config(small_folder, "text_config", num_hidden_layers=3)
    with pytest.raises(WeightsError, match="and 13 more such faults"):
        load_checkpoint(str(small_folder))


def test_whole_numbers_where_weights_belong_are_refused(small_folder: Path) -> None:
    weights = weights_of(small_folder)
    weights["mit.position_embedding"] = weights["mit.position_embedding"].to(torch.int8)
    rewrite_weights(small_folder, weights)
    with pytest.raises(WeightsError, match=r"torch\.int8"):
        load_checkpoint(str(small_folder))


def test_a_vocabulary_larger_than_the_table_is_refused(small_folder: Path) -> None:
    change_config(small_folder, "text_config", vocab_size=100)
    with pytest.raises(ConfigError, match="100"):
        load_checkpoint(str(small_folder))


def test_frames_of_another_size_than_the_models_are_refused(small_folder: Path) -> None:
    path = small_folder / "preprocessor_config.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | {"crop_size": 24}), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"24 pixels.*32"):
        load_checkpoint(str(small_folder))


@pytest.mark.parametrize("content", ["{", "[]", "\x00"])
def test_a_damaged_configuration_is_refused(small_folder: Path, content: str) -> None:
    (small_folder / "config.json").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match="put a sound copy"):
        load_checkpoint(str(small_folder))


@pytest.mark.parametrize(
    ("removed", "error", "named"),
    [
        ("config.json", CheckpointNotFoundError, "config.json"),
        ("model.safetensors", CheckpointNotFoundError, "has no weights"),
        ("preprocessor_config.json", ModelError, "preprocessor_config.json"),
    ],
)
def test_a_folder_that_lacks_a_file_is_told_which(
    small_folder: Path, removed: str, error: type[ModelError], named: str
) -> None:
    (small_folder / removed).unlink()
    with pytest.raises(error, match=named):
        load_checkpoint(str(small_folder))


def test_a_folder_may_be_relative_or_in_the_home_folder(
    small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small_folder.parent)
    monkeypatch.setenv("HOME", str(small_folder.parent))
    names = {load_checkpoint(name).identity.model for name in ("small", "./small", "~/small")}
    assert names == {str(small_folder.resolve())}


@pytest.mark.parametrize("name", ["", "xclip", "./nowhere", "/no/such/folder", "a/b/c", "a b/c"])
def test_a_name_that_cannot_be_a_model_is_told_what_can(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointNotFoundError, match="'demo', a folder that exists, or a Hub id"):
        load_checkpoint(name)
