"""What a checkpoint's small files say, before anything heavy is loaded."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from xclip_core.checkpoint.checkpoint import load_checkpoint
from xclip_core.checkpoint.files import read_clip_format
from xclip_core.checkpoint.location import DEMO_FOLDER
from xclip_core.errors import CheckpointNotFoundError, ConfigError

_READ = """
import sys
from xclip_core.checkpoint.files import read_clip_format
from xclip_core.checkpoint.location import locate
print(read_clip_format(locate("demo").folder).frames_per_clip, "torch" in sys.modules)
"""


def test_the_format_of_clips_is_that_of_the_loaded_model():
    loaded, told = load_checkpoint("demo"), read_clip_format(DEMO_FOLDER)
    vision = loaded.model.config.vision
    assert (told.frames_per_clip, told.image_size) == (vision.num_frames, vision.image_size)
    assert told.dim == loaded.model.config.projection_dim
    assert told.processor == loaded.processor


def test_the_format_is_read_without_pytorch():
    run = subprocess.run([sys.executable, "-c", _READ], capture_output=True, text=True, check=True)
    assert run.stdout.split()[1] == "False"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO_FOLDER, tmp_path / "copy"))


def test_a_folder_without_weights_is_no_model_whose_clips_could_be_read(copy: Path):
    (copy / "model.safetensors").unlink()
    with pytest.raises(CheckpointNotFoundError, match="no weights"):
        read_clip_format(copy)


def test_frames_of_another_size_than_the_models_are_refused(copy: Path):
    path = copy / "preprocessor_config.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps(values | {"size": 48, "crop_size": 48}))
    with pytest.raises(ConfigError, match="makes frames of 48 pixels"):
        read_clip_format(copy)
