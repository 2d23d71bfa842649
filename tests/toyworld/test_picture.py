from dataclasses import replace

import numpy as np
import pytest

from toyworld.picture import OUTLINES, draw_backdrop, draw_shape, render_clip
from toyworld.scene import PACE_SECONDS, Scene, draw_scene
from toyworld.world import COLOURS, COMBINATIONS, MOTION_PAIRS, SHAPES, Combination


def _scene(motion: str, *, seed: int = 0, duration: float = 8.0) -> Scene:
    rng = np.random.default_rng(seed)
    return draw_scene(Combination("red", "star", motion), rng, duration=duration)


@pytest.mark.parametrize(("motion", "opposite"), MOTION_PAIRS)
@pytest.mark.parametrize("seed", range(5))
def test_a_motion_run_backwards_is_its_opposite(motion: str, opposite: str, seed: int) -> None:
    forwards = replace(_scene(motion, seed=seed), drift=(0.0, 0.0))
    backwards = replace(_scene(opposite, seed=seed), drift=(0.0, 0.0))
    times = np.linspace(0, 8, 17, dtype=np.float32)
    for there, back in zip(forwards.course(times), backwards.course(times), strict=True):
        np.testing.assert_allclose(there, back[::-1], atol=1e-5)


def test_motions_go_where_their_names_say() -> None:
    times = np.array([0.0, 8.0], dtype=np.float32)
    expected = {
        "moving left": (0, -1),
        "moving right": (0, 1),
        "moving up": (1, -1),  # y grows downwards
        "moving down": (1, 1),
        "growing": (2, 1),
        "shrinking": (2, -1),
    }
    for motion, (axis, sign) in expected.items():
        start, end = _scene(motion).course(times)[axis]
        assert (end - start) * sign > 0, motion


@pytest.mark.parametrize(("motion", "sign"), [("clockwise", 1), ("anticlockwise", -1)])
def test_circling_turns_the_way_it_says_on_a_screen(motion: str, sign: int) -> None:
    scene = replace(_scene(f"circling {motion}"), drift=(0.0, 0.0))
    x, y, _ = scene.course(np.linspace(0, 8, 33, dtype=np.float32))
    along, down = x - scene.x, y - scene.y
    turn = along[:-1] * down[1:] - down[:-1] * along[1:]
    assert np.all(turn * sign > 0)  # with y downwards a positive turn is clockwise


@pytest.mark.parametrize("duration", [4.0, 8.0, 11.0])
def test_a_shape_stays_in_the_picture_for_its_whole_event(duration: float) -> None:
    for seed, c in enumerate(COMBINATIONS):
        scene = draw_scene(c, np.random.default_rng(seed), duration=duration)
        x, y, radius = scene.course(np.linspace(0, duration, 9, dtype=np.float32))
        assert np.all((x > 0) & (x < 1) & (y > 0) & (y < 1)), c.caption
        assert np.all(radius * 64 > 4), c.caption  # eight pixels across: still a shape


def test_a_clip_is_decided_by_its_seed() -> None:
    def clip(seed: int) -> np.ndarray:
        return render_clip(COMBINATIONS[7], np.random.default_rng(seed), frames=8, size=32)

    np.testing.assert_array_equal(clip(3), clip(3))
    assert not np.array_equal(clip(3), clip(4))
    assert clip(3).shape == (8, 32, 32, 3)
    assert clip(3).dtype == np.uint8


@pytest.mark.parametrize("colour", COLOURS)
def test_the_shape_has_its_colour(colour: str) -> None:
    rng = np.random.default_rng(5)
    scene = draw_scene(Combination(colour, "circle", "growing"), rng, duration=8)
    canvas = draw_backdrop(rng, height=64, width=64).picture
    draw_shape(canvas, scene, x=0.5, y=0.5, radius=0.2)
    np.testing.assert_allclose(canvas[32, 32], scene.colour, atol=1)
    assert np.abs(canvas[32, 32] - COLOURS[colour]).max() <= 15


def test_a_ring_has_a_hole_and_shapes_cover_different_pixels() -> None:
    masks = {}
    for shape in SHAPES:
        rng = np.random.default_rng(5)
        scene = draw_scene(Combination("white", shape, "growing"), rng, duration=8)
        canvas = np.zeros((64, 64, 3), dtype=np.float32)
        draw_shape(canvas, replace(scene, tilt=0.0), x=0.5, y=0.5, radius=0.3)
        masks[shape] = canvas[:, :, 0] > 120
    assert not masks["ring"][32, 32]
    assert masks["circle"][32, 32]
    assert masks["triangle"][:32].sum() < masks["triangle"][32:].sum()  # it points upwards
    for a in SHAPES:
        for b in SHAPES:
            union, common = (masks[a] | masks[b]).sum(), (masks[a] & masks[b]).sum()
            assert a == b or common / union < 0.9, (a, b)


def test_outlines_are_closed_curves_around_the_centre() -> None:
    assert set(OUTLINES) == set(SHAPES)
    for outline in OUTLINES.values():
        assert np.all((outline > 0.1) & (outline < 1.3))


def test_a_shape_outside_the_picture_leaves_no_trace() -> None:
    rng = np.random.default_rng(0)
    canvas = draw_backdrop(rng, height=48, width=64).picture
    before = canvas.copy()
    for x, y in ((-2.0, 0.5), (3.0, 0.5), (0.5, -2.0), (0.5, 3.0)):
        draw_shape(canvas, _scene("growing"), x=x, y=y, radius=0.2)
    np.testing.assert_array_equal(canvas, before)


def test_the_shape_is_there_only_while_its_event_lasts() -> None:
    c = Combination("white", "square", "growing")
    clip = render_clip(c, np.random.default_rng(2), frames=8, size=64, duration=8, lead=4.0)
    change = np.abs(clip[:, 20:44, 20:44].astype(int) - clip[0, 20:44, 20:44]).mean(axis=(1, 2, 3))
    assert change[1:4].max() < 12  # noise alone
    assert change[5:].min() > change[1:4].max()
    assert PACE_SECONDS == 8.0
