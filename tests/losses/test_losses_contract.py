"""What every loss keeps: names, descriptions, shapes, reductions, padding."""

import dataclasses
import json
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitwell import losses
from fitwell.serialization import Catalog

nan, inf = np.nan, np.inf
X = np.array([[0.2, 0.8], [0.7, 0.3], [0.4, 0.6]])
ONE_HOT = np.array([[0, 1], [1, 0], [1, 0]])

# class: Keras' arguments in their order with an example of each, the link, y_true for X
TABLE = {
    "MeanSquaredError": ({}, None, ONE_HOT),
    "MeanAbsoluteError": ({}, None, ONE_HOT),
    "MeanAbsolutePercentageError": ({}, None, ONE_HOT + 1),
    "MeanSquaredLogarithmicError": ({}, None, ONE_HOT),
    "Huber": ({"delta": 0.5}, None, ONE_HOT),
    "LogCosh": ({}, None, ONE_HOT),
    "CosineSimilarity": ({"axis": 1}, None, ONE_HOT),
    "Quantile": ({"quantile": (0.1, 0.9)}, None, ONE_HOT),
    "KLDivergence": ({}, None, ONE_HOT),
    "Poisson": ({}, None, ONE_HOT),
    "Hinge": ({}, None, ONE_HOT),
    "SquaredHinge": ({}, None, ONE_HOT),
    "CategoricalHinge": ({}, None, ONE_HOT),
    "BinaryCrossentropy": (
        {"from_logits": True, "label_smoothing": 0.1, "axis": 1}, "sigmoid", ONE_HOT,
    ),
    "CategoricalCrossentropy": (
        {"from_logits": True, "label_smoothing": 0.1, "axis": 1}, "softmax", ONE_HOT,
    ),
    "SparseCategoricalCrossentropy": (
        {"from_logits": True, "ignore_class": 7, "axis": 1}, "softmax", [1, 0, 0],
    ),
    "BinaryFocalCrossentropy": (
        {"apply_class_balancing": True, "alpha": 0.5, "gamma": 1.0, "from_logits": True,
         "label_smoothing": 0.1, "axis": 1}, "sigmoid", ONE_HOT,
    ),
    "CategoricalFocalCrossentropy": (
        {"alpha": (0.5, 2.0), "gamma": 1.0, "from_logits": True, "label_smoothing": 0.1,
         "axis": 1}, "softmax", ONE_HOT,
    ),
}  # fmt: skip
FUNCTIONS = {
    name: re.sub("(?<=[a-z])(?=[A-Z])", "_", name).lower().replace("kldiv", "kl_div")
    for name in TABLE
}
ELEMENTWISE = [n for n in TABLE if not n.startswith(("Cat", "Sparse", "KL", "Cosine", "Quantile"))]


def row(name):
    arguments, link, y_true = TABLE[name]
    return getattr(losses, name), arguments, link, np.asarray(y_true)


def same(a, b):
    np.testing.assert_allclose(a, b, 1e-6, 1e-7)


# Names and descriptions


def test_the_public_names_are_exactly_these():
    others = {"Loss", "FunctionLoss", "get", "reduce"}
    assert set(losses.__all__) == set(TABLE) | set(FUNCTIONS.values()) | others
    assert len(losses.__all__) == len(set(losses.__all__))
    assert all(hasattr(losses, name) for name in losses.__all__)


@pytest.mark.parametrize("name", TABLE)
def test_arguments_are_keras_arguments_in_keras_order(name):
    kind, arguments, link, _ = row(name)
    loss = kind(*arguments.values())
    assert loss == kind(**arguments)
    assert {k: getattr(loss, k) for k in arguments} == arguments
    assert loss.link == link
    assert [f.name for f in dataclasses.fields(loss) if not f.kw_only] == list(arguments)
    assert (loss.reduction, loss.name) == ("sum_over_batch_size", None)


@pytest.mark.parametrize("name", TABLE)
def test_class_and_function_are_one_formula_and_one_name(name):
    kind, arguments, _, y_true = row(name)
    function = getattr(losses, FUNCTIONS[name])
    same(kind(**arguments).values(y_true, X), function(y_true, X, *arguments.values()))
    for identifier in (name, name.upper(), FUNCTIONS[name], function, kind, kind()):
        assert losses.get(identifier) == kind()


