"""The digest of a model, ingredient by ingredient, and the cache for those of weights."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from xclip_core.checkpoint.digest import weights_digest
from xclip_core.checkpoint.files import CheckpointFiles
from xclip_core.checkpoint.location import DEMO_FOLDER

AT_REST = DEMO_FOLDER / "model.safetensors"  # as old as the installation


@dataclass
class MemoryCache:
    """A cache that forgets everything at the end."""

    known: dict[bytes, bytes] = field(default_factory=dict)

    def get(self, key: bytes) -> bytes | None:
        return self.known.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        self.known[key] = value


def sha256(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    """A link to a file that has been at rest for long."""
    link = tmp_path / "weights"
    link.symlink_to(AT_REST)
    return link


def test_one_file_has_the_digest_that_everybody_gets(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"weights")
    assert weights_digest([tmp_path / "a"]) == sha256(b"weights")


def test_several_files_have_that_of_their_digests_in_order(tmp_path: Path) -> None:
    files = [tmp_path / "a", tmp_path / "b"]
    for path in files:
        path.write_bytes(path.name.encode())
    each = [hashlib.sha256(path.name.encode()).digest() for path in files]
    assert weights_digest(files) == sha256(*each)
    assert weights_digest(files[::-1]) != weights_digest(files)


def test_a_file_that_is_known_is_not_read_again(old_file: Path) -> None:
    cache = MemoryCache()
    first = weights_digest([old_file], cache=cache)
    assert first == sha256(AT_REST.read_bytes())
    (key,) = cache.known
    cache.known[key] = b"ab" * 32  # only by this it shows where the answer comes from
    assert weights_digest([old_file], cache=cache) == "ab" * 32


def test_a_link_to_a_file_is_that_file(old_file: Path) -> None:
    cache = MemoryCache()
    assert weights_digest([old_file], cache=cache) == weights_digest([AT_REST], cache=cache)
    assert len(cache.known) == 1


def changes(path: Path) -> Iterator[None]:
    """Ways of putting something else into a file's place; size and time of change are forged."""
    before = path.stat()
    path.write_bytes(b"B" * before.st_size)
    while path.stat().st_ctime_ns == before.st_ctime_ns:  # until the file system's clock ticks
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    yield
    beside = path.with_name("beside")
    beside.write_bytes(b"C" * before.st_size)
    os.utime(beside, ns=(before.st_atime_ns, before.st_mtime_ns))
    beside.replace(path)
    yield
    path.write_bytes(b"D" * (before.st_size + 1))
    yield


def test_a_file_that_is_not_what_it_was_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"A" * 100)
    cache = MemoryCache()
    assert weights_digest([path], cache=cache, rest=0) == sha256(b"A" * 100)
    for number, _ in enumerate(changes(path), start=1):
        assert len(cache.known) == number
        assert weights_digest([path], cache=cache, rest=0) == sha256(path.read_bytes())


def test_a_file_that_was_only_just_written_is_not_noted(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"A")
    cache = MemoryCache()
    weights_digest([path], cache=cache)
    assert cache.known == {}


@pytest.mark.parametrize("nonsense", [b"", b"short", b"xy" * 32, b"ab" * 33])
def test_what_is_no_digest_counts_for_nothing(old_file: Path, nonsense: bytes) -> None:
    cache = MemoryCache()
    right = weights_digest([old_file], cache=cache)
    cache.known = dict.fromkeys(cache.known, nonsense)
    assert weights_digest([old_file], cache=cache) == right


# The digest of a model


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO_FOLDER, tmp_path / "copy"))


def digest_of(folder: Path) -> str:
    return CheckpointFiles.read(str(folder)).identity().model_digest


def rewrite(path: Path, change: Callable[[Any], Any], **spelling: Any) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(change(content), **spelling), encoding="utf-8")


def set_in(part: str, **values: Any) -> Callable[[Any], Any]:
    return lambda content: content | {part: content[part] | values}


def swap_two_merges(content: Any) -> Any:
    merges = content["model"]["merges"]
    merges[0], merges[1] = merges[1], merges[0]
    return content


def swap_two_tokens(content: Any) -> Any:
    vocabulary = content["model"]["vocab"]
    vocabulary["a"], vocabulary["b"] = vocabulary["b"], vocabulary["a"]
    return content


OTHER_MODELS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "mean": ("preprocessor_config.json", lambda c: c | {"image_mean": [0.5, 0.5, 0.5]}),
    "deviation": ("preprocessor_config.json", lambda c: c | {"image_std": [0.5, 0.5, 0.5]}),
    "scale": ("preprocessor_config.json", lambda c: c | {"rescale_factor": 1 / 127.5}),
    "crop": ("preprocessor_config.json", lambda c: c | {"size": {"shortest_edge": 72}}),
    "resampling": ("preprocessor_config.json", lambda c: c | {"resample": 3}),
    "no resizing": ("preprocessor_config.json", lambda c: c | {"do_resize": False}),
    "merges": ("tokenizer.json", swap_two_merges),
    "vocabulary": ("tokenizer.json", swap_two_tokens),
    "activation": ("config.json", set_in("text_config", hidden_act="gelu")),
    "heads": ("config.json", set_in("vision_config", num_attention_heads=1)),
    "epsilon": ("config.json", set_in("vision_config", layer_norm_eps=1e-4)),
}


@pytest.mark.parametrize("ingredient", OTHER_MODELS)
def test_the_same_weights_make_another_model_with_another(copy: Path, ingredient: str) -> None:
    name, change = OTHER_MODELS[ingredient]
    rewrite(copy / name, change)
    assert weights_digest([copy / "model.safetensors"]) == weights_digest([AT_REST])
    assert digest_of(copy) != digest_of(DEMO_FOLDER)


def test_other_weights_make_another_model(copy: Path) -> None:
    weights = copy / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert digest_of(copy) != digest_of(DEMO_FOLDER)


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json", "tokenizer.json"])
def test_the_spelling_of_a_file_makes_no_difference(copy: Path, name: str) -> None:
    rewrite(copy / name, lambda content: content | {"unknown": 1}, indent=7, sort_keys=True)
    assert digest_of(copy) == digest_of(DEMO_FOLDER)


def test_settings_that_act_in_training_alone_make_no_difference(copy: Path) -> None:
    changed = {"attention_dropout": 0.3, "initializer_range": 0.5, "initializer_factor": 2.0}
    rewrite(copy / "config.json", set_in("text_config", **changed, eos_token_id=7))
    rewrite(copy / "config.json", set_in("vision_config", **changed, drop_path_rate=0.2))
    rewrite(copy / "config.json", lambda c: c | {"prompt_alpha": 1.0, "logit_scale_init_value": 1})
    assert digest_of(copy) == digest_of(DEMO_FOLDER)


def test_a_processor_file_as_first_published_is_the_same_processor(copy: Path) -> None:
    path = copy / "preprocessor_config.json"
    keys = ("resample", "image_mean", "image_std")
    rewrite(path, lambda c: {key: c[key] for key in keys} | {"size": c["size"]["shortest_edge"]})
    assert digest_of(copy) == digest_of(DEMO_FOLDER)


def test_a_vocabulary_in_two_files_is_the_same_vocabulary(copy: Path) -> None:
    (copy / "tokenizer.json").unlink()
    assert digest_of(copy) == digest_of(DEMO_FOLDER)


def test_the_digest_of_a_model_stays_what_it_is() -> None:
    """Whoever changes how it is computed makes every index one of another model."""
    expected = "002623ae21f83618aedf7a39401923c4352b80761cae5f6db64491c43859f5ee"
    assert digest_of(DEMO_FOLDER) == expected
