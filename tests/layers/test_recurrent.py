"""Recurrent layers beyond the contract: masks, states, dropout, penalties, wrappers, messages."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import FitwellError, InvalidArgument, InvalidData, ShapeMismatch
from fitwell.layers.base import infer
from fitwell.layers.recurrent import Cell
from fitwell.ops import recurrent as ops
from fitwell.tree import unflatten

from .test_contract import close, golden_case

KEY = jax.random.key(0)
U = 2
ALL: dict[str, Any] = {"return_sequences": True, "return_state": True}


def random(*shape: int, seed: int = 0) -> Any:
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape))


# The backward passes by hand against autodiff of the plain loop, in float64.


def plain_lstm(x: Any, kernel: Any, recurrent: Any, bias: Any, start: Any) -> Any:
    def turn(states: Any, now: Any) -> Any:
        i, f, g, o = jnp.split(now @ kernel + states[0] @ recurrent + bias, 4, -1)
        c = jax.nn.sigmoid(f) * states[1] + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    last, outputs = lax.scan(turn, start, x)
    return outputs, last


def plain_gru(x: Any, kernel: Any, recurrent: Any, bias: Any, start: Any) -> Any:
    def turn(states: Any, now: Any) -> Any:
        a, b = now @ kernel + bias[0], states[0] @ recurrent + bias[1]
        az, ar, ah = jnp.split(a, 3, -1)
        bz, br, bh = jnp.split(b, 3, -1)
        z, r = jax.nn.sigmoid(az + bz), jax.nn.sigmoid(ar + br)
        h = z * states[0] + (1 - z) * jnp.tanh(ah + r * bh)
        return (h,), h

    last, outputs = lax.scan(turn, start, x)
    return outputs, last


def plain_simple(x: Any, kernel: Any, recurrent: Any, bias: Any, start: Any) -> Any:
    def turn(states: Any, now: Any) -> Any:
        h = jnp.tanh(now @ kernel + states[0] @ recurrent + bias)
        return (h,), h

    last, outputs = lax.scan(turn, start, x)
    return outputs, last


MAPS = [
    pytest.param(ops.lstm, plain_lstm, 4, (8,), 2, id="lstm"),
    pytest.param(ops.gru, plain_gru, 3, (2, 6), 1, id="gru"),
    pytest.param(ops.simple_rnn, plain_simple, 1, (2,), 1, id="simple_rnn"),
]


@pytest.mark.parametrize(("fast", "plain", "parts", "bias", "states"), MAPS)
def test_gradients_and_their_gradients_are_those_of_the_plain_loop(
    fast: Any, plain: Any, parts: int, bias: Any, states: int
) -> None:
    with jax.enable_x64(True):
        args = (
            random(6, 3, 4),
            random(4, parts * U, seed=1),
            random(U, parts * U, seed=2),
            random(*bias, seed=3),
            tuple(random(3, U, seed=4 + i) for i in range(states)),
        )
        direction = jax.tree.map(lambda a: jnp.cos(7 * a), args)

        def checks(f: Any) -> Any:
            def loss(args: Any) -> Any:
                outputs, last = f(*args)
                return jnp.sum(jnp.sin(outputs)) + sum(jnp.sum(s**2) for s in last)

            def slope(args: Any) -> Any:
                grads, ways = (jax.tree.leaves(t) for t in (jax.grad(loss)(args), direction))
                return sum(jnp.vdot(g, d) for g, d in zip(grads, ways, strict=True))

            # Reverse over reverse, and forward over reverse, as the curvature needs them.
            forward = jax.jvp(jax.grad(loss), (args,), (direction,))[1]
            return loss(args), jax.grad(loss)(args), jax.grad(slope)(args), forward

        close(jax.jit(lambda: checks(fast))(), jax.jit(lambda: checks(plain))(), 1e-12, 1e-12)


# Masks


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("masked_lstm", L.LSTM(U, **ALL)),
        ("masked_lstm_backwards", L.LSTM(U, go_backwards=True, **ALL)),
        ("masked_gru", L.GRU(U, **ALL)),
        ("masked_gru_before", L.GRU(U, reset_after=False, **ALL)),
        ("masked_simple_rnn", L.SimpleRNN(U, **ALL)),
        ("masked_bidirectional", L.Bidirectional(L.GRU(U, **ALL))),
        ("lengths_lstm", L.LSTM(U, **ALL)),
        ("lengths_gru", L.GRU(U, **ALL)),
    ],
)
def test_masked_steps_as_in_keras_and_pytorch(name: str, layer: Any) -> None:
    case = golden_case(name)
    params = {k[6:]: jnp.asarray(v, jnp.float32) for k, v in case.items() if k[:6] == "param/"}
    x, mask = jnp.asarray(case["x0"], jnp.float32), jnp.asarray(case["mask"])

    def output(weights: Any, x: Any) -> Any:
        own = unflatten(weights)
        y, *states = layer.forward(own, {}, x, key=KEY, train=True, mask=mask)[0]
        # PyTorch's packed sequences are 0 behind their ends, ours (and Keras') stand still.
        return [y * mask[..., None] if name.startswith("lengths") else y, *states]

    def both(weights: Any, x: Any, cotangents: Any) -> Any:
        y, pull = jax.vjp(output, weights, x)
        return y, *pull(cotangents)

    outputs = sorted(key for key in case if key[0] == "y")
    cotangents = [jnp.asarray(case[f"cotangent{y[1:]}"], jnp.float32) for y in outputs]
    y, grads, dx = jax.jit(both)(params, x, cotangents)
    close(y, [case[key] for key in outputs])
    close(grads, {k: case[f"grad/{k}"] for k in grads}, 1e-4, 1e-5)
    close(dx, case["grad/x0"], 1e-4, 1e-5)


def masks_of(model: Any, x: Any) -> Any:
    train = model.train_state
    xs = [jnp.asarray(x)]

    def masks(params: Any, state: Any, xs: Any) -> Any:
        return model.network.masked_forward(params, state, xs, key=KEY, train=False)[1]

    return jax.jit(masks)(train.params, train.state, xs)


def test_masks_travel_as_far_as_the_time_axis() -> None:
    model = fw.Sequential(
        [
            L.Embedding(9, 4, mask_zero=True),
            L.Dense(3),
            L.Dropout(0.5),
            L.LSTM(2, return_sequences=True),
            L.Bidirectional(L.GRU(2, return_sequences=True)),
            L.TimeDistributed(L.Dense(3)),
            L.Flatten(),
            L.Dense(2),
        ]
    )
    model.build((None, 3))
    ids = np.array([[1, 2, 0], [3, 0, 4]])
    found = masks_of(model, ids)
    for mask in found[1:7]:
        np.testing.assert_array_equal(mask, ids != 0)
    assert found[0] is found[7] is found[8] is None


def test_masks_of_several_inputs_are_joined() -> None:
    a, b = L.Input((3,), dtype="int32"), L.Input((3,), dtype="int32")
    first, second = (L.Embedding(5, 2, mask_zero=True)(x) for x in (a, b))
    outputs = [L.Add()([first, second]), L.Concatenate(axis=1)([first, second])]
    model = fw.Model([a, b], [*outputs, L.Permute((2, 1))(first)])
    xs = [jnp.array([[1, 0, 0]]), jnp.array([[1, 1, 0]])]
    train = model.train_state
    masks: Any = model.network.masked_forward(train.params, {}, xs, key=KEY, train=False)[1]
    assert masks[4].tolist() == [[True, True, False]]  # real in one of them: real, as in Keras
    assert masks[5].tolist() == [[True, False, False, True, True, False]]
    assert masks[6] is None


def test_masked_steps_do_not_count_in_loss_and_metrics() -> None:
    x = np.array([[1.0, 2.0, 0.0], [3.0, 0.0, 0.0]])[..., None]
    y = np.array([[1.0, 0.0, 9.0], [1.0, 9.0, 9.0]])[..., None]
    model = fw.Sequential([L.Masking(), L.Dense(1, kernel_initializer="ones")])
    model.compile(loss="mse", metrics=["mae"])
    found = model.evaluate(x, y, return_dict=True)
    # Errors 0, 2, 2 at the three real steps.
    assert found["loss"] == pytest.approx(8 / 3)
    assert found["mae"] == pytest.approx(4 / 3)


def test_what_padding_holds_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(1, 9, size=(6, 5)) * (np.arange(5) < rng.integers(1, 6, (6, 1)))
    longer = np.concatenate([x, np.zeros((6, 3), int)], 1)
    for layer in (L.LSTM(3), L.GRU(3), L.SimpleRNN(3), L.Bidirectional(L.LSTM(3))):
        a, b = (
            fw.Sequential([L.Embedding(9, 4, mask_zero=True), layer, L.Dense(2)], seed=1)
            for _ in range(2)
        )
        a.build((None, 5))
        b.build((None, 8))
        np.testing.assert_allclose(a.predict(x), b.predict(longer), rtol=1e-6)


# States


def test_initial_states_by_keyword_and_from_another_layer() -> None:
    x = L.Input((4, 3))
    y, h, c = L.LSTM(U, **ALL, name="first")(x)
    second = L.LSTM(U, name="second")
    model = fw.Model(x, [second(y, initial_state=[h, c]), h, c])
    by_list = fw.Model(x, second([y, h, c]))
    by_list.set_weights(model.get_weights())
    data = np.asarray(random(2, 4, 3), np.float32)
    found, h_last, c_last = model.predict(data)
    np.testing.assert_array_equal(by_list.predict(data), found)
    start = (jnp.asarray(h_last), jnp.asarray(c_last))
    of: Any = model.train_state.params

    def plain(name: str, x: Any, start: Any) -> Any:
        own = of[name]
        return plain_lstm(x, own["kernel"], own["recurrent_kernel"], own["bias"], start)

    ys, states = plain("first", data.swapaxes(0, 1), (jnp.zeros((2, U)),) * 2)
    close(states, start)
    close(plain("second", ys, start)[1][0], found)


def test_stateful_goes_on_where_the_batch_before_ended() -> None:
    data = np.asarray(random(4, 6, 3), np.float32)
    whole = fw.Sequential([L.LSTM(U)], seed=1)
    whole.build((None, 6, 3))
    parts = fw.Sequential([L.LSTM(U, stateful=True, batch_size=4)], seed=1)
    parts.build((None, 3, 3))
    parts.set_weights([*whole.get_weights(), *(np.zeros((4, U)),) * 2])
    first = parts.predict(data[:, :3], batch_size=4)
    np.testing.assert_allclose(parts.predict(data[:, 3:], batch_size=4), whole.predict(data), 1e-5)
    parts.layers[0].reset_state()
    np.testing.assert_array_equal(parts.predict(data[:, :3], batch_size=4), first)


def test_stateful_keeps_the_state_of_rows_that_are_padding() -> None:
    model = fw.Sequential([L.SimpleRNN(U, stateful=True, batch_size=4)], seed=1)
    model.build((None, 2, 3))
    data = np.asarray(random(4, 2, 3), np.float32)
    before = model.predict(data, batch_size=4)
    after = model.predict(data[:3], batch_size=4)  # padded to 4 rows
    kept = np.asarray(model.layers[0].state_0)
    np.testing.assert_array_equal(kept[:3], after)
    np.testing.assert_array_equal(kept[3], before[3])


def test_stateful_goes_on_from_batch_to_batch_in_evaluate() -> None:
    model = fw.Sequential([L.SimpleRNN(1, stateful=True, batch_size=1)], seed=1)
    model.build((None, 1, 1))
    model.layers[0].set_weights([[[1.0]], [[1.0]], [0.0], [[0.0]]])
    model.compile(loss="mse")
    found = model.evaluate(np.ones((3, 1, 1)), np.zeros((3, 1)), batch_size=1)
    h = [0.0]
    for _ in range(3):
        h.append(np.tanh(1 + h[-1]))
    assert found == pytest.approx(np.mean(np.square(h[1:])), rel=1e-5)
    assert float(model.layers[0].state_0[0, 0]) == 0  # a measurement leaves the model as it was


def test_stateful_in_a_fit() -> None:
    model = fw.Sequential([L.GRU(U, stateful=True, batch_size=2), L.Dense(1)], seed=1)
    model.compile(loss="mse")
    data = np.asarray(random(4, 3, 3), np.float32)
    model.fit(data, data[:, 0, :1], batch_size=2, epochs=1, shuffle=False, verbose=0)
    assert np.abs(np.asarray(model.layers[0].state_0)).min() > 0


# Dropout, penalties, initial weights


@functools.cache
def program(layer: Any, train: bool) -> Any:
    return jax.jit(lambda params, x, key: layer.forward(params, {}, x, key=key, train=train)[0])


def run(layer: Any, params: Any, x: Any, key: Any, train: bool = True) -> Any:
    return program(layer, train)(params, x, key)


@pytest.mark.parametrize("kind", [L.LSTM, L.GRU, L.SimpleRNN])
def test_dropout_is_one_mask_per_sequence_and_off_in_prediction(kind: Any) -> None:
    x = jnp.ones((200, 3, 4))
    layer = kind(3, dropout=0.5, recurrent_dropout=0.5, return_sequences=True)
    params = layer.init(KEY, (3, 4))
    plain = run(kind(3, return_sequences=True), params, x, KEY)
    np.testing.assert_array_equal(run(layer, params, x, KEY, train=False), plain)
    noise = layer.cell.noise(KEY, 200, 4, jnp.float32)
    assert {0.0, 2.0} == set(np.unique(noise.inputs)) == set(np.unique(noise.states))
    assert abs(float(noise.inputs.mean()) - 1) < 0.15
    # The fast map and the cell's own step by step.
    steps = layer.cell.prepare(params, x.swapaxes(0, 1), noise)
    states: Any = tuple(jnp.zeros((200, 3)) for _ in layer.cell.state_sizes)
    for t in range(3):
        y, states = layer.cell.step(params, steps[t], states, noise)
        np.testing.assert_allclose(run(layer, params, x, KEY)[:, t], y, rtol=1e-5, atol=1e-6)


def test_penalties_reach_weights_inside_other_layers() -> None:
    inner = L.LSTM(U, kernel_regularizer="l2", recurrent_constraint="unit_norm")
    model = fw.Sequential([L.Bidirectional(inner)], seed=1)
    model.build((None, 4, 3))
    params = model.train_state.params["bidirectional"]
    expected = 0.01 * sum(float((params[way]["kernel"] ** 2).sum()) for way in params)
    network = model.network
    assert float(network.penalty(model.train_state.params)) == pytest.approx(expected, rel=1e-5)
    doubled = jax.tree.map(lambda a: 2 * a, model.train_state.params)
    projected = network.project(doubled, jnp.asarray(0.1))["bidirectional"]
    for way in ("forward", "backward"):
        norms = jnp.linalg.norm(projected[way]["recurrent_kernel"], axis=0)
        np.testing.assert_allclose(norms, 1, rtol=1e-5)
        np.testing.assert_array_equal(
            projected[way]["kernel"], doubled["bidirectional"][way]["kernel"]
        )


def test_weights_at_the_start_are_keras() -> None:
    params = L.LSTM(3).init(KEY, (5, 4))
    np.testing.assert_array_equal(params["bias"], [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    kernel = params["recurrent_kernel"]
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(3), atol=1e-5)  # orthogonal
    assert np.abs(params["kernel"]).max() <= np.sqrt(6 / (4 + 12))  # Glorot
    assert L.LSTM(3, unit_forget_bias=False).init(KEY, (5, 4))["bias"].sum() == 0
    assert L.GRU(3).init(KEY, (5, 4))["bias"].shape == (2, 9)


def test_a_cell_of_ones_own() -> None:
    class Leaky(Cell):
        rate: float = 0.5

        @property
        def state_sizes(self) -> tuple[int, ...]:
            return (2,)

        def step(self, params: Any, x: Any, states: Any, noise: Any = None) -> Any:
            y = self.rate * states[0] + x
            return y, (y,)

    x = jnp.array([[[8.0, 0.0], [4.0, 2.0]]])
    assert L.RNN(Leaky()).forward({"cell": {}}, {}, x, key=KEY, train=True)[0].tolist() == [[8, 2]]


def test_a_model_with_every_kind_is_saved_and_loaded(tmp_path: Any) -> None:
    model = fw.Sequential(
        [
            L.Embedding(9, 4, mask_zero=True),
            L.Bidirectional(L.LSTM(3, return_sequences=True)),
            L.RNN([L.GRUCell(3), L.LSTMCell(2)], return_sequences=True),
            L.TimeDistributed(L.Dense(2)),
        ],
        seed=3,
    )
    model.build((None, 5))
    ids = np.random.default_rng(0).integers(0, 9, (4, 5))
    model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(
        fw.load(tmp_path / "m.safetensors").predict(ids), model.predict(ids)
    )
    model.summary(print_fn=lambda text: None)


def test_an_lstm_learns_what_only_memory_can_tell() -> None:
    """The first of ten bits, told at the end (by chance: 50 %)."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (256, 10, 1)).astype(np.float32)
    model = fw.Sequential([L.LSTM(8), L.Dense(1, activation="sigmoid")], seed=0)
    model.compile(
        optimizer=fw.optimizers.Adam(0.02), loss="binary_crossentropy", metrics=["accuracy"]
    )
    model.fit(x, x[:, 0, 0], epochs=60, batch_size=32, verbose=0)
    assert model.evaluate(x, x[:, 0, 0], return_dict=True)["accuracy"] > 0.99