@pytest.mark.parametrize("name", TABLE)
def test_descriptions_survive_json_and_hash_by_value(name):
    kind, arguments, _, _ = row(name)
    loss = kind(**arguments, reduction="sum", name="mine")
    catalog = Catalog({f"losses.{n}": getattr(losses, n) for n in losses.__all__})
    assert catalog.from_json(json.loads(json.dumps(catalog.to_json(loss)))) == loss
    assert hash(loss) == hash(kind(**arguments, reduction="sum", name="mine"))
    assert loss != kind(**arguments)


def test_logits_are_switched_on_by_replacement():
    for name in TABLE:
        if row(name)[2] is not None:
            loss = row(name)[0](reduction="sum")
            assert dataclasses.replace(loss, from_logits=True).from_logits
            assert dataclasses.replace(loss, from_logits=True).reduction == "sum"


@pytest.mark.parametrize(
    ("identifier", "kind"),
    [
        ("mse", "MeanSquaredError"),
        ("MSE", "MeanSquaredError"),
        ("mae", "MeanAbsoluteError"),
        ("mape", "MeanAbsolutePercentageError"),
        ("msle", "MeanSquaredLogarithmicError"),
        ("BCE", "BinaryCrossentropy"),
        ("logistic", "BinaryCrossentropy"),
        ("logistic loss", "BinaryCrossentropy"),
        ("kld", "KLDivergence"),
        ("pinball", "Quantile"),
        ("mean squared error", "MeanSquaredError"),
    ],
)
def test_aliases(identifier, kind):
    assert losses.get(identifier) == getattr(losses, kind)()


def test_a_users_function_becomes_a_loss():
    def third(y_true, y_pred):
        return jnp.mean(jnp.abs(y_true - y_pred) ** 3, axis=-1)

    loss = losses.get(third)
    assert loss == losses.FunctionLoss(third)
    same(loss(np.array([0, 1]), np.array([[2.0], [4.0]])), (8 + 27) / 2)
    same(loss.values(np.array([0, 1]), np.array([[2.0], [4.0]])), [8, 27])


# Shapes


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_missing_last_axis_is_aligned_and_never_broadcast(name):
    kind, arguments, _, _ = row(name)
    loss = kind(**arguments)
    y, x = np.array([1.0, 0.0, 1.0]), np.array([0.2, 0.7, 0.4])
    expected = loss.values(y[:, None], x[:, None])
    assert expected.shape == (3,)
    same(loss.values(y, x[:, None]), expected)
    same(loss.values(y[:, None], x), expected)


def test_sequences_keep_their_time_axis():
    y, x = np.zeros((2, 3, 1)), np.ones((2, 3, 1))
    assert losses.MeanSquaredError().values(y, x).shape == (2, 3)
    assert losses.MeanSquaredError().values(y[..., 0], x).shape == (2,)  # as in Keras
    labels, logits = np.zeros((2, 3), int), np.zeros((2, 3, 4))
    sparse = losses.SparseCategoricalCrossentropy(from_logits=True)
    assert sparse.values(labels, logits).shape == (2, 3)
    assert sparse.values(labels[..., None], logits).shape == (2, 3)


def test_one_target_serves_several_quantiles():
    loss = losses.Quantile((0.25, 0.75))
    expected = [(0.25 * 2 + 0.75 * 1) / 2, (0.75 * 1 + 0.25 * 2) / 2]
    for y in (np.array([2.0, 0.0]), np.array([[2.0], [0.0]]), np.array([[2.0, 2.0], [0, 0]])):
        same(loss.values(y, np.array([[0.0, 1.0], [1.0, 2.0]])), expected)


# Reduction


def test_reductions_by_hand():
    values, weight = jnp.array([[1.0, 2.0], [3.0, 4.0]]), jnp.array([1.0, 3.0])
    for reduction, plain, weighted in (
        ("sum_over_batch_size", 10 / 4, 24 / 4),
        ("mean", 10 / 4, 24 / 4),
        ("mean_with_sample_weight", 10 / 4, 24 / 8),
        ("sum", 10, 24),
        ("none", 10 / 4, 24 / 4),
        (None, 10 / 4, 24 / 4),
    ):
        same(losses.reduce(values, reduction=reduction), plain)
        for shape in ((2,), (2, 1), (2, 2)):
            w = jnp.broadcast_to(weight.reshape(2, *(1,) * (len(shape) - 1)), shape)
            same(losses.reduce(values, w, None, reduction), weighted)
    same(losses.reduce(values, jnp.float32(2)), 5)


