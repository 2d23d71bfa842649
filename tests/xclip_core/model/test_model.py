"""What the model promises beyond its numbers: no memory, plain refusals, a sound start."""

import subprocess
import sys

import pytest
import torch

from xclip_core.errors import InputError
from xclip_core.model.attention import DropPath
from xclip_core.model.config import TextConfig, VisionConfig, XCLIPConfig
from xclip_core.model.model import XCLIP, contrastive_loss


@pytest.fixture
def pixels() -> torch.Tensor:
    return torch.randn(2, 4, 3, 32, 32)


def test_importing_the_package_loads_no_heavy_library() -> None:
    heavy = "{'torch', 'numpy', 'tokenizers', 'safetensors', 'huggingface_hub'}"
    check = f"import sys, xclip_core; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@torch.no_grad()
def test_nothing_is_remembered_between_calls(small_model: XCLIP, pixels: torch.Tensor) -> None:
    one, two = torch.tensor([[5, 6, 7, 540]]), torch.tensor([[8, 9, 540, 540]])
    before = small_model(one, pixels)
    small_model(two, pixels.flip(0))
    after = small_model(one, pixels)
    assert torch.equal(before.logits_per_video, after.logits_per_video)
    assert not torch.allclose(small_model.encode_text(one), small_model.encode_text(two))


@torch.no_grad()
def test_texts_in_one_batch_do_not_see_each_other(small_model: XCLIP, pixels: torch.Tensor) -> None:
    ids = torch.randint(0, 500, (5, 6))
    together = small_model(ids, pixels).text_embeds
    alone = torch.cat([small_model(row[None], pixels).text_embeds for row in ids], dim=1)
    assert torch.allclose(together, alone, atol=1e-5)


@torch.no_grad()
def test_videos_in_one_batch_do_not_see_each_other(small_model: XCLIP) -> None:
    pixels = torch.randn(5, 4, 3, 32, 32)
    together = small_model.encode_video(pixels)
    alone = torch.cat([small_model.encode_video(video[None]) for video in pixels])
    assert torch.allclose(together, alone, atol=1e-5)


@torch.no_grad()
def test_the_order_of_frames_matters_only_through_the_position_table(
    small_model: XCLIP, pixels: torch.Tensor
) -> None:
    forwards, backwards = small_model.encode_video(pixels), small_model.encode_video(pixels.flip(1))
    assert not torch.allclose(forwards, backwards, atol=1e-3)
    one, _ = small_model.vision_model(pixels)
    two, _ = small_model.vision_model(pixels.flip(1))
    assert torch.allclose(one.flip(1), two, atol=1e-5)


@torch.no_grad()
def test_frames_of_a_video_see_each_other(small_model: XCLIP, pixels: torch.Tensor) -> None:
    changed = pixels.clone()
    changed[:, -1] += 1
    before, _ = small_model.vision_model(pixels)
    after, _ = small_model.vision_model(changed)
    assert not torch.allclose(before[:, 0], after[:, 0], atol=1e-4)


@pytest.mark.parametrize(
    "shape", [(2, 8, 3, 32, 32), (2, 4, 3, 24, 24), (4, 3, 32, 32), (2, 4, 3, 32, 40)]
)
def test_frames_of_another_number_or_size_are_refused(
    small_model: XCLIP, shape: tuple[int, ...]
) -> None:
    with pytest.raises(InputError, match="takes"):
        small_model.encode_video(torch.zeros(shape))


def test_a_text_longer_than_the_position_table_is_refused(small_model: XCLIP) -> None:
    with pytest.raises(InputError, match=r"25 tokens.*24"):
        small_model.encode_text(torch.zeros(1, 25, dtype=torch.int64))


def test_the_loss_needs_as_many_texts_as_videos() -> None:
    with pytest.raises(InputError, match="2 videos and 3 texts"):
        contrastive_loss(torch.zeros(2, 3))


def test_the_loss_of_logits_that_know_nothing_is_the_logarithm_of_the_choice() -> None:
    assert contrastive_loss(torch.zeros(7, 7)).item() == pytest.approx(1.9459, abs=1e-4)


# Training mode


def train_mode(config: XCLIPConfig, **changed: float) -> XCLIP:
    text = {"attention_dropout": changed.pop("text_dropout", 0.0)}
    vision = {
        "attention_dropout": changed.pop("vision_dropout", 0.0),
        "drop_path_rate": changed.pop("drop_path_rate", 0.0),
    }
    values = config.to_dict()
    values["text_config"] |= text
    values["vision_config"] |= vision
    model = XCLIP(XCLIPConfig.from_dict(values | changed))
    torch.nn.init.normal_(model.prompts_generator.alpha)
    return model.train()


@pytest.mark.parametrize(
    "rate",
    [
        "text_dropout",
        "vision_dropout",
        "drop_path_rate",
        "prompt_attention_dropout",
        "prompt_projection_dropout",
    ],
)
@torch.no_grad()
def test_every_rate_acts_in_training_and_never_in_evaluation(
    small_config: XCLIPConfig, pixels: torch.Tensor, rate: str
) -> None:
    model = train_mode(small_config, **{rate: 0.5})
    ids = torch.randint(0, 500, (3, 9))
    one, two = (model(ids, pixels).logits_per_video for _ in range(2))
    assert not torch.allclose(one, two, atol=1e-6)
    model.eval()
    one, two = (model(ids, pixels).logits_per_video for _ in range(2))
    assert torch.equal(one, two)