# Messages

MESSAGES: list[tuple[Callable[[], Any], type[FitwellError], str]] = [
    (
        lambda: L.LSTM(0),
        InvalidArgument,
        "LSTM: expected units to be a whole number >= 1, received units=0. Pass units=1 or more.",
    ),
    (
        lambda: L.GRU(3, recurrent_dropout=1.0),
        InvalidArgument,
        "GRU: expected recurrent_dropout to be a number in [0, 1), received "
        "recurrent_dropout=1.0. Choose recurrent_dropout inside it.",
    ),
    (
        lambda: L.SimpleRNN(3, use_bias=False, bias_regularizer="l2"),
        InvalidArgument,
        "SimpleRNN: expected use_bias=True where bias_regularizer is given, received "
        "use_bias=False, bias_regularizer='l2'. Leave one of them out.",
    ),
    (
        lambda: L.GRU(3, reset_after=False, layer_norm=True),
        InvalidArgument,
        "GRU: expected reset_after=True with layer_norm=True, received reset_after=False. "
        "Leave one of them out.",
    ),
    (
        lambda: L.LSTM(3, stateful=True),
        InvalidArgument,
        "LSTM: expected stateful=True and batch_size=n together, received stateful=True, "
        "batch_size=None. States are kept from batch to batch for each of n rows: give both or "
        "neither.",
    ),
    (
        lambda: L.RNN(L.Dense(3)),
        InvalidArgument,
        "RNN: expected a cell, or a list of cells, received cell=Dense(units=3). "
        "Write RNN(LSTMCell(8)).",
    ),
    (
        lambda: L.StackedRNNCells(()),
        InvalidArgument,
        "StackedRNNCells: expected cells to be a list of cells, received cells=(). "
        "Write StackedRNNCells([LSTMCell(8), LSTMCell(8)]).",
    ),
    (
        lambda: L.Bidirectional(L.Dense(3)),
        InvalidArgument,
        "Bidirectional: expected layer to be a recurrent layer, received layer=Dense(units=3). "
        "Write Bidirectional(LSTM(8)).",
    ),
    (
        lambda: L.Bidirectional(L.LSTM(3), backward_layer=L.LSTM(3)),
        InvalidArgument,
        "Bidirectional: expected two layers that differ in go_backwards and return the same, "
        "received layer=LSTM(units=3), backward_layer=LSTM(units=3). "
        "Give both the same return_sequences and return_state, one go_backwards=True.",
    ),
    (
        lambda: L.Bidirectional(L.LSTM(3, trainable=False)),
        InvalidArgument,
        "Bidirectional: expected trainable=False on itself, received LSTM(trainable=False) inside. "
        "Write Bidirectional(..., trainable=False).",
    ),
    (
        lambda: L.TimeDistributed(L.Dense(3, activity_regularizer="l2")),
        InvalidArgument,
        "TimeDistributed: expected a layer inside without activity_regularizer, received "
        "activity_regularizer='l2'. Put ActivityRegularization(l1=..., l2=...) behind it.",
    ),
    (
        lambda: L.TimeDistributed(L.Add()),
        InvalidArgument,
        "TimeDistributed: expected layer to be a layer with one input, received layer=Add(). "
        "Write TimeDistributed(Dense(8)); for a model, wrap each of its layers.",
    ),
    (
        lambda: L.Embedding(0, 3),
        InvalidArgument,
        "Embedding: expected input_dim to be a whole number >= 1, received input_dim=0. "
        "Pass input_dim=1 or more.",
    ),
    (
        lambda: L.LSTM(3)(L.Input((4,))),
        ShapeMismatch,
        "lstm (LSTM) after input (InputLayer): expected a sequence per example, shape (time, "
        "features), "
        "received shape (4,). After a recurrent layer: give that one return_sequences=True. "
        "For one feature per step put Reshape((-1, 1)) before it; for ids an "
        "Embedding.",
    ),
    (
        lambda: L.LSTM(3)([L.Input((4, 2)), L.Input((3,))]),
        ShapeMismatch,
        "lstm (LSTM) after input (InputLayer) and input_1 (InputLayer): expected 2 states after "
        "the input, of the shapes "
        "[(3,), (3,)], received 1 of the shapes [(3,)]. Pass what the layer before returned as its "
        "states (return_state=True).",
    ),
    (
        lambda: L.Bidirectional(L.GRU(3))([L.Input((4, 2)), L.Input((3,))]),
        ShapeMismatch,
        "bidirectional (Bidirectional) after input (InputLayer) and input_1 (InputLayer): "
        "expected as many initial states for one "
        "direction as for the other, received 1 states. Pass the states of the first layer, then "
        "those of the second.",
    ),
    (
        lambda: L.TimeDistributed(L.Dense(3))(L.Input(())),
        ShapeMismatch,
        "time_distributed (TimeDistributed) after input (InputLayer): expected a sequence per "
        "example, shape (time, ...), "
        "received shape (). Put Reshape before it, or use the layer alone.",
    ),
    (
        lambda: L.Masking()(L.Input((4,))),
        ShapeMismatch,
        "masking (Masking) after input (InputLayer): expected a sequence per example, shape "
        "(time, features), "
        "received shape (4,). For ids use Embedding(..., mask_zero=True).",
    ),
    (
        lambda: infer(Cell(), [(2,)], ["float32"], many=True),
        InvalidArgument,
        "Cell: expected the property state_sizes, received none. "
        "Define it in your cell: the number of features of each state.",
    ),
]


