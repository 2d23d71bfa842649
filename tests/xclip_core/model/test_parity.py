"""Our X-CLIP against the library that published the checkpoints, on random small architectures."""

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass

import pytest
import torch
import transformers
from torch import Tensor

from xclip_core.errors import ConfigError
from xclip_core.inference.video_encoder import VideoEncoder
from xclip_core.inputs.preprocess import FrameProcessor
from xclip_core.model.config import ACTIVATIONS, TextConfig, VisionConfig, XCLIPConfig
from xclip_core.model.model import XCLIP

CASES = range(48)
ABSOLUTE = 1e-4
RELATIVE_GRADIENT = 1e-3

Record = Callable[[str, float], None]


@dataclass(frozen=True)
class Twins:
    """The same weights in both implementations, and something to feed them."""

    ours: XCLIP
    theirs: transformers.XCLIPModel
    ids: Tensor
    mask: Tensor
    pixels: Tensor


def random_width(rng: random.Random) -> tuple[int, int]:
    heads = rng.choice([1, 2, 3, 4])
    return heads * rng.choice([2, 4, 5, 8]), heads


def random_config(rng: random.Random) -> XCLIPConfig:
    text_width, text_heads = random_width(rng)
    vision_width, vision_heads = random_width(rng)
    dim, mit_heads = random_width(rng)
    patch = rng.choice([3, 4, 7, 8])
    text = TextConfig(
        vocab_size=rng.randint(12, 90),
        hidden_size=text_width,
        intermediate_size=rng.randint(3, 40),
        num_hidden_layers=rng.choice([0, 1, 2, 3]),
        num_attention_heads=text_heads,
        max_position_embeddings=rng.randint(6, 20),
        hidden_act=rng.choice(ACTIVATIONS),
        layer_norm_eps=rng.choice([1e-5, 1e-6, 1e-3]),
    )
    vision = VisionConfig(
        hidden_size=vision_width,
        intermediate_size=rng.randint(3, 40),
        num_hidden_layers=rng.choice([0, 1, 2, 3]),
        num_attention_heads=vision_heads,
        mit_hidden_size=dim,
        mit_intermediate_size=rng.randint(3, 40),
        mit_num_hidden_layers=rng.choice([0, 1, 2]),
        mit_num_attention_heads=mit_heads,
        num_channels=rng.choice([1, 3, 3]),
        image_size=patch * rng.choice([1, 2, 3]) + rng.randrange(patch),
        patch_size=patch,
        num_frames=rng.choice([1, 2, 3, 5, 8, 16]),
        hidden_act=rng.choice(ACTIVATIONS),
        layer_norm_eps=rng.choice([1e-5, 1e-6, 1e-3]),
    )
    return XCLIPConfig.from_parts(
        text=text,
        vision=vision,
        prompt_layers=rng.choice([0, 1, 2, 3]),
        prompt_alpha=rng.uniform(0.05, 1.0),
        prompt_hidden_act=rng.choice(ACTIVATIONS),
        prompt_num_attention_heads=rng.choice([h for h in range(1, dim + 1) if dim % h == 0]),
    )


def randomise(model: torch.nn.Module) -> None:
    """Give every parameter a value that is nobody's default; outputs stay near 1."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_()
            if name == "logit_scale":
                parameter.mul_(0.3).add_(2.0)
            elif "norm" in name or "message_ln" in name:
                parameter.mul_(0.3)
                parameter.add_(1.0 if name.endswith("weight") else 0.0)
            elif parameter.ndim > 1 and "embedding.weight" not in name:
                parameter.mul_(parameter[0].numel() ** -0.5)
            else:
                parameter.mul_(0.5)


def random_texts(config: TextConfig, *, rows: int, rng: random.Random) -> tuple[Tensor, Tensor]:
    """Sentences of differing length, padded on the right with the end mark, as CLIP's are."""
    end = config.vocab_size - 1
    lengths = [rng.randint(2, config.max_position_embeddings) for _ in range(rows)]
    ids = torch.full((rows, max(lengths)), end)
    mask = torch.zeros(rows, max(lengths), dtype=torch.int64)
    for row, length in enumerate(lengths):
        ids[row, : length - 1] = torch.randint(0, end, (length - 1,))
        mask[row, :length] = 1
    return ids, mask


def make_twins(config: XCLIPConfig, *, rng: random.Random, rows: int = 3) -> Twins:
    theirs = transformers.XCLIPModel(transformers.XCLIPConfig(**config.to_dict())).eval()
    randomise(theirs)
    ours = XCLIP(config).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    ids, mask = random_texts(config.text, rows=rows, rng=rng)
    vision = config.vision
    size = (vision.num_channels, vision.image_size, vision.image_size)
    pixels = torch.randn(rows, vision.num_frames, *size)
    return Twins(ours=ours, theirs=theirs, ids=ids, mask=mask, pixels=pixels)


