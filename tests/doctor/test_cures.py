"""Each cure on a tiny network whose answer is known: what it changes, when it does not apply."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.doctor.cures import EVIDENT, FURTHER, cures_for
from fitwell.doctor.edits import heads, plan, scaling, structure
from fitwell.doctor.rewriting import is_chain, rewritten
from fitwell.doctor.setup import Facts, Setup
from fitwell.treatment.examining import as_told, facts_of
from fitwell.treatment.scoring import Judge, divided, read
from fitwell.treatment.trials import run

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype(np.float32)
NUMBERS = X @ [1.0, -2.0, 0.5, 0.0]
CLASSES = RNG.integers(0, 3, 60)
ONE_HOT = np.eye(3)[CLASSES]
BITS = RNG.integers(0, 2, 60)
MULTI = RNG.integers(0, 2, (60, 5))


def told(
    layers: list[Any], y: Any, x: Any = X, optimizer: Any = "adam", loss: Any = "mse", **fit: Any
) -> tuple[Setup, Facts]:
    model = fw.Sequential(layers, seed=0)
    model.compile(optimizer, loss=loss)
    data = divided(read("test", model, x, y), None)
    setup = as_told("test", model, data, **fit)
    return setup, facts_of(model, setup, data)


def kinds(setup: Setup | None) -> list[str]:
    assert setup is not None
    return [type(node.layer).__name__ for node in setup.network.nodes[1:]]


def last(setup: Setup | None) -> Any:
    assert setup is not None
    return setup.network.nodes[-1].layer


@pytest.mark.parametrize(
    ("y", "units", "activation", "loss", "wanted"),
    [
        (BITS, 1, "softmax", "mse", (1, "sigmoid", "BinaryCrossentropy")),
        (BITS, 1, "relu", "binary_crossentropy", (1, "sigmoid", "BinaryCrossentropy")),
        (BITS, 1, "sigmoid", "categorical_crossentropy", (1, "sigmoid", "BinaryCrossentropy")),
        (ONE_HOT, 3, "sigmoid", "mse", (3, "softmax", "CategoricalCrossentropy")),
        (ONE_HOT, 3, None, "categorical_crossentropy", (3, "softmax", "CategoricalCrossentropy")),
        (CLASSES, 1, "sigmoid", "binary_crossentropy",
         (3, "softmax", "SparseCategoricalCrossentropy")),
        (MULTI, 5, "softmax", "categorical_crossentropy", (5, "sigmoid", "BinaryCrossentropy")),
        (NUMBERS, 1, "sigmoid", "mse", (1, None, "MeanSquaredError")),
        (NUMBERS, 1, None, "categorical_crossentropy", (1, None, "MeanSquaredError")),
    ],
)  # fmt: skip
def test_the_head_follows_the_labels(
    y: Any, units: int, activation: Any, loss: str, wanted: tuple[Any, ...]
) -> None:
    setup, facts = told([L.Dense(8, "relu"), L.Dense(units, activation)], y, loss=loss)
    cured = heads.right_head(setup, facts)
    assert cured is not None
    name = type(cured.compiled.losses[0]).__name__
    assert (last(cured).units, last(cured).activation, name) == wanted


@pytest.mark.parametrize(
    ("y", "units", "activation", "loss"),
    [
        (BITS, 1, "sigmoid", "binary_crossentropy"),
        (BITS, 1, None, fw.losses.BinaryCrossentropy(from_logits=True)),
        (BITS, 2, "softmax", "sparse_categorical_crossentropy"),
        (ONE_HOT, 3, "softmax", "categorical_crossentropy"),
        (ONE_HOT, 3, None, fw.losses.CategoricalCrossentropy(from_logits=True)),
        (CLASSES, 3, "softmax", "sparse_categorical_crossentropy"),
        (CLASSES, 1, None, "mse"),  # whole numbers may be meant as numbers
        (NUMBERS, 1, None, "mae"),
        (np.tanh(NUMBERS), 1, "tanh", "mse"),
        (NUMBERS, 1, None, lambda y, p: (y - p) ** 4),  # a loss of the user's own is meant
    ],
)
def test_a_right_head_is_left_alone(y: Any, units: int, activation: Any, loss: Any) -> None:
    setup, facts = told([L.Dense(8, "relu"), L.Dense(units, activation)], y, loss=loss)
    assert heads.right_head(setup, facts) is None


def test_an_activation_of_its_own_at_the_end_is_replaced() -> None:
    layers = [L.Dense(8, "relu"), L.Dense(1), L.Activation("softmax")]
    cured = heads.right_head(*told(layers, BITS, loss="mse"))
    assert kinds(cured) == ["Dense", "Dense"]
    assert last(cured).activation == "sigmoid"


def test_inputs_are_scaled_where_they_need_it() -> None:
    apart = X * [1, 1000, 1, 1]
    cured = scaling.scaled_inputs(*told([L.Dense(1)], NUMBERS, apart))
    assert kinds(cured) == ["Normalization", "Dense"]
    assert scaling.scaled_inputs(*told([L.Dense(1)], NUMBERS)) is None
    assert scaling.scaled_inputs(*told([L.Normalization(), L.Dense(1)], NUMBERS, apart)) is None


def test_pixels_share_one_scale() -> None:
    pixels = RNG.integers(0, 256, (60, 64))
    cured = scaling.scaled_inputs(*told([L.Dense(1)], NUMBERS, pixels))
    assert cured is not None  # type: ignore[attr-defined]
    assert cured.network.nodes[1].layer.axis is None


def test_scaled_targets_have_the_gradients_of_standardised_ones() -> None:
    """mse(y, s p + m) / s^2 is mse((y - m) / s, p)."""
    setup, facts = told([L.Dense(1)], 200 + 50 * NUMBERS)
    cured = scaling.scaled_targets(setup, facts)
    assert kinds(cured) == ["Dense", "Rescaling"]
    assert cured is not None
    assert last(cured).scale == pytest.approx(facts.stds[0][0], rel=1e-3)
    assert last(cured).offset == pytest.approx(facts.means[0][0], rel=1e-3)
    assert cured.compiled.weights[0] == pytest.approx(facts.stds[0][0] ** -2, rel=1e-2)
    assert scaling.scaled_targets(*told([L.Dense(1)], NUMBERS / NUMBERS.std())) is None


def test_initialisation_is_by_fan_in_where_units_begin_alike() -> None:
    zero = L.Dense(8, "relu", kernel_initializer="zeros", bias_initializer="ones")
    cured = structure.initialised(*told([zero, L.Dense(1)], NUMBERS))
    first: Any = cured.network.nodes[1].layer if cured is not None else None
    assert (first.kernel_initializer, first.bias_initializer) == ("auto", "zeros")
    narrow = L.Dense(8, "relu", kernel_initializer="glorot_uniform")
    assert structure.initialised(*told([narrow, L.Dense(1)], NUMBERS)) is None


def test_hidden_layers_are_bent() -> None:
    layers = [L.Dense(32, "sigmoid"), L.Dense(8, "softmax"), L.Dense(32), L.Dense(1)]
    cured = structure.bent(*told(layers, NUMBERS))
    assert cured is not None
    names = [node.layer.activation for node in cured.network.nodes[1:]]  # type: ignore[attr-defined]
    assert names == ["relu", "tanh", "relu", None]
    behind = [L.Dense(32), L.BatchNormalization(), L.Activation("relu"), L.Dense(1)]
    assert structure.bent(*told(behind, NUMBERS)) is None  # a bend follows


def test_convolutions_are_bent_but_for_the_last_and_those_that_are_added() -> None:
    images = RNG.normal(size=(60, 8, 8, 1))
    x = L.Input((8, 8, 1))
    first = L.Conv2D(4, 3)(x)
    second = L.Conv2D(4, 3, padding="same")(L.MaxPooling2D(2)(first))
    added = L.Add()([second, L.Conv2D(4, 3, padding="same")(second)])
    model = fw.Model(x, L.Conv2D(1, 3, name="last")(added))
    model.compile("adam", "mse")
    data = divided(read("test", model, images, images[:, :1, :1]), None)
    setup = as_told("test", model, data)
    cured = structure.bent(setup, facts_of(model, setup, data))
    assert cured is not None
    layers = [one for one in cured.network.layers.values() if isinstance(one, L.Conv2D)]
    assert [one.activation for one in layers] == ["relu", None, None, None]


def test_sequences() -> None:
    """Padding is masked, gates stand in for a SimpleRNN."""
    ids = np.where(np.arange(12) < 4, RNG.integers(1, 30, (60, 12)), 0)
    text = [L.Embedding(30, 2), L.SimpleRNN(4), L.Dense(1)]
    cured = structure.masked(*told(text, NUMBERS, ids))
    assert cured is not None
    assert cured.network.layers["embedding"].mask_zero  # type: ignore[attr-defined]
    assert kinds(structure.gated(*told(text, NUMBERS, ids))) == ["Embedding", "LSTM", "Dense"]
    same: dict[str, Any] = {"recurrent_dropout": 0.2, "kernel_regularizer": "l2", "use_bias": False}
    strict = L.SimpleRNN(4, "relu", **same)
    cured = structure.gated(*told([text[0], strict, text[2]], NUMBERS, ids))
    assert cured is not None
    assert cured.network.layers["lstm"] == L.LSTM(4, **same, name="lstm")
    full = RNG.integers(1, 30, (60, 12))
    assert structure.masked(*told(text, NUMBERS, full)) is None
    numbers = [L.GRU(4), L.Dense(1)]
    cured = structure.masked(*told(numbers, NUMBERS, 1.0 * ids[..., None]))
    assert kinds(cured) == ["Masking", "GRU", "Dense"]
    assert structure.gated(*told(numbers, NUMBERS, 1.0 * ids[..., None])) is None


def test_a_long_chain_keeps_three_hidden_layers() -> None:
    long = [L.Dense(16, "relu") for _ in range(9)]
    cured = structure.shallower(*told([*long, L.Dense(1)], NUMBERS))
    assert kinds(cured) == ["Dense"] * 4
    assert structure.shallower(*told([*long[:4], L.Dense(1)], NUMBERS)) is None


def test_residual_connections_add_the_input_of_equal_width() -> None:
    long = [L.Dense(16, "relu") for _ in range(6)]
    cured = structure.residual(*told([*long, L.Dense(1)], NUMBERS))
    assert kinds(cured).count("Add") == 5  # the first reads 4 features
    assert cured is not None
    assert not is_chain(cured.network)


def test_batch_normalization_stands_before_the_activation() -> None:
    cured = structure.normalised(*told([L.Dense(16, "relu"), L.Dense(1)], NUMBERS))
    assert kinds(cured) == ["Dense", "BatchNormalization", "Activation", "Dense"]


def test_strong_penalties_and_dropout_become_weak() -> None:
    strong = L.Dense(16, "relu", kernel_regularizer=fw.regularizers.L2(0.5))
    cured = structure.less_regularised(*told([strong, L.Dropout(0.6), L.Dense(1)], NUMBERS))
    assert cured is not None
    dense, dropout = (node.layer for node in cured.network.nodes[1:3])
    assert dense.kernel_regularizer == fw.regularizers.L2(1e-5)  # type: ignore[attr-defined]
    assert dropout.rate == 0.1  # type: ignore[attr-defined]


def test_the_plan() -> None:
    far = told([L.Dense(1)], NUMBERS, optimizer=fw.optimizers.SGD(0.5), batch_size=1, epochs=3)
    cured = plan.adam(*far)
    assert cured is not None
    assert cured.optimizer == fw.optimizers.Adam(plan.RATE)
    batches = plan.usual_batches(*far)
    assert batches is not None
    assert batches.batch_size == 32
    usual = told([L.Dense(1)], NUMBERS, batch_size=32, epochs=5)
    assert plan.adam(*usual) is None
    assert plan.usual_batches(*usual) is None
    more = plan.longer(*usual)  # 48 rows are 2 steps, 5 epochs 10: at most 256 times as many
    assert more is not None
    assert more.epochs == 1280
    assert plan.longer(*told([L.Dense(1)], NUMBERS, batch_size=32, epochs=1000)) is None


def test_what_fits_together_no_more_is_no_network() -> None:
    setup, _ = told([L.Reshape((2, 2)), L.Flatten(), L.Dense(1)], NUMBERS)
    assert rewritten(setup.network, {"input": [L.Dense(3)]}) is None


def test_shared_layers_stay_shared() -> None:
    a, b = L.Input((4,), name="a"), L.Input((4,), name="b")
    shared = L.Dense(3)
    model = fw.Model([a, b], L.Add()([shared(a), shared(b)]))
    changed = rewritten(model.network, {"a": [L.Normalization()]})
    assert changed is not None
    assert changed.output_shapes == model.network.output_shapes
    assert len(changed.layers) == len(model.network.layers) + 1


def test_every_cure_says_what_it_answers_and_does() -> None:
    names = [cure.name for cure in (*EVIDENT, *FURTHER)]
    assert len(set(names)) == len(names)
    for cure in (*EVIDENT, *FURTHER):
        assert cure.codes
        assert cure.code
        assert cure.sentence.endswith(".")
    assert cures_for("overfitting")[0].name == "stop early"


def test_layers_that_are_all_frozen_learn_again() -> None:
    setup, facts = told([L.Dense(8, "relu", trainable=False), L.Dense(1, trainable=False)], NUMBERS)
    assert facts.record.plan is not None
    assert facts.record.plan.parameters == 0
    cured = structure.thawed(setup, facts)
    assert cured is not None
    assert all(layer.trainable for layer in cured.network.layers.values())
    model = fw.Sequential([L.Dense(8, "relu", trainable=False), L.Dense(1, trainable=False)])
    model.compile("adam", "mse")
    data = divided(read("test", model, X, NUMBERS), None)
    found = run(setup, model, data, Judge(facts.record.heads), [0, 1], subject="treat")
    assert found.refused == "treat: every layer is frozen, so that no weight learns"
    some = told([L.Dense(8, "relu", trainable=False), L.Dense(1)], NUMBERS)
    assert structure.thawed(*some) is None  # a pretrained part


def test_a_layer_of_one_unit_becomes_wide() -> None:
    setup, facts = told([L.Dense(16, "relu"), L.Dense(1, "relu"), L.Dense(1)], NUMBERS)
    cured = structure.widened(setup, facts)
    assert cured is not None
    assert [node.layer.units for node in cured.network.nodes[1:]] == [16, 32, 1]  # type: ignore[attr-defined]
    assert structure.widened(*told([L.Dense(2), L.Dense(4)], X)) is None  # a linear code
    pairs = X[:, :2]
    assert structure.widened(*told([L.Dense(2, "tanh"), L.Dense(1)], NUMBERS, pairs)) is None
