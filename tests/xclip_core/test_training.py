"""Training: it learns, it spares what it is told to, and says what does not fit."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from xclip_core.errors import InputError
from xclip_core.model.config import XCLIPConfig
from xclip_core.model.model import XCLIP
from xclip_core.training import Question, TrainingBatch, TrainingPlan, TrainingStep, train

PLAN = TrainingPlan(steps=40, learning_rate=3e-3, warmup_steps=4)


def batches(config: XCLIPConfig, *, count: int) -> Iterator[TrainingBatch]:
    """Four sentences, each with a picture of its own under noise."""
    generator = torch.Generator().manual_seed(0)
    size = config.vision.image_size
    pictures = torch.randn(4, 1, 3, size, size, generator=generator)
    end = config.text.vocab_size - 1
    ids = torch.tensor([[end - 1, 10 + i, 20 + i, end] for i in range(4)])
    halves = torch.tensor([[end - 1, 30 + i, end] for i in range(2)])
    for _ in range(count):
        noise = torch.randn(4, config.vision.num_frames, 3, size, size, generator=generator)
        order = torch.randperm(4, generator=generator)
        yield TrainingBatch(
            pixels=(pictures + 0.3 * noise)[order],
            captions=Question(ids=ids, targets=order),
            questions=(Question(ids=halves, targets=order // 2),),
        )


def run(config: XCLIPConfig, plan: TrainingPlan) -> tuple[XCLIP, list[TrainingStep]]:
    torch.manual_seed(1)
    model, steps = XCLIP(config), []
    train(model, batches(config, count=plan.steps), plan=plan, report=steps.append)
    return model, steps


def test_every_loss_falls_and_the_plain_vectors_match(small_config: XCLIPConfig) -> None:
    model, steps = run(small_config, PLAN)
    assert [step.step for step in steps] == list(range(1, 41))
    assert steps[0].plain_loss > 1.0
    assert steps[-1].plain_loss < 0.3 * steps[0].plain_loss
    assert steps[-1].prompted_loss < 0.3 * steps[0].prompted_loss
    assert steps[-1].question_losses[0] < 0.3 * steps[0].question_losses[0]
    assert not model.training
    batch = next(batches(small_config, count=1))
    with torch.no_grad():
        scores = model.encode_video(batch.pixels) @ model.encode_text(batch.captions.ids).T
    assert torch.equal(scores.argmax(dim=1), batch.captions.targets)


def test_the_prompted_loss_can_be_left_out(small_config: XCLIPConfig) -> None:
    model, steps = run(small_config, replace(PLAN, steps=2, prompted_weight=0.0, weight_decay=0.0))
    assert [step.prompted_loss for step in steps] == [0.0, 0.0]
    torch.manual_seed(1)
    before = XCLIP(small_config)
    assert torch.equal(before.prompts_visual_projection, model.prompts_visual_projection)


def test_the_same_seed_trains_the_same_model(small_config: XCLIPConfig) -> None:
    plan = replace(PLAN, steps=4)
    (one, _), (two, _) = run(small_config, plan), run(small_config, plan)
    assert all(map(torch.equal, one.state_dict().values(), two.state_dict().values()))


def test_the_rate_rises_and_then_falls_to_a_hundredth(small_config: XCLIPConfig) -> None:
    _, steps = run(small_config, replace(PLAN, warmup_steps=5))
    rates = [step.learning_rate for step in steps]
    assert rates[:5] == sorted(rates[:5])
    assert rates[5:] == sorted(rates[5:], reverse=True)
    assert rates[-1] == pytest.approx(PLAN.learning_rate / 100, rel=0.2)


def test_a_frozen_text_encoder_does_not_move(small_config: XCLIPConfig) -> None:
    torch.manual_seed(1)
    before = {name: value.clone() for name, value in XCLIP(small_config).state_dict().items()}
    model, _ = run(small_config, replace(PLAN, steps=3, freeze_text=True))
    after = model.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert not {name for name in moved if name.startswith(("text_", "logit_scale"))}
    assert "mit.position_embedding" in moved
    assert "vision_model.embeddings.class_embedding" in moved


def test_new_parts_learn_faster_where_that_is_asked_for(small_config: XCLIPConfig) -> None:
    torch.manual_seed(1)
    before = XCLIP(small_config).state_dict()
    distances = []
    for factor in (1.0, 10.0):
        plan = replace(PLAN, steps=1, warmup_steps=1, new_parts_factor=factor, weight_decay=0.0)
        after = run(small_config, plan)[0].state_dict()
        distances.append(
            {name: (after[name] - before[name]).abs().mean().item() for name in before}
        )
    slow, fast = distances
    for name in ("mit.position_embedding", "vision_model.encoder.layers.0.message_fc.weight"):
        assert fast[name] == pytest.approx(10 * slow[name], rel=0.05)
    patches = "vision_model.embeddings.patch_embedding.weight"
    assert fast[patches] == pytest.approx(slow[patches], rel=0.05)


def test_more_sentences_than_clips_are_further_wrong_answers(small_config: XCLIPConfig) -> None:
    whole = next(batches(small_config, count=1))
    captions = Question(ids=whole.captions.ids, targets=whole.captions.targets[:2])
    part = TrainingBatch(pixels=whole.pixels[:2], captions=captions)
    steps: list[TrainingStep] = []
    train(XCLIP(small_config), [part], plan=replace(PLAN, steps=1), report=steps.append)
    assert len(steps) == 1


def test_batches_that_end_too_soon_are_refused(small_config: XCLIPConfig) -> None:
    with pytest.raises(InputError, match="after 2 steps"):
        train(
            XCLIP(small_config),
            batches(small_config, count=2),
            plan=replace(PLAN, steps=3),
            report=lambda _: None,
        )


def test_a_batch_that_does_not_add_up_is_refused() -> None:
    pixels, ids = torch.zeros(2, 4, 3, 32, 32), torch.zeros(3, 5, dtype=torch.int64)
    one, two, twice = (torch.tensor(targets) for targets in ([0], [2, 0], [1, 1]))
    fitting = Question(ids=ids, targets=two)
    with pytest.raises(InputError, match="2 clips came with 1 targets"):
        TrainingBatch(pixels=pixels, captions=Question(ids=ids, targets=one))
    with pytest.raises(InputError, match="2 clips came with 1 targets"):
        TrainingBatch(pixels=pixels, captions=fitting, questions=(Question(ids=ids, targets=one),))
    with pytest.raises(InputError, match="same caption"):
        TrainingBatch(pixels=pixels, captions=Question(ids=ids, targets=twice))