@pytest.mark.parametrize(
    ("make", "kind", "text"), MESSAGES, ids=[str(i) for i in range(len(MESSAGES))]
)
def test_messages(make: Callable[[], Any], kind: type[FitwellError], text: str) -> None:
    with pytest.raises(kind) as caught:
        make()
    assert str(caught.value) == text


def test_a_batch_larger_than_the_states_that_are_kept() -> None:
    model = fw.Sequential([L.GRU(2, stateful=True, batch_size=2)])
    model.build((None, 3, 1))
    with pytest.raises(ShapeMismatch, match="at most batch_size=2 rows at a time") as caught:
        model.predict(np.zeros((4, 3, 1)))
    assert str(caught.value) == (
        "gru (GRU): expected at most batch_size=2 rows at a time (stateful=True), received 4. "
        "Pass batch_size=2 to fit, evaluate and predict."
    )
    assert not hasattr(caught.value, "__notes__")  # JAX' remark on its frames


@pytest.mark.parametrize("bad", [5, -1])
def test_ids_out_of_range_are_refused_and_give_nan_inside(bad: int) -> None:
    model = fw.Sequential([L.Embedding(5, 2)])
    model.build((None, 3))
    ids = np.array([[0, 1, 4], [2, bad, 3]])
    with pytest.raises(InvalidData) as caught:
        model.predict(ids)
    assert str(caught.value) == (
        "predict, x, for embedding (Embedding): expected whole numbers from 0 to 4 (input_dim=5), "
        f"received {bad} at (1, 1). Give input_dim the largest id plus 1, or map unknown ids to "
        "one of their own."
    )
    y = L.Embedding(5, 2).apply({"embeddings": jnp.ones((5, 2))}, jnp.asarray(ids))
    assert np.isnan(y[1, 1]).all()
    assert np.isfinite(np.delete(np.asarray(y).reshape(6, 2), 4, 0)).all()
