"""What simple models make of images and signals, where what tells the class lies anywhere."""

from __future__ import annotations

import numpy as np
import pytest

from fitwell.doctor.patches import patches
from fitwell.doctor.simple import reached

RANDOM = np.random.default_rng(0)
LABELS = RANDOM.integers(0, 2, 400)
ONE = LABELS[:, None].astype(float)


def bars() -> np.ndarray:
    """An upright or a lying bar, bright or dark, somewhere in an image of noise."""
    x = RANDOM.normal(0, 0.1, (400, 12, 12, 1))
    for image, lying in zip(x, LABELS, strict=True):
        across, along = RANDOM.integers(0, 12), RANDOM.integers(0, 9)
        bar = (slice(across, across + 1), slice(along, along + 4))
        image[bar if lying else bar[::-1]] += RANDOM.choice([-1.0, 1.0])
    return x


def waves() -> np.ndarray:
    """A slow or a fast wave of any phase."""
    phase, steps = RANDOM.uniform(0, 2 * np.pi, (400, 1)), np.arange(40)
    return np.sin(np.where(ONE > 0, 1.3, 0.5) * steps + phase)[..., None]


@pytest.mark.parametrize("x", [bars(), waves()], ids=["images", "signals"])
def test_what_lies_anywhere_is_found(x: np.ndarray) -> None:
    known = reached([x], ONE, [False], True, False)
    assert known is not None
    found = known.best
    assert known.telling
    assert found.kernel > 0.5  # three quarters right, of which half by chance
    assert found.chance <= 0.02
    assert found.linear < 0.2  # no pixel tells


def test_noise_stays_noise() -> None:
    known = reached([RANDOM.normal(size=(400, 12, 12, 1))], ONE, [False], True, False)
    assert known is not None
    assert known.best.kernel < 0.2
    assert known.best.chance > 0.02


def test_patches_do_not_tell_the_place() -> None:
    """An image that is moved within an empty frame has the same features."""
    x = np.zeros((2, 20, 20, 1))
    x[0, 6:9, 6:11, 0], x[1, 10:13, 8:13, 0] = 1.0, 1.0
    first, second = patches(x)
    np.testing.assert_allclose(first, second, atol=1e-6)