rows = st.integers(1, 7)


@given(st.data(), rows, st.booleans(), st.sampled_from(["mean", "mean_with_sample_weight", "sum"]))
@settings(deadline=None, max_examples=40)
def test_padded_rows_do_not_exist(data, n, weighted, reduction):
    numbers = st.floats(-100, 100, width=32)
    values = np.zeros((8, 2), np.float32)
    values[:n] = np.reshape(data.draw(st.lists(numbers, min_size=2 * n, max_size=2 * n)), (n, 2))
    values[n:] = data.draw(st.sampled_from([nan, inf, -inf, 7]))
    weight = np.full(8, data.draw(st.sampled_from([nan, inf, 1])), np.float32)
    weight[:n] = data.draw(st.lists(st.floats(0.125, 8, width=32), min_size=n, max_size=n))
    mask = np.arange(8) < n
    found = losses.reduce(jnp.asarray(values), weight if weighted else None, mask * 1.0, reduction)
    w = np.float64(weight[:n] if weighted else np.ones(n))[:, None]
    terms = values[:n] * w
    count = {"mean": 2 * n, "mean_with_sample_weight": 2 * w.sum(), "sum": 1}[reduction]
    rounding = 1e-6 * np.abs(terms).sum() / count
    np.testing.assert_allclose(found, terms.sum() / count, 1e-6, rounding)


def test_nothing_to_average_gives_0():
    values = jnp.array([nan, 2.0])
    for reduction in ("mean", "mean_with_sample_weight", "sum"):
        assert losses.reduce(values, None, jnp.zeros(2), reduction) == 0
        assert losses.reduce(jnp.array([1.0, 2.0]), jnp.zeros(2), None, reduction) == 0
        assert losses.reduce(jnp.zeros((0,)), None, None, reduction) == 0


def test_reduce_gives_padding_no_gradient():
    values, mask = jnp.array([1.0, nan, 2.0, inf]), jnp.array([1.0, 0, 1, 0])
    slope = jax.jit(jax.grad(lambda v: losses.reduce(v, jnp.array([2.0, nan, 4, 8]), mask)))(values)
    same(slope, [1, 0, 2, 0])


@pytest.fixture(scope="module")
def padded():
    """Of every loss, cost and gradient with two rows of garbage behind, and without them."""

    def run(mask):
        results = {}
        for name in TABLE:
            kind, arguments, _, y = row(name)
            loss, weight = kind(**arguments), jnp.array([1.0, 0.5, 2.0])
            garbage = jnp.array([[nan, -inf], [-1e-7, inf]])
            x = jnp.concatenate([X, garbage])
            sparse = name.startswith("Sparse")
            y_garbage = np.full((2, *y.shape[1:]), -5 if sparse else nan)
            ys = jnp.asarray(np.concatenate([y, y_garbage]))
            ws = jnp.concatenate([weight, jnp.array([nan, 3.0])])
            full = jax.value_and_grad(lambda p, f=loss, a=ys, b=ws: f.cost(a, p, b, mask))(x)
            short = jax.value_and_grad(lambda p, f=loss, a=y, b=weight: f(a, p, b))(jnp.asarray(X))
            results[name] = full, short
        return results

    return jax.device_get(jax.jit(run)(jnp.array([1.0, 1, 1, 0, 0])))


@pytest.mark.parametrize("name", TABLE)
def test_garbage_in_padded_rows_reaches_neither_cost_nor_gradient(name, padded):
    (value, slope), (expected_value, expected_slope) = padded[name]
    same(value, expected_value)
    same(slope, np.concatenate([expected_slope, np.zeros((2, 2))]))


def test_ignored_labels_do_not_enter_the_average():
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    logits, labels = np.zeros((4, 3)), np.array([0, -1, 2, -1])
    same(loss(labels, logits), np.log(3))
    same(loss.counted(labels, logits), [True, False, True, False])
    same(loss.cost(labels, logits, None, np.array([1, 1, 0, 0])), np.log(3))
    assert losses.SparseCategoricalCrossentropy().counted(labels, logits) is None
