"""One settings object: seeds repeat, and what is no seed is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell.errors import InvalidArgument
from fitwell.settings import Settings


def test_seeds_are_a_function_of_the_first() -> None:
    a, b, c = Settings(), Settings(), Settings()
    a.set_seed(7)
    b.set_seed(np.int64(7))  # type: ignore[arg-type]
    c.set_seed(8)
    first, second, other = ([s.next_seed() for _ in range(5)] for s in (a, b, c))
    assert first == second
    assert first != other
    assert len(set(first)) == 5
    assert all(0 <= seed < 2**31 for seed in first)


def test_two_fresh_settings_draw_different_seeds() -> None:
    assert [Settings().next_seed() for _ in range(2)] != [Settings().next_seed() for _ in range(2)]


@pytest.mark.parametrize("seed", [-1, 1.0, True, "1", None])
def test_what_is_no_seed(seed: Any) -> None:
    with pytest.raises(InvalidArgument) as caught:
        fw.utils.set_random_seed(seed)
    assert str(caught.value) == (
        f"set_random_seed: expected a whole number >= 0, received seed={seed!r}. Pass 0, 1, 2, ..."
    )


def test_set_random_seed_makes_models_repeat() -> None:
    def weights(seed: int) -> list[Any]:
        fw.utils.set_random_seed(seed)
        chain = [fw.Input((2,)), fw.layers.Dense(3)]
        return [fw.Sequential(chain).get_weights()[0] for _ in range(2)]

    (a, b), (c, d), (e, _) = weights(1), weights(1), weights(2)
    np.testing.assert_array_equal([a, b], [c, d])
    assert not np.array_equal(a, b)
    assert not np.array_equal(a, e)
