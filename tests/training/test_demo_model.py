from bisect import bisect
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from toyworld.world import HELD_OUT, MOTIONS, QUESTIONS, TRAINED, WHERE, WHERE_EDGES, every_sentence
from training.demo_model import FRAMES, IMAGE_SIZE, PROCESSOR, train_control, train_demo_model
from training.toy_batches import clip_batches, draw_still, still_batches
from xclip_core.checkpoint.checkpoint import load_checkpoint
from xclip_core.inputs.tokenizer import Tokenizer, train_tokenizer
from xclip_core.training import TrainingBatch, TrainingPlan


def _tokenizer() -> Tokenizer:
    return train_tokenizer(every_sentence(), vocabulary_size=1024)


def _first_batches(*, seed: int, frames: int = 2) -> list[TrainingBatch]:
    return list(islice(clip_batches(_tokenizer(), PROCESSOR, seed=seed, frames=frames, looks=3), 2))


def test_every_word_of_the_world_is_one_token() -> None:
    tokenizer = _tokenizer()
    for word in {word for sentence in every_sentence() for word in sentence.split()}:
        ids, _ = tokenizer.encode_batch([word])
        assert ids.shape == (1, 3), word  # start, the word, end


def test_a_batch_shows_each_look_in_all_its_trained_motions() -> None:
    first, second = _first_batches(seed=4)
    assert first.pixels.shape[1:] == (2, 3, IMAGE_SIZE, IMAGE_SIZE)
    shown = [TRAINED[index] for index in first.captions.targets.tolist()]
    looks = {(c.colour, c.shape) for c in shown}
    assert len(looks) == 3
    assert set(shown) == {c for c in TRAINED if (c.colour, c.shape) in looks}
    assert first.captions.ids.shape[0] == len(TRAINED)
    assert not torch.equal(first.pixels[:4], second.pixels[:4])


def test_held_out_combinations_never_appear() -> None:
    held_out = set(HELD_OUT)
    for batch in _first_batches(seed=0):
        assert not held_out & {TRAINED[index] for index in batch.captions.targets.tolist()}


def test_questions_ask_for_what_the_captions_say() -> None:
    batch = _first_batches(seed=1)[0]
    for question, (part, sentences) in zip(batch.questions, QUESTIONS.items(), strict=True):
        assert len(question.ids) == len(sentences)
        for index, target in zip(
            batch.captions.targets.tolist(), question.targets.tolist(), strict=True
        ):
            assert list(sentences)[target] == getattr(TRAINED[index], part)
    assert len(batch.questions[2].ids) == len(MOTIONS)


def test_batches_are_decided_by_the_seed() -> None:
    one, same, other = (_first_batches(seed=seed)[0] for seed in (7, 7, 8))
    assert torch.equal(one.pixels, same.pixels)
    assert torch.equal(one.captions.ids, same.captions.ids)
    assert not torch.equal(one.captions.targets, other.captions.targets) or not torch.equal(
        one.pixels, other.pixels
    )


def test_stills_are_asked_where_the_shape_is() -> None:
    batch = next(still_batches(_tokenizer(), PROCESSOR, seed=0, looks=3))
    assert batch.pixels.shape[1:] == (1, 3, IMAGE_SIZE, IMAGE_SIZE)
    sizes = [len(question.ids) for question in batch.questions]
    assert sizes == [8, 7, *(len(scale) for scale in WHERE.values())]
    for seed in range(40):
        example = draw_still(TRAINED[0], np.random.default_rng(seed), size=64)
        red = example.pixels[0].astype(int) @ [1, -1, -1]
        rows, columns = np.nonzero(red > 0)
        _, _, across, height, _ = example.answers
        assert abs(bisect(WHERE_EDGES["across"], columns.mean() / 64) - across) <= 1
        assert abs(bisect(WHERE_EDGES["height"], rows.mean() / 64) - height) <= 1


def test_both_stages_run_and_the_second_begins_where_the_first_ended(tmp_path: Path) -> None:
    lines: list[str] = []
    control, demo = tmp_path / "control", tmp_path / "demo"
    plan = TrainingPlan(steps=1, prompted_weight=0.0)
    train_control(control, seed=0, plan=plan, report=lines.append)
    plan = TrainingPlan(steps=1, learning_rate=0.0)
    train_demo_model(demo, control=control, seed=1, plan=plan, report=lines.append)
    assert sum("1/1" in line for line in lines) == 2

    single, model = load_checkpoint(str(control)).model, load_checkpoint(str(demo)).model
    assert single.config.vision.num_frames == 1
    assert model.config.vision.num_frames == FRAMES
    before, after = single.state_dict(), model.state_dict()
    for name, weight in before.items():
        if name != "mit.position_embedding":
            assert torch.equal(weight, after[name]), name
    assert after["mit.position_embedding"].shape == (1, FRAMES, 128)
    assert 0.2 < after["mit.position_embedding"].std().item() < 0.4
