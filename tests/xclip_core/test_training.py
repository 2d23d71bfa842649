from collections.abc import Iterator
from itertools import repeat

import pytest
import torch

from xclip_core.config import TextConfig, VisionConfig, XCLIPConfig
from xclip_core.errors import InputError
from xclip_core.model import XCLIP
from xclip_core.training import Question, TrainingBatch, TrainingPlan, TrainingStep, train

END = 30


def _model() -> XCLIP:
    torch.manual_seed(0)
    text = TextConfig(
        vocab_size=END + 1,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=8,
    )
    vision = VisionConfig(
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        mit_hidden_size=16,
        mit_intermediate_size=32,
        mit_num_attention_heads=2,
        image_size=8,
        patch_size=4,
        num_frames=2,
    )
    return XCLIP(XCLIPConfig.from_parts(text=text, vision=vision, prompt_num_attention_heads=2))


def _batch() -> TrainingBatch:
    """Four clips that fall in two halves by brightness, and six captions, two of them wrong."""
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randn(4, 2, 3, 8, 8, generator=generator)
    pixels[2:] += 1.5
    ids = torch.randint(0, END, (6, 5), generator=generator)
    ids[:, -1] = END
    return TrainingBatch(
        pixels=pixels,
        captions=Question(ids=ids, targets=torch.tensor([4, 0, 2, 1])),
        questions=(Question(ids=ids[:2], targets=torch.tensor([0, 0, 1, 1])),),
    )


def _train(model: XCLIP, plan: TrainingPlan) -> list[TrainingStep]:
    steps: list[TrainingStep] = []
    train(model, repeat(_batch()), plan=plan, report=steps.append)
    return steps


def test_all_losses_fall_and_clips_find_their_captions() -> None:
    model, batch = _model(), _batch()
    steps = _train(model, TrainingPlan(steps=80, learning_rate=1e-2, warmup_steps=5))
    first, last = steps[0], steps[-1]
    assert last.plain_loss < first.plain_loss / 3
    assert last.prompted_loss < first.prompted_loss / 3
    assert last.question_losses[0] < first.question_losses[0] / 3
    with torch.no_grad():
        similarity = model.encode_video(batch.pixels) @ model.encode_text(batch.captions.ids).T
    assert similarity.argmax(dim=1).tolist() == batch.captions.targets.tolist()
    assert not model.training


def test_the_rate_rises_then_falls_to_a_hundredth() -> None:
    plan = TrainingPlan(steps=50, learning_rate=1e-3, warmup_steps=10)
    rates = [step.learning_rate for step in _train(_model(), plan)]
    assert rates[:9] == sorted(rates[:9])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert max(rates) <= 1e-3
    assert rates[-1] == pytest.approx(1e-5, rel=0.2)


def test_the_same_seed_trains_the_same_weights() -> None:
    plan = TrainingPlan(steps=5)
    models = [_model(), _model()]
    for model in models:
        _train(model, plan)
    for a, b in zip(models[0].parameters(), models[1].parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_frozen_text_encoder_stays_as_it_is_while_the_rest_learns() -> None:
    model, untouched = _model(), _model()
    _train(model, TrainingPlan(steps=5, freeze_text=True))
    before = dict(untouched.named_parameters())
    for name, parameter in model.named_parameters():
        if name.startswith(("text_", "logit_scale")):
            assert torch.equal(parameter, before[name]), name
    assert not torch.equal(model.visual_projection.weight, untouched.visual_projection.weight)


def test_new_parts_learn_faster_when_told_to() -> None:
    def way(factor: float) -> tuple[float, float]:
        model, start = _model(), _model()
        _train(model, TrainingPlan(steps=3, new_parts_factor=factor, weight_decay=0.0))
        new = (model.mit.position_embedding - start.mit.position_embedding).abs().mean()
        old = (model.visual_projection.weight - start.visual_projection.weight).abs().mean()
        return new.item(), old.item()

    (new_slow, old_slow), (new_fast, old_fast) = way(1.0), way(10.0)
    assert new_fast > 5 * new_slow
    assert old_fast < 2 * old_slow


def test_without_the_prompted_loss_the_prompts_stay_as_they_are() -> None:
    model, start = _model(), _model()
    steps = _train(model, TrainingPlan(steps=3, prompted_weight=0.0, weight_decay=0.0))
    assert {step.prompted_loss for step in steps} == {0.0}
    for a, b in zip(
        model.prompts_generator.parameters(), start.prompts_generator.parameters(), strict=True
    ):
        assert torch.equal(a, b)


def test_batches_that_end_early_are_an_error_that_says_when() -> None:
    def two() -> Iterator[TrainingBatch]:
        yield from (_batch(), _batch())

    with pytest.raises(InputError, match="after 2 steps"):
        train(_model(), two(), plan=TrainingPlan(steps=3), report=lambda _: None)


def test_a_batch_checks_that_its_parts_fit() -> None:
    good = _batch()
    with pytest.raises(InputError, match="4 clips came with 3 targets"):
        TrainingBatch(
            pixels=good.pixels,
            captions=Question(ids=good.captions.ids, targets=torch.tensor([0, 1, 2])),
        )
    with pytest.raises(InputError, match="same caption"):
        TrainingBatch(
            pixels=good.pixels,
            captions=Question(ids=good.captions.ids, targets=torch.tensor([0, 1, 2, 2])),
        )