@pytest.fixture(scope="module", autouse=True)
def _selu_in_the_reference() -> Iterator[None]:
    """The reference documents SELU but has lost it from its table."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(transformers.activations.ACT2FN, "selu", torch.nn.SELU)
        yield


@pytest.fixture(scope="module", params=CASES)
def twins(request: pytest.FixtureRequest) -> Twins:
    torch.manual_seed(request.param)
    rng = random.Random(request.param)
    return make_twins(random_config(rng), rng=rng)


@pytest.fixture
def agree(record_error: Record) -> Callable[[str, Tensor, Tensor], None]:
    def check(compared: str, ours: Tensor, theirs: Tensor) -> None:
        assert ours.shape == theirs.shape, compared
        assert torch.isfinite(theirs).all(), compared
        error = (ours - theirs).abs().max().item()
        record_error(compared, error)
        assert error < ABSOLUTE, f"{compared}: off by {error}"

    return check


Agree = Callable[[str, Tensor, Tensor], None]


@torch.no_grad()
def test_the_joint_model_agrees_in_every_output_and_the_loss(twins: Twins, agree: Agree) -> None:
    ours = twins.ours(twins.ids, twins.pixels, mask=twins.mask, return_loss=True)
    theirs = twins.theirs(
        input_ids=twins.ids,
        pixel_values=twins.pixels,
        attention_mask=twins.mask,
        return_loss=True,
    )
    for name in ("logits_per_video", "logits_per_text", "text_embeds", "video_embeds", "loss"):
        agree(name, getattr(ours, name), getattr(theirs, name))


@torch.no_grad()
def test_text_and_video_features_agree_alone(twins: Twins, agree: Agree) -> None:
    text = twins.theirs.get_text_features(input_ids=twins.ids, attention_mask=twins.mask)
    video = twins.theirs.get_video_features(pixel_values=twins.pixels)
    agree("text features", twins.ours.encode_text(twins.ids, twins.mask), text.pooler_output)
    agree("text features unmasked", twins.ours.encode_text(twins.ids), text.pooler_output)
    agree("video features", twins.ours.encode_video(twins.pixels), video.pooler_output)


@torch.no_grad()
def test_the_form_that_computes_fastest_agrees_from_bytes_on(twins: Twins, agree: Agree) -> None:
    vision = twins.ours.config.vision
    processor = FrameProcessor(
        size=None,
        crop_size=vision.image_size,
        interpolation="bilinear",
        rescale_factor=1 / 255,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
    )
    if vision.num_channels != 3:  # films have three
        with pytest.raises(ConfigError, match="num_channels"):
            VideoEncoder(twins.ours, processor=processor, device="cpu", dtype=torch.float32)
        return
    size = (vision.num_frames, vision.image_size, vision.image_size, 3)
    clips = torch.randint(0, 256, (2, *size), dtype=torch.uint8)
    fast = VideoEncoder(twins.ours, processor=processor, device="cpu", dtype=torch.float32)
    pixels = processor.normalise(clips)
    theirs = twins.theirs.get_video_features(pixel_values=pixels).pooler_output
    agree("fast video features", fast.encode(clips), theirs)
    video, context = fast.encode_in_context(clips)
    agree("fast video features in context", video, theirs)
    agree("fast context", context, twins.ours.encode_video_in_context(pixels)[1])


@torch.no_grad()
def test_each_part_agrees_when_used_alone(twins: Twins, agree: Agree) -> None:
    ours, theirs = twins.ours, twins.theirs
    states, ends = ours.text_model(twins.ids, twins.mask)
    text = theirs.text_model(input_ids=twins.ids, attention_mask=twins.mask)
    real = twins.mask.bool()
    agree("text states", states[real], text.last_hidden_state[real])
    agree("text end states", ends, text.pooler_output)

    class_states, patch_states = ours.vision_model(twins.pixels)
    frames = theirs.vision_model(pixel_values=twins.pixels.flatten(0, 1))
    agree("frame states", patch_states.flatten(0, 1), frames.last_hidden_state)
    agree("frame class states", class_states.flatten(0, 1), frames.pooler_output)

    dim = ours.config.projection_dim
    features = torch.randn(2, ours.config.vision.num_frames, dim)
    agree("multi-frame", ours.mit(features), theirs.mit(features).pooler_output)

    prompts, context = torch.randn(2, 5, dim), torch.randn(2, 7, dim)
    agree(
        "prompts",
        ours.prompts_generator(prompts, context),
        theirs.prompts_generator(prompts, context),
    )


def loss_gradients(twins: Twins, dtype: torch.dtype) -> list[tuple[str, Tensor, Tensor]]:
    """Ours and the reference's for every parameter that the loss reaches."""
    ours, theirs = (deepcopy(model).to(dtype) for model in (twins.ours, twins.theirs))
    pixels = twins.pixels.to(dtype)
    ours(twins.ids, pixels, mask=twins.mask, return_loss=True).loss.backward()
    theirs(
        input_ids=twins.ids, pixel_values=pixels, attention_mask=twins.mask, return_loss=True
    ).loss.backward()
    reached = {name: p.grad for name, p in theirs.named_parameters() if p.grad is not None}
    mine = {name: p.grad for name, p in ours.named_parameters() if p.grad is not None}
    assert mine.keys() == reached.keys()
    return [(name, mine[name], gradient) for name, gradient in reached.items()]


