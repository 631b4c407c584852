"""The functional API: order, names, sharing, several inputs and outputs, models inside models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import fitwell as fw
from fitwell.errors import FitwellError, InvalidArgument, InvalidData, ShapeMismatch
from fitwell.layers import (
    Activation,
    Add,
    Concatenate,
    Dense,
    Layer,
    Rescaling,
    Subtract,
)
from fitwell.layers.naming import snake_case

X = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)


class Two(Layer):
    """x, and x doubled."""

    def apply(self, params: Any, x: Any) -> Any:
        return [x, 2 * x]


def names(model: fw.Model) -> list[str]:
    return [node.name for node in model.network.nodes]


def dense(model: fw.Model, name: str, x: Any) -> Any:
    kernel, bias = model[name].get_weights()
    return x @ kernel + bias


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


# Order and names


def test_layers_come_after_what_they_need_and_are_named_by_position() -> None:
    x = fw.Input((3,))
    a, b = Dense(3)(x), Dense(3, name="own")(x)
    joined = Add()([Activation("relu")(a), b])
    model = fw.Model(x, Dense(2)(joined))
    assert names(model) == ["input", "dense", "activation", "own", "add", "dense_1"]
    hidden = np.maximum(dense(model, "dense", X), 0) + dense(model, "own", X)
    close(model.predict(X), dense(model, "dense_1", hidden))


def test_names_do_not_depend_on_what_was_made_before() -> None:
    models = [fw.Sequential([fw.Input((3,)), Dense(2), Dense(2)]) for _ in range(2)]
    assert [names(m) for m in models] == [["input", "dense", "dense_1"]] * 2


def test_a_given_name_is_not_given_again() -> None:
    chain = [fw.Input((3,)), Dense(2), Dense(2, name="dense_1"), Dense(2), Dense(2)]
    assert names(fw.Sequential(chain)) == ["input", "dense", "dense_1", "dense_2", "dense_3"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("Dense", "dense"),
        ("LeakyReLU", "leaky_re_lu"),
        ("Conv2DTranspose", "conv2d_transpose"),
        ("GaussianNoise", "gaussian_noise"),
        ("LSTM", "lstm"),
        ("ELU", "elu"),
    ],
)
def test_snake_case_as_keras_names_layers(kind: str, name: str) -> None:
    assert snake_case(kind) == name


# Sharing


def test_one_instance_used_twice_shares_weights_and_adds_up_gradients() -> None:
    a, b, shared = fw.Input((3,)), fw.Input((3,)), Dense(2)
    model = fw.Model([a, b], Add()([shared(a), shared(b)]))
    assert model.count_params() == 8
    other = 2 * X + 1
    close(model.predict([X, other]), dense(model, "dense", X) + dense(model, "dense", other))

    def total(params: Any) -> Any:
        values, _ = model.network.forward(
            params, {}, [X, other], key=jax.random.key(0), train=False
        )
        return values[-1].sum()

    grads = jax.grad(total)(model.train_state.params)["dense"]
    # d/dW of sum(xW + zW) is the column sums of x plus those of z, for every output.
    close(grads["kernel"], np.repeat((X + other).sum(0)[:, None], 2, 1))
    close(grads["bias"], [10.0, 10.0])


def test_equal_layers_that_are_not_one_instance_have_weights_of_their_own() -> None:
    x = fw.Input((3,))
    model = fw.Model(x, Add()([Dense(2)(x), Dense(2)(x)]))
    assert names(model) == ["input", "dense", "dense_1", "add"]
    assert model.count_params() == 16


# Several inputs and outputs


def test_inputs_and_outputs_as_lists_and_dicts() -> None:
    a, b = fw.Input((3,), name="left"), fw.Input((2,))
    joined = Concatenate()([a, b])
    outputs = [Rescaling(2.0, name="twice")(joined), Rescaling(0.0, 1.0)(a)]
    z = X[:, :2]
    twice, ones = 2 * np.hstack([X, z]), np.ones_like(X)

    model = fw.Model([a, b], outputs)
    for given in ([X, z], (X, z), {"input": z, "left": X}):
        got = model.predict(given)
        assert isinstance(got, list)
        close(got[0], twice)
        close(got[1], ones)

    named = fw.Model({"p": a, "q": b}, {"u": outputs[0], "v": outputs[1]})
    got = named.predict({"q": z, "p": X})
    assert list(got) == ["u", "v"]
    close(got["u"], twice)
    close(got["v"], ones)
    assert (named.input_names, named.output_names) == (["p", "q"], ["u", "v"])

    single = fw.Model([a], [Rescaling(2.0)(a)])
    (got,) = single.predict([X])
    close(got, 2 * X)


def test_a_layer_with_several_outputs() -> None:
    x = fw.Input((3,))
    once, twice = Two()(x)
    model = fw.Model(x, [Subtract()([twice, once]), twice])
    got = model.predict(X)
    close(got[0], X)
    close(got[1], 2 * X)


def test_an_input_may_be_an_output() -> None:
    x = fw.Input((3,))
    close(fw.Model(x, x).predict(X), X)


def test_depth_has_no_limit() -> None:
    symbol = start = fw.Input((3,))
    for _ in range(2000):
        symbol = Rescaling(1.0, 1.0)(symbol)
    model = fw.Model(start, symbol)
    assert len(model.layers) == 2000
    assert names(model)[-1] == "rescaling_1999"
    assert hash(model.network.program()) == hash(model.network.program())
    values, _ = model.network.forward(
        {}, {}, [jax.numpy.zeros((1, 3))], key=jax.random.key(0), train=False
    )
    close(values[-1], np.full((1, 3), 2000.0))


# Models inside models


def base(seed: int = 0) -> fw.Sequential:
    return fw.Sequential([fw.Input((3,)), Dense(4, "tanh"), Dense(2)], seed=seed)


def test_a_model_on_a_symbol_shares_its_weights() -> None:
    inner = base()
    x = fw.Input((3,))
    outer = fw.Model(x, Dense(1)(inner(x)))
    assert names(outer) == ["input", "dense", "dense_1", "dense_2"]
    close(fw.Model(x, inner(x)).predict(X), inner.predict(X))
    for name in ("dense", "dense_1"):
        for a, b in zip(outer[name].get_weights(), inner[name].get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    outer.set_weights([np.zeros_like(w) for w in outer.get_weights()])
    assert not any(w.any() for w in inner.get_weights())


def test_two_inner_models_with_equal_names() -> None:
    one, two, x = base(1), base(2), fw.Input((3,))
    outer = fw.Model(x, Subtract()([one(x), two(x)]))
    assert outer.count_params() == 2 * one.count_params()
    close(outer.predict(X), one.predict(X) - two.predict(X))


def test_one_model_used_twice_shares_its_weights() -> None:
    inner, a, b = base(), fw.Input((3,)), fw.Input((3,))
    outer = fw.Model([a, b], Subtract()([inner(a), inner(b)]))
    assert outer.count_params() == inner.count_params()
    close(outer.predict([X, 2 * X]), inner.predict(X) - inner.predict(2 * X))


@pytest.mark.parametrize("built", [True, False])
def test_sequential_of_models(built: bool) -> None:
    inner = base() if built else fw.Sequential([Dense(4, "tanh"), Dense(2)], seed=0)
    outer = fw.Sequential([inner, Dense(1)])
    got = outer.predict(X)
    assert names(outer) == ["input", "dense", "dense_1", "dense_2"]
    close(got, dense(outer, "dense_2", inner.predict(X)))


def test_a_model_with_names_for_its_inputs_and_outputs_inside_another() -> None:
    a, b = fw.Input((3,)), fw.Input((3,))
    inner = fw.Model({"a": a, "b": b}, {"difference": Subtract()([a, b]), "sum": Add()([a, b])})
    x = fw.Input((3,))
    parts = inner({"b": x, "a": Rescaling(3.0)(x)})
    outer = fw.Model(x, [parts["sum"], parts["difference"]])
    got = outer.predict(X)
    close(got[0], 4 * X)
    close(got[1], 2 * X)


def test_freezing_a_model_holds_in_models_made_from_it_before_and_later() -> None:
    inner = base()
    before = fw.Sequential([inner, Dense(1)])
    assert [view.trainable for view in before.layers] == [True, True, True]
    inner.trainable = False
    later = fw.Sequential([inner, Dense(1)])
    for model in (before, later):
        assert [view.trainable for view in model.layers] == [False, False, True]


# Messages


def reused() -> Any:
    shared = Dense(2)
    return fw.Sequential([fw.Input((3,)), shared, shared])


def inner_on(*symbols: Any) -> Any:
    return base()(symbols[0] if len(symbols) == 1 else list(symbols))


x, y = fw.Input((3,)), fw.Input((4,))
MESSAGES: list[tuple[Callable[[], Any], type[FitwellError], str]] = [
    (
        lambda: fw.Model(x, Add()([Dense(4)(x), y])),
        InvalidArgument,
        "Model: expected every Input that the outputs need in inputs=, received outputs that also "
        "need Input(shape=(4,)). Add it to inputs.",
    ),
    (
        lambda: fw.Model(fw.Input((3,)), Dense(1)(x)),
        InvalidArgument,
        "Model: expected every Input that the outputs need in inputs=, received outputs that also "
        "need Input(shape=(3,)). Add it to inputs.",
    ),
    (
        lambda: fw.Model([x, x], Dense(1)(x)),
        InvalidArgument,
        "Model: expected every Input once in inputs=, received one twice. "
        "Use the one array at several places in the network instead.",
    ),
    (
        lambda: fw.Model(Dense(1)(x), Dense(1)(x)),
        InvalidArgument,
        "Model: expected inputs made by Input, received <Symbol shape=(None, 1) dtype=float32 "
        "from Dense>. Pass what Input(shape=...) returned.",
    ),
    (
        lambda: fw.Model(x, Dense(1)),
        InvalidArgument,
        "Model: expected outputs that are symbols, received Dense(units=1). "
        "Write x = Input(shape=(4,)); Model(x, Dense(1)(x)).",
    ),
    (
        lambda: fw.Sequential([fw.Input((3,)), Dense(1, name="a"), Dense(1, name="a")]),
        InvalidArgument,
        "Model: expected a different name for every layer, received two layers called 'a'. "
        "Rename one, or use the same instance twice to share its weights.",
    ),
    (
        lambda: fw.Sequential([fw.Input((3,)), Dense(1, name="a/b")]),
        InvalidArgument,
        "Dense: expected a name without /, received 'a/b'. Use letters, digits and _.",
    ),
    (
        reused,
        ShapeMismatch,
        "layer dense (Dense), used twice: expected inputs of one shape, as its first (3,), "
        "received (2,). Make a second layer, or bring the inputs to one shape.",
    ),
    (
        lambda: inner_on(y),
        ShapeMismatch,
        "sequential: expected a symbol of shape (None, 3) for input, received <Symbol "
        "shape=(None, 4) dtype=float32 from InputLayer>. Bring it to that shape, or build a "
        "model for this one.",
    ),
    (
        lambda: inner_on(x, x),
        ShapeMismatch,
        "sequential: expected a symbol of shape (None, 3) for input, received [<Symbol "
        "shape=(None, 3) dtype=float32 from InputLayer>, <Symbol shape=(None, 3) dtype=float32 "
        "from InputLayer>]. Bring it to that shape, or build a model for this one.",
    ),
    (
        lambda: fw.Model([x, y], Concatenate()([x, y]))(x),
        InvalidData,
        "model: expected 2 arrays (input, input_1), received Symbol. "
        "Pass a list in that order, or a dict by name.",
    ),
    (
        lambda: Add(name="sum")([Dense(2, name="left")(x), Dense(3)(x)]),
        ShapeMismatch,
        "sum (Add) after left (Dense) and dense (Dense): expected inputs whose shapes broadcast "
        "to each "
        "other, received shapes (2,) and (3,). Give both branches the same sizes, or 1 where one "
        "is to be repeated.",
    ),
    (
        lambda: Dense(2)(Add()(x)),
        InvalidArgument,
        "add (Add) after input (InputLayer): expected a list of inputs, received one. Write "
        "layer([a, b]).",
    ),
    (
        lambda: Dense(2)([x, x]),
        InvalidArgument,
        "dense (Dense) after input (InputLayer): expected one input, received a list of 2. "
        "Take one of them, or concatenate them first.",
    ),
    (
        lambda: Dense(2)(X),
        InvalidArgument,
        "Dense: expected symbols, such as what Input(shape=...) returns, received ndarray. "
        "To run a layer on arrays, put it into a model and call model.predict.",
    ),
]


@pytest.mark.parametrize(("call", "error", "text"), MESSAGES)
def test_messages(call: Callable[[], Any], error: type[FitwellError], text: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    assert str(caught.value) == text
