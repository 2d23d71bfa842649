import numpy as np
import pytest

from benchmarks.answers.distortions import ALL, GAP, GAP_HUBS, NOISE, NONE

DIM, FRAMES, CLIPS = 128, 8, 400


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@pytest.fixture(scope="module")
def clips() -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    made = []
    for _ in range(CLIPS):
        frames = rng.normal(size=DIM) + 0.3 * rng.normal(size=(FRAMES, DIM))
        frames /= np.linalg.norm(frames.mean(axis=0))
        made.append((frames.mean(axis=0).astype(np.float32), frames.astype(np.float32)))
    return made


def distorted(distortion, clips) -> tuple[np.ndarray, np.ndarray]:
    every = [distortion.of_clip(v, f, content=b"%d" % n) for n, (v, f) in enumerate(clips)]
    return np.stack([v for v, _ in every]), np.stack([f for _, f in every])


@pytest.mark.parametrize("distortion", [NONE, NOISE, GAP, GAP_HUBS, ALL])
def test_a_clip_stays_the_mean_of_its_frames_and_of_unit_length(distortion, clips) -> None:
    vectors, frames = distorted(distortion, clips)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(frames.mean(axis=1), vectors, atol=1e-5)
    again, _ = distorted(distortion, clips)
    np.testing.assert_array_equal(vectors, again)


def test_without_a_distortion_nothing_changes(clips) -> None:
    np.testing.assert_allclose(distorted(NONE, clips)[0], [v for v, _ in clips], atol=1e-6)


def test_noise_has_its_length(clips) -> None:
    cosines = (distorted(NOISE, clips)[0] * np.stack([v for v, _ in clips])).sum(axis=1)
    assert np.mean(np.tan(np.arccos(cosines))) == pytest.approx(0.6, abs=0.05)


def test_in_the_gap_clips_are_nearer_to_each_other_than_to_any_sentence(clips) -> None:
    vectors, _ = distorted(GAP, clips)
    texts = GAP.of_texts(np.stack([v for v, _ in clips]))
    among_clips = (vectors @ vectors.T)[np.triu_indices(CLIPS, 1)].mean()
    assert among_clips == pytest.approx(0.6, abs=0.03)
    assert np.mean(vectors @ np.roll(texts, 1, axis=0).T) == pytest.approx(0.06, abs=0.03)


def test_hubs_are_near_to_every_sentence(clips) -> None:
    texts = GAP.of_texts(unit(np.random.default_rng(1).normal(size=(50, DIM))).astype(np.float32))
    gains = [(distorted(kind, clips)[0] @ texts.T).mean(axis=1) for kind in (GAP_HUBS, GAP)]
    gain = gains[0] - gains[1]
    assert np.quantile(gain, 0.02) > -0.02
    assert np.median(gain) > 0.01
    assert 0.005 < (gain > 0.1).mean() < 0.05
