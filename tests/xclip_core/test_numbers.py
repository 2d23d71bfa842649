"""Numbers in the files of a checkpoint: others write them, and none of them ends in a traceback."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from xclip_core.checkpoint.files import read_clip_format, read_config
from xclip_core.errors import ModelError

# As JSON spells them; Python reads all but the last, which has more digits than it converts.
LARGE = str(2**63)
NUMBERS = ("1e400", "-1e400", "NaN", "Infinity", "1" + 400 * "0", LARGE, "-1", 5000 * "9")


def read(folder: Path) -> None:
    """What is read of a checkpoint before its weights."""
    read_config(folder)
    read_clip_format(folder)


def places(found: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], bool]]:
    """Where in a document numbers stand that mean something, and whether they are whole."""
    if isinstance(found, dict | list):
        for key, value in found.items() if isinstance(found, dict) else enumerate(found):
            yield from places(value, (*path, key))
    elif type(found) in (int, float) and not str(path[-1]).endswith("_token_id"):
        yield path, isinstance(found, int)


def changed(document: Any, path: tuple[Any, ...]) -> Any:
    if not path:
        return "ODD"
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[path[0]] = changed(document[path[0]], path[1:])
    return copy


def may_be_negative(path: tuple[Any, ...]) -> bool:
    free = (
        "image_mean",
        "image_std",
        "rescale_factor",
        "logit_scale",
        "initializer",
        "layer_norm_eps",
        "prompt_alpha",
    )
    return any(str(name).startswith(free) for name in path)


@pytest.mark.parametrize("odd", NUMBERS, ids=lambda text: text[:8])
@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json"])
def test_an_odd_number_in_a_checkpoint_is_refused_in_a_sentence(
    small_folder: Path, tmp_path: Path, name: str, odd: str
) -> None:
    folder = shutil.copytree(small_folder, tmp_path / "model")
    document = json.loads((folder / name).read_text())
    for path, is_whole in places(document):
        if (odd == "-1" and may_be_negative(path)) or (odd == LARGE and not is_whole):
            continue
        text = json.dumps(changed(document, path)).replace('"ODD"', odd)
        (folder / name).write_text(text)
        with pytest.raises(ModelError) as refused:
            read(folder)
        assert "\n" not in str(refused.value)
        assert len(str(refused.value)) < 1000