def test_gradients_agree_for_every_parameter_in_double_precision(
    twins: Twins, record_error: Record
) -> None:
    gradients = loss_gradients(twins, torch.float64)
    largest = max(theirs.norm().item() for _, _, theirs in gradients)
    for name, ours, theirs in gradients:
        # Some are zero by construction (a key's bias moves no softmax): what is left is noise.
        error = (ours - theirs).norm().item() / max(theirs.norm().item(), largest * 1e-6)
        record_error("gradient of one parameter in double precision, relative", error)
        assert error < RELATIVE_GRADIENT / 1000, f"{name}: off by {error}"


def test_gradients_agree_as_a_whole_in_single_precision(twins: Twins, record_error: Record) -> None:
    gradients = loss_gradients(twins, torch.float32)
    ours = torch.cat([gradient.flatten() for _, gradient, _ in gradients])
    theirs = torch.cat([gradient.flatten() for _, _, gradient in gradients])
    error = ((ours - theirs).norm() / theirs.norm()).item()
    record_error("whole gradient in single precision, relative", error)
    assert error < RELATIVE_GRADIENT


@pytest.mark.parametrize("scale", [0.6, 1.0, 2.5])
@torch.no_grad()
def test_frames_of_other_sizes_agree_when_positions_are_interpolated(
    twins: Twins, agree: Agree, scale: float
) -> None:
    vision = twins.ours.config.vision
    height = max(vision.patch_size, int(vision.image_size * scale))
    width = height + vision.patch_size
    pixels = torch.randn(3, vision.num_frames, vision.num_channels, height, width)
    ours = twins.ours(twins.ids, pixels, mask=twins.mask, interpolate=True)
    theirs = twins.theirs(
        input_ids=twins.ids,
        pixel_values=pixels,
        attention_mask=twins.mask,
        interpolate_pos_encoding=True,
    )
    agree("interpolated logits", ours.logits_per_video, theirs.logits_per_video)
    agree("interpolated video", ours.video_embeds, theirs.video_embeds)


@torch.no_grad()
def test_padding_on_the_left_agrees_through_the_mask(twins: Twins, agree: Agree) -> None:
    limit = twins.ours.config.text.max_position_embeddings
    ids, mask = twins.ids[:, : limit - 2], twins.mask[:, : limit - 2].clone()
    ids = torch.cat([torch.zeros(len(ids), 2, dtype=torch.int64), ids], dim=1)
    mask = torch.cat([torch.zeros(len(mask), 2, dtype=torch.int64), mask], dim=1)
    theirs = twins.theirs.get_text_features(input_ids=ids, attention_mask=mask)
    agree("left padding", twins.ours.encode_text(ids, mask), theirs.pooler_output)


@torch.no_grad()
def test_the_number_of_texts_and_videos_may_differ(twins: Twins, agree: Agree) -> None:
    ours = twins.ours(twins.ids, twins.pixels[:1], mask=twins.mask)
    theirs = twins.theirs(
        input_ids=twins.ids, pixel_values=twins.pixels[:1], attention_mask=twins.mask
    )
    assert ours.logits_per_video.shape == (1, 3)
    agree("one video, three texts", ours.logits_per_video, theirs.logits_per_video)


@torch.no_grad()
def test_sixteen_frames_at_full_depth_agree(agree: Agree) -> None:
    rng = random.Random(16)
    torch.manual_seed(16)
    text = TextConfig(vocab_size=300, hidden_size=32, intermediate_size=64, num_attention_heads=4)
    vision = VisionConfig(
        hidden_size=48,
        intermediate_size=96,
        mit_hidden_size=32,
        mit_intermediate_size=64,
        image_size=56,
        patch_size=14,
        num_frames=16,
    )
    config = XCLIPConfig.from_parts(text=text, vision=vision)
    twins = make_twins(config, rng=rng, rows=2)
    ours = twins.ours(twins.ids, twins.pixels, mask=twins.mask)
    theirs = twins.theirs(input_ids=twins.ids, pixel_values=twins.pixels, attention_mask=twins.mask)
    agree("16 frames, 12 layers", ours.logits_per_video, theirs.logits_per_video)
