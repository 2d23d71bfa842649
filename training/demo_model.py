"""Make the demo model: `python -m training.demo_model`.

A small X-CLIP learns the toy world in two stages. First a model of single frames learns what a
frame can show, at an eighth of the cost: colour, shape, place and size. It cannot learn the
motions of a pair. Then the same weights with eight frames and a fresh table of frame positions
learn what happens.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import nn

from toyworld.world import every_sentence
from training.toy_batches import clip_batches, still_batches
from xclip_core import (
    XCLIP,
    FrameProcessor,
    TextConfig,
    Tokenizer,
    TrainingPlan,
    TrainingStep,
    VisionConfig,
    XCLIPConfig,
    load_checkpoint,
    save_checkpoint,
    train,
    train_tokenizer,
)
from xclip_core.checkpoint.location import DEMO_FOLDER

FRAMES = 8
IMAGE_SIZE = 64

# Where a patch lies and when a frame comes must be heard beside what they show. Patches of plain
# walls project to numbers around 1: positions that start at a hundredth of that, as CLIP's do,
# are not found in the time of this training, and left stays the same as right.
_PATCH_POSITION_STD = 0.5
_FRAME_POSITION_STD = 0.3

FRAME_PLAN = TrainingPlan(steps=1400, learning_rate=1e-3, prompted_weight=0.0)
# What single frames have taught moves slowly; what joins frames is new and moves fast.
CLIP_PLAN = TrainingPlan(steps=1800, learning_rate=1e-4, new_parts_factor=10.0)

Report = Callable[[str], None]

PROCESSOR = FrameProcessor.published(IMAGE_SIZE)


def demo_config(tokenizer: Tokenizer, *, frames: int) -> XCLIPConfig:
    """The architecture: about two and a half million parameters."""
    return XCLIPConfig.from_parts(
        text=TextConfig(
            vocab_size=tokenizer.vocabulary_size,
            hidden_size=128,
            intermediate_size=512,
            num_hidden_layers=2,
            num_attention_heads=4,
        ),
        vision=VisionConfig(
            hidden_size=128,
            intermediate_size=512,
            num_hidden_layers=4,
            num_attention_heads=4,
            mit_hidden_size=128,
            mit_intermediate_size=512,
            mit_num_hidden_layers=2,
            mit_num_attention_heads=4,
            image_size=IMAGE_SIZE,
            patch_size=16,
            num_frames=frames,
        ),
        prompt_num_attention_heads=4,
        logit_scale_init_value=math.log(10),
    )


def with_frames(model: XCLIP, *, frames: int) -> XCLIP:
    """The same weights for another number of frames, with frame positions drawn afresh."""
    config = replace(model.config, vision=replace(model.config.vision, num_frames=frames))
    wider = XCLIP(config)
    state = model.state_dict()
    state["mit.position_embedding"] = torch.empty(1, frames, config.projection_dim).normal_(
        std=_FRAME_POSITION_STD
    )
    wider.load_state_dict(state)
    return wider


def train_control(folder: Path, *, seed: int, plan: TrainingPlan, report: Report) -> None:
    """Stage 1: a model of single frames, written to a folder."""
    torch.manual_seed(seed)
    tokenizer = train_tokenizer(every_sentence(), vocabulary_size=1024)
    model = XCLIP(demo_config(tokenizer, frames=1))
    nn.init.normal_(
        model.vision_model.embeddings.position_embedding.weight, std=_PATCH_POSITION_STD
    )
    batches = still_batches(tokenizer, PROCESSOR, seed=seed, looks=40)
    train(model, batches, plan=plan, report=_printer(report, of=plan.steps))
    _save(folder, model=model, tokenizer=tokenizer)


def train_demo_model(
    folder: Path, *, control: Path, seed: int, plan: TrainingPlan, report: Report
) -> None:
    """Stage 2: from the model of single frames to one of clips, written to a folder."""
    torch.manual_seed(seed)
    start = load_checkpoint(str(control))
    model = with_frames(start.model, frames=FRAMES)
    batches = clip_batches(start.tokenizer, PROCESSOR, seed=seed, frames=FRAMES, looks=8)
    train(model, batches, plan=plan, report=_printer(report, of=plan.steps))
    _save(folder, model=model, tokenizer=start.tokenizer)


def _save(folder: Path, *, model: XCLIP, tokenizer: Tokenizer) -> None:
    # Half precision halves the package; vectors move by less than a thousandth.
    save_checkpoint(folder, model=model.half(), tokenizer=tokenizer, processor=PROCESSOR)


def _printer(report: Report, *, of: int) -> Callable[[TrainingStep], None]:
    def print_step(step: TrainingStep) -> None:
        if step.step % 50 == 0 or step.step == of:
            left = step.seconds / step.step * (of - step.step) / 60
            questions = " ".join(f"{loss:.2f}" for loss in step.question_losses)
            report(
                f"{step.step:5d}/{of}  plain {step.plain_loss:.3f}  prompted "
                f"{step.prompted_loss:.3f}  questions {questions}  "
                f"{step.seconds / step.step:.2f} s/step, {left:.0f} min left"
            )

    return print_step


def main() -> None:
    """Train, and write both checkpoints in the published form."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DEMO_FOLDER, help="folder for the demo model")
    parser.add_argument(
        "--control",
        type=Path,
        default=Path("build/demo-control"),
        help="folder for the model of single frames; one that is there is taken as it is",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--threads", type=int, default=3, help="their number is part of the result (3)"
    )
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    report = partial(print, flush=True)
    if not asked.control.is_dir():
        report("stage 1: single frames")
        train_control(asked.control, seed=asked.seed, plan=FRAME_PLAN, report=report)
    report(f"stage 2: clips of {FRAMES} frames")
    train_demo_model(
        asked.out, control=asked.control, seed=asked.seed + 1, plan=CLIP_PLAN, report=report
    )


if __name__ == "__main__":
    main()