@torch.no_grad()
def test_training_without_rates_changes_no_number(
    small_config: XCLIPConfig, pixels: torch.Tensor
) -> None:
    model = train_mode(small_config)
    ids = torch.randint(0, 500, (3, 9))
    training = model(ids, pixels).logits_per_video
    assert torch.equal(training, model.eval()(ids, pixels).logits_per_video)


def test_a_dropped_path_drops_whole_rows_and_keeps_the_mean() -> None:
    kept = DropPath(0.25).train()(torch.ones(20_000, 2, 3))
    rows = kept.flatten(1)
    assert (rows == rows[:, :1]).all()
    assert set(rows[:, 0].tolist()) == {0.0, torch.tensor(1 / 0.75).item()}
    assert rows.mean().item() == pytest.approx(1, abs=0.02)
    assert (rows[:, 0] == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)


def test_the_rate_of_dropped_paths_grows_with_the_depth() -> None:
    vision = VisionConfig(num_hidden_layers=4, drop_path_rate=0.3)
    config = XCLIPConfig.from_parts(text=TextConfig(), vision=vision)
    with torch.device("meta"):
        model = XCLIP(config)
    rates = [layer.drop_path.rate for layer in model.vision_model.encoder.layers]
    assert rates == pytest.approx([0.0, 0.1, 0.2, 0.3])


def test_every_parameter_learns_from_the_joint_loss(
    small_config: XCLIPConfig, pixels: torch.Tensor
) -> None:
    model = train_mode(small_config)
    loss = model(torch.randint(0, 500, (2, 9)), pixels, return_loss=True).loss
    loss.backward()
    silent = {name for name, p in model.named_parameters() if p.grad is None}
    assert silent == set()


# Initialisation

WIDTH, DEPTH, DIM = 128, 3, 64


@pytest.fixture(scope="module")
def fresh() -> XCLIP:
    text = TextConfig(
        vocab_size=600, hidden_size=WIDTH, intermediate_size=256, num_hidden_layers=DEPTH
    )
    vision = VisionConfig(
        hidden_size=WIDTH,
        intermediate_size=256,
        num_hidden_layers=DEPTH,
        num_attention_heads=8,
        mit_hidden_size=DIM,
        mit_intermediate_size=256,
        image_size=64,
        patch_size=8,
        num_frames=16,
    )
    return XCLIP(XCLIPConfig.from_parts(text=text, vision=vision))


IN_BLOCK = WIDTH**-0.5
ENDING = WIDTH**-0.5 * (2 * DEPTH) ** -0.5
XAVIER = (2 / (WIDTH + WIDTH)) ** 0.5


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("text_model.embeddings.token_embedding.weight", 0.02),
        ("text_model.embeddings.position_embedding.weight", 0.01),
        ("text_model.encoder.layers.1.self_attn.q_proj.weight", IN_BLOCK),
        ("text_model.encoder.layers.1.self_attn.v_proj.weight", IN_BLOCK),
        ("text_model.encoder.layers.1.self_attn.out_proj.weight", ENDING),
        ("text_model.encoder.layers.1.mlp.fc1.weight", (2 * WIDTH) ** -0.5),
        ("text_model.encoder.layers.1.mlp.fc2.weight", ENDING),
        ("vision_model.embeddings.class_embedding", WIDTH**-0.5),
        ("vision_model.embeddings.patch_embedding.weight", (3 * 8 * 8) ** -0.5),
        ("vision_model.embeddings.position_embedding.weight", WIDTH**-0.5),
        ("vision_model.encoder.layers.2.self_attn.k_proj.weight", IN_BLOCK),
        ("vision_model.encoder.layers.2.self_attn.out_proj.weight", ENDING),
        ("vision_model.encoder.layers.2.message_fc.weight", XAVIER),
        ("vision_model.encoder.layers.2.message_attn.q_proj.weight", XAVIER),
        ("text_projection.weight", WIDTH**-0.5),
        ("visual_projection.weight", WIDTH**-0.5),
        ("prompts_visual_projection", WIDTH**-0.5),
        ("mit.position_embedding", 0.02),
        ("mit.encoder.layers.0.mlp.fc1.weight", 0.02),
        ("prompts_generator.decoder.0.cross_attn.q_proj.weight", 0.02),
        ("prompts_generator.decoder.1.mlp.3.weight", 0.02),
    ],
)
def test_a_new_model_starts_at_clips_and_the_authors_scales(
    fresh: XCLIP, name: str, expected: float
) -> None:
    parameter = dict(fresh.named_parameters())[name]
    tolerance = 4 / (2 * parameter.numel()) ** 0.5
    assert parameter.std().item() == pytest.approx(expected, rel=max(0.03, tolerance))
    assert abs(parameter.mean().item()) < 5 * expected / parameter.numel() ** 0.5


def test_a_new_model_has_neutral_norms_no_biases_and_its_two_constants(fresh: XCLIP) -> None:
    for name, parameter in fresh.named_parameters():
        if "norm" in name or "message_ln" in name:
            assert (parameter == (1 if name.endswith("weight") else 0)).all(), name
        elif name.endswith("bias"):
            assert not parameter.any(), name
    assert (fresh.prompts_generator.alpha == fresh.config.prompt_alpha).all()
    assert fresh.logit_scale.item() == pytest.approx(fresh.config.logit_scale_init_value)


def test_a_seed_makes_a_start_reproducible(small_config: XCLIPConfig) -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(11)
        states.append(XCLIP(small_config).state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
