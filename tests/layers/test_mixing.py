"""MixUp and CutMix: what is mixed, what the loss of a mixture is, where they are refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import FitwellError, InvalidArgument, ShapeMismatch
from fitwell.layers.augmenting.mixing import Mixing, mix
from fitwell.losses import (
    CategoricalCrossentropy,
    Loss,
    MeanAbsoluteError,
    SparseCategoricalCrossentropy,
)
from fitwell.metrics import get as metric
from fitwell.network import Network
from fitwell.programs import start
from fitwell.training import Batch, Measure, Objective, losses_and_stats

KEY = jax.random.key(3)
ROWS, CLASSES = 12, 3
RNG = np.random.default_rng(0)
X = RNG.normal(size=(ROWS, 5, 7, 2)).astype(np.float32)
LABELS = RNG.integers(0, CLASSES, ROWS).astype(np.int32)
ONE_HOT = np.eye(CLASSES, dtype=np.float32)[LABELS]


def small() -> Network:
    body = [L.Input((5, 7, 2)), L.Flatten(), L.Dense(CLASSES, activation="softmax")]
    return fw.Sequential(body, seed=1).network


def objective(loss: Loss, *augment: Mixing, measured: str = "accuracy") -> Objective:
    kind = "categorical" if isinstance(loss, CategoricalCrossentropy) else "sparse"
    measure = Measure(measured, 0, metric(measured, kind=kind))
    return Objective((loss,), (1.0,), (measure,), ("y",), augment)


def cost(of: Objective, y: Any, *, train: bool, weight: Any = None, x: Any = X) -> Any:
    network = small()
    begun = start(network, 1)
    batch = Batch((jnp.asarray(x),), (jnp.asarray(y),), (weight,), jnp.ones(ROWS))
    return losses_and_stats(network, of, begun.params, begun.state, batch, key=KEY, train=train)


def mixture(*augment: Mixing) -> tuple[Any, Any, Any]:
    """What the step above does to X, from its key."""
    return mix(augment, jnp.asarray(X), jnp.ones(ROWS), jax.random.split(KEY)[1])


@pytest.mark.parametrize("augment", [L.MixUp(1.0), L.CutMix()], ids=["mixup", "cutmix"])
def test_the_loss_is_that_of_the_mixed_one_hot_label(augment: Mixing) -> None:
    mixed, partner, share = mixture(augment)
    labels = share[:, None] * ONE_HOT + (1 - share)[:, None] * ONE_HOT[partner]
    plain = objective(CategoricalCrossentropy())
    wanted, _ = cost(plain, labels, train=True, x=mixed)
    by_class, _ = cost(objective(SparseCategoricalCrossentropy(), augment), LABELS, train=True)
    one_hot, _ = cost(objective(CategoricalCrossentropy(), augment), ONE_HOT, train=True)
    np.testing.assert_allclose([by_class, one_hot], [wanted, wanted], rtol=1e-5)
    untouched, _ = cost(plain, ONE_HOT, train=True)
    assert abs(wanted - untouched) > 0.01  # it matters


def test_in_evaluation_nothing_is_mixed() -> None:
    loss = CategoricalCrossentropy()
    with_it, _ = cost(objective(loss, L.MixUp()), ONE_HOT, train=False)
    without, _ = cost(objective(loss), ONE_HOT, train=False)
    assert with_it == without


def test_sample_weights_go_with_their_labels() -> None:
    weight = jnp.asarray(RNG.uniform(0, 2, ROWS), jnp.float32)
    for reduction, divisor in (("sum_over_batch_size", ROWS), ("sum", 1), (None, 0)):
        name = reduction or "mean_with_sample_weight"
        loss = SparseCategoricalCrossentropy(reduction=name)
        found, _ = cost(objective(loss, L.MixUp(1.0)), LABELS, train=True, weight=weight)
        mixed, partner, share = mixture(L.MixUp(1.0))
        network = small()
        begun = start(network, 1)
        *_, p = network.forward(begun.params, begun.state, (mixed,), key=KEY, train=True)[0]
        own = -np.log(np.asarray(p)[np.arange(ROWS), LABELS])
        other = -np.log(np.asarray(p)[np.arange(ROWS), LABELS[partner]])
        left, right = share * weight, (1 - share) * weight[partner]
        total = (left * own + right * other).sum()
        np.testing.assert_allclose(found, total / (divisor or (left + right).sum()), rtol=1e-5)


def test_metrics_compare_with_the_label_of_the_larger_share() -> None:
    augment = L.MixUp(1.0)
    _, (_, stats) = cost(objective(SparseCategoricalCrossentropy(), augment), LABELS, train=True)
    mixed, partner, share = mixture(augment)
    network = small()
    begun = start(network, 1)
    *_, p = network.forward(begun.params, begun.state, (mixed,), key=KEY, train=True)[0]
    larger = np.where(share >= 0.5, LABELS, LABELS[partner])
    found = metric("accuracy", kind="sparse").result(stats["accuracy"])
    assert found == pytest.approx((np.argmax(p, -1) == larger).mean())


@jax.jit
def partners(mask: Any, seed: Any) -> Any:
    return mix((L.MixUp(),), jnp.zeros((len(mask), 1)), mask, jax.random.key(seed))[1]


@settings(deadline=None, max_examples=30)  # the first call compiles
@given(st.lists(st.booleans(), min_size=9, max_size=9), st.integers(0, 99))
def test_partners_are_a_permutation_of_the_real_rows(real: list[bool], seed: int) -> None:
    partner = np.asarray(partners(np.array(real, np.float32), np.uint32(seed)))
    rows = np.flatnonzero(real)
    assert sorted(partner[rows]) == list(rows)


def test_of_a_list_each_keeps_narrow_numbers_narrow() -> None:
    x = jnp.asarray(RNG.normal(size=(4, 3, 3, 1)), jnp.float16)
    mixed, _, share = mix((L.MixUp(1.0), L.CutMix()), x, jnp.ones(4), KEY)
    assert (mixed.dtype, share.dtype) == (jnp.float16, jnp.float32)


def test_mixup_draws_its_share_from_beta() -> None:
    n, alpha = 20_000, 0.4
    zeros, ones = jnp.zeros((n, 1)), jnp.ones((n, 1))
    mixed, share = L.MixUp(alpha).mix(zeros, ones, KEY)
    np.testing.assert_allclose(mixed[:, 0], 1 - share, atol=1e-6)
    variance = 1 / (4 * (2 * alpha + 1))  # of Beta(alpha, alpha), whose mean is 1/2
    assert share.mean() == pytest.approx(0.5, abs=4 * (variance / n) ** 0.5)
    assert share.var() == pytest.approx(variance, rel=0.03)


def test_cutmix_replaces_one_rectangle_and_counts_it() -> None:
    n, high, wide = 500, 9, 6
    x, partner = jnp.zeros((n, high, wide, 2)), jnp.ones((n, high, wide, 2))
    mixed, share = L.CutMix().mix(x, partner, KEY)
    cut = np.asarray(mixed[..., 0]) == 1
    np.testing.assert_array_equal(np.asarray(mixed[..., 1]) == 1, cut)
    np.testing.assert_allclose(share, 1 - cut.mean((1, 2)), atol=1e-6)
    rows, columns = cut.any(2), cut.any(1)
    np.testing.assert_array_equal(cut, rows[:, :, None] & columns[:, None, :])
    for line in (rows, columns):  # without a gap
        assert (
            np.abs(np.diff(np.pad(line, ((0, 0), (1, 1))).astype(int), axis=1)).sum(1) <= 2
        ).all()
    assert cut.all((1, 2)).any() or cut.mean() > 0.2
    # Every pixel can be hit, and hit about as often as one at the same distance from the border.
    often = cut.mean(0)
    np.testing.assert_allclose(often, often[::-1, ::-1], atol=5 * (0.25 / n) ** 0.5)


def test_of_a_list_each_batch_draws_one() -> None:
    x = jnp.asarray(RNG.normal(size=(8, 6, 6, 1)), jnp.float32)

    @jax.jit
    def is_cut(seed: Any) -> Any:
        key = jax.random.key(seed)
        mixed, partner, _ = mix((L.MixUp(1.0), L.CutMix()), x, jnp.ones(8), key)
        return ((mixed == x) | (mixed == x[partner])).all()

    assert 10 <= sum(bool(is_cut(np.uint32(seed))) for seed in range(40)) <= 30


def test_a_fit_with_it_goes_on_after_save_and_load(tmp_path: Path) -> None:
    def build(augment: Any) -> fw.Sequential:
        model = fw.Sequential([L.Input((5, 7, 2)), L.Flatten(), L.Dense(3, "softmax")], seed=1)
        model.compile("sgd", metrics=["accuracy"], augment=augment)
        return model

    model, plain = build([L.MixUp(0.3), L.CutMix()]), build(None)
    for one in (model, plain):
        one.fit(X, LABELS, batch_size=8, epochs=1, verbose=0)
    assert np.abs(model.get_weights()[0] - plain.get_weights()[0]).max() > 1e-4
    model.save(tmp_path / "m.safetensors", include_optimizer=True)
    again = fw.load(tmp_path / "m.safetensors")
    for one in (model, again):
        one.fit(X, LABELS, batch_size=8, epochs=2, initial_epoch=1, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], again.get_weights()[0])


def test_it_regularises_a_regression_too() -> None:
    """Mixing losses gives the squared error's gradient towards the mixed target."""
    share, p = 0.3, 0.9
    y = np.array([0.2, 1.4])
    slope = share * 2 * (p - y[0]) + (1 - share) * 2 * (p - y[1])
    assert slope == pytest.approx(2 * (p - (share * y[0] + (1 - share) * y[1])))
    found, _ = cost(
        objective(MeanAbsoluteError(), L.MixUp(1.0), measured="mae"), ONE_HOT, train=True
    )
    mixed, partner, shares = mixture(L.MixUp(1.0))
    network = small()
    begun = start(network, 1)
    *_, out = network.forward(begun.params, begun.state, (mixed,), key=KEY, train=True)[0]
    errors = [np.abs(out - ONE_HOT).mean(1), np.abs(out - ONE_HOT[partner]).mean(1)]
    np.testing.assert_allclose(
        found, (shares * errors[0] + (1 - shares) * errors[1]).mean(), rtol=1e-5
    )


