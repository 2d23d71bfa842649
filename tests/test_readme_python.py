"""The Python of README.md runs, block after block, with the demo model for a published one."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from media import write_video

README = Path(__file__).parents[1] / "README.md"
SECTION = README.read_text(encoding="utf-8").split("## X-CLIP in Python\n")[1].split("\n## ")[0]
BLOCKS = re.findall(r"^```python\n(.*?)^```$", SECTION, flags=re.MULTILINE | re.DOTALL)


def test_the_python_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    frames = [np.full((48, 64, 3), 9 * number, np.uint8) for number in range(20)]
    write_video(tmp_path / "video.mp4", frames, frame_rate=10)
    names: dict[str, Any] = {}
    printed = []
    for block in BLOCKS:
        with torch.random.fork_rng():
            exec(block.replace("microsoft/xclip-base-patch32", "demo"), names)
        printed.append(capsys.readouterr().out)
    zero_shot, cosines, embedded, new_model, trained = printed
    shown = [float(line.split()[0]) for line in zero_shot.splitlines()]
    assert shown == pytest.approx(names["logits"].softmax(dim=1)[0].tolist(), abs=0.001)
    # The embedders, which may compute in half precision, agree with the plain model.
    for plain, fast in zip((cosines, zero_shot), embedded.splitlines(), strict=True):
        expected = re.findall(r"-?\d\.\d+", plain)
        found = re.findall(r"-?\d\.\d+(?:e-\d+)?", fast)
        assert np.allclose(np.float64(found), np.float64(expected), atol=0.02)
    assert new_model == ""
    assert (tmp_path / "my-xclip" / "model.safetensors").is_file()
    assert trained.startswith("TrainingStep(step=1, plain_loss=")