def images(**arguments: Any) -> fw.Sequential:
    model = fw.Sequential([L.Flatten(), L.Dense(3, activation="softmax")])
    model.compile(**arguments)
    return model


def two_inputs() -> fw.Model:
    a, b = L.Input((3,)), L.Input((3,))
    model = fw.Model([a, b], L.Dense(1)(L.Add()([a, b])))
    model.compile(loss="mse", augment=L.MixUp())
    return model


def of_ids() -> fw.Sequential:
    model = fw.Sequential([L.Embedding(9, 2), L.Flatten(), L.Dense(1)])
    model.compile(loss="mse", augment=L.MixUp())
    return model


def of_text() -> fw.Sequential:
    words = L.TextVectorization(output_mode="multi_hot")
    words.adapt(["a b"])
    model = fw.Sequential([words, L.Dense(1)])
    model.compile(loss="mse", augment=L.MixUp())
    return model


TABLE = np.zeros((4, 3), np.float32)
REFUSED = {
    "alpha": (
        lambda: L.MixUp(0.0),
        "MixUp: expected alpha to be a number > 0, received alpha=0.0. Write MixUp(0.2).",
    ),
    "factor": (
        lambda: L.CutMix(True),
        "CutMix: expected factor to be a number > 0, received factor=True. Write CutMix(1.0).",
    ),
    "as a layer": (
        lambda: fw.Sequential([L.MixUp(), L.Dense(1)]),
        "MixUp: expected its place in compile, since it changes labels, too, received a use as a "
        "layer. Write model.compile(..., augment=MixUp(...)).",
    ),
    "on a symbol": (
        lambda: L.CutMix()(L.Input((4, 4, 1))),
        "CutMix: expected its place in compile, since it changes labels, too, received a use as a "
        "layer. Write model.compile(..., augment=CutMix(...)).",
    ),
    "a layer in compile": (
        lambda: images(augment=L.RandomFlip()),
        "compile, augment: expected MixUp(...), CutMix(...) or a list of them, received "
        f"{L.RandomFlip()!r}. Augmentations that leave labels alone, such as RandomFlip, are "
        "layers: put them first in the model.",
    ),
    "cutmix of a table": (
        lambda: images(augment=L.CutMix()).fit(TABLE, [0, 1, 2, 0], verbose=0),
        "compile, augment=CutMix: expected images of shape (height, width, channels), received an "
        "input of shape (3,). Use MixUp, which mixes any numbers, or give the images an axis of "
        "channels.",
    ),
    "several inputs": (
        lambda: two_inputs().fit([TABLE, TABLE], np.zeros(4), verbose=0),
        "compile, augment: expected a model with one input, received one with 2. Leave augment "
        "out.",
    ),
    "text": (
        lambda: of_text().fit(["a", "b"], np.zeros(2), verbose=0),
        "compile, augment=MixUp: expected numbers that can be averaged, received an input of text. "
        "Leave augment out: the mean of two ids is a third, unrelated one.",
    ),
    "ids": (
        lambda: of_ids().fit(np.zeros((4, 3), int), np.zeros(4), verbose=0),
        "compile, augment=MixUp: expected numbers that can be averaged, received an input of whole "
        "numbers (int32), which are ids. Leave augment out: the mean of two ids is a third, "
        "unrelated one.",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_use_is_answered(case: str) -> None:
    call, message = REFUSED[case]
    with pytest.raises(FitwellError, match=re.escape(message)) as caught:
        call()
    assert isinstance(caught.value, InvalidArgument | ShapeMismatch)
