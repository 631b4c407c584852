"""A model's file: everything comes back, and a false one gives one error."""

from __future__ import annotations

import contextlib
import copy
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fitwell as fw
from fitwell import files
from fitwell.errors import FitwellError, InvalidArgument, InvalidFile
from fitwell.layers import (
    Activation,
    Add,
    Concatenate,
    Dense,
    Dropout,
    Lambda,
    Layer,
    Normalization,
)

X = np.random.default_rng(0).normal(size=(24, 3)).astype(np.float32)
Y = (X[:, :1] > 0).astype(np.float32)


class Scale(Layer):
    start: float = 1.0

    def init(self, key: Any, shape: Any) -> Any:
        return {"factor": jnp.full(shape[-1:], self.start)}

    def apply(self, params: Any, x: Any) -> Any:
        return x * params["factor"]


def bent(x: Any) -> Any:
    return jnp.where(x > 0, x, 0.1 * x)


def cubic(y_true: Any, y_pred: Any) -> Any:
    return jnp.mean(jnp.abs(y_true - y_pred) ** 3, axis=-1)


def chain() -> fw.Sequential:
    layers = [Normalization(), Dense(4, "relu", kernel_regularizer="l2"), Dropout(0.3), Dense(1)]
    return fw.Sequential([fw.Input((3,)), *layers, Activation("sigmoid")], name="net", seed=5)


def shared() -> fw.Sequential:
    layer = Dense(3, "tanh")
    return fw.Sequential([fw.Input((3,)), layer, layer, Dense(1)], seed=5)


def several() -> fw.Model:
    a, b, both = fw.Input((3,)), fw.Input((3,), name="second"), Dense(2)
    joined = Concatenate()([both(a), both(b)])
    return fw.Model([a, b], [Dense(1)(joined), joined], seed=5)


def by_name() -> fw.Model:
    x = fw.Input((3,))
    return fw.Model({"p": x}, {"u": Dense(2)(x), "v": Dense(1, trainable=False)(x)}, seed=5)


def nested() -> fw.Model:
    x, inner = fw.Input((3,)), chain()
    return fw.Model(x, Add()([inner(x), shared()(x)]), seed=5)


MODELS: dict[str, tuple[Callable[[], fw.Model], Any]] = {
    "chain": (chain, X),
    "shared layer": (shared, X),
    "lists": (several, [X, 2 * X]),
    "dicts": (by_name, {"p": X}),
    "nested": (nested, X),
}


def same(a: Any, b: Any) -> bool:
    left, right = jax.tree.flatten(a), jax.tree.flatten(b)
    return left[1] == right[1] and all(map(np.array_equal, left[0], right[0]))


@pytest.mark.parametrize("case", MODELS)
def test_round_trip(tmp_path: Path, case: str) -> None:
    make, x = MODELS[case]
    model = make()
    generator = np.random.default_rng(1)
    model.set_weights([generator.normal(size=w.shape) ** 2 for w in model.get_weights()])
    model.save(tmp_path / "m", extra={"classes": ["a", "b"]})
    again = fw.load(tmp_path / "m")
    assert type(again) is type(model)
    assert again.network == model.network
    assert (again.name, again.seed, again.extra) == (model.name, 5, {"classes": ["a", "b"]})
    assert same(again.get_weights(), model.get_weights())
    assert same(again.predict(x), model.predict(x))
    assert again.optimizer is None
    again.save(tmp_path / "again")
    assert (tmp_path / "m").read_bytes() == (tmp_path / "again").read_bytes()


def test_any_seed_comes_back(tmp_path: Path) -> None:
    for seed in (0, 2**31, 2**32 + 5, 2**40):
        model = fw.Sequential([fw.Input((3,)), Dropout(0.5)], seed=seed)
        model.save(tmp_path / "m")
        again = fw.load(tmp_path / "m")
        assert again.seed == seed
        assert same(again(X, training=True), model(X, training=True))


def test_a_loaded_chain_can_be_changed(tmp_path: Path) -> None:
    model = shared()
    model.save(tmp_path / "m")
    again = fw.load(tmp_path / "m")
    assert isinstance(again, fw.Sequential)
    again.pop()
    again.add(Dense(2))
    assert [view.units for view in again.layers] == [3, 2]
    kernel, bias = model.layers[0].get_weights()
    hidden = np.tanh(np.tanh(X @ kernel + bias) @ kernel + bias)
    kernel, bias = again.layers[1].get_weights()
    np.testing.assert_allclose(again.predict(X), hidden @ kernel + bias, rtol=1e-5, atol=1e-6)


def compiled(*, loss: Any = "binary_crossentropy") -> fw.Sequential:
    model = chain()
    rate = fw.schedules.CosineDecay(0.05, 40)
    metrics = ["accuracy", fw.metrics.AUC()]
    model.compile(fw.optimizers.Adam(rate), loss, metrics=metrics, weighted_metrics=["mae"])
    return model


def test_what_was_compiled_comes_back(tmp_path: Path) -> None:
    model = compiled()
    model.fit(X, Y, epochs=2, verbose=0)
    model.save(tmp_path / "m")
    again = fw.load(tmp_path / "m")
    assert again.optimizer == model.optimizer
    assert again.compiled() == model.compiled()
    assert again.epochs_trained == 2
    assert again.evaluate(X, Y, return_dict=True) == model.evaluate(X, Y, return_dict=True)
    assert again.learning_rate == model.learning_rate


@pytest.mark.parametrize("rate", [None, 0.003])
def test_a_fit_goes_on_bit_for_bit(tmp_path: Path, rate: float | None) -> None:
    whole, part = compiled(), compiled()
    whole.fit(X, Y, epochs=2, batch_size=5, verbose=0)
    part.fit(X, Y, epochs=2, batch_size=5, verbose=0)
    if rate is not None:
        whole.learning_rate = part.learning_rate = rate
    part.save(tmp_path / "m", include_optimizer=True)
    again = fw.load(tmp_path / "m")
    a = whole.fit(X, Y, epochs=2, batch_size=5, verbose=0)
    b = again.fit(X, Y, epochs=2, batch_size=5, verbose=0)
    assert a.history == b.history
    assert same(whole.get_weights(), again.get_weights())
    assert same(whole.train_state.optimizer, again.train_state.optimizer)


def test_custom_objects(tmp_path: Path) -> None:
    model = fw.Sequential([fw.Input((3,)), Scale(2.0), Dense(1, bent)], seed=0)
    model.compile("sgd", cubic)
    model.save(tmp_path / "m")
    for objects in ([Scale, bent, cubic], {"Scale": Scale, "bent": bent, "cubic": cubic}):
        again = fw.load(tmp_path / "m", custom_objects=objects)
        assert again.network == model.network
        assert same(again.predict(X), model.predict(X))
        assert again.evaluate(X, Y) == model.evaluate(X, Y)
    for objects, missing in (([], "Scale"), ([Scale], "bent"), ([Scale, bent], "cubic")):
        with pytest.raises(InvalidFile) as caught:
            fw.load(tmp_path / "m", custom_objects=objects)
        assert str(caught.value) == (
            f"model file: expected only classes and functions it can find, received {missing!r}. "
            f"Pass your own {missing}: load(path, custom_objects=[{missing}])."
        )


def message(call: Callable[[], Any], error: type[FitwellError]) -> str:
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    return str(caught.value)


def test_code_is_not_saved(tmp_path: Path) -> None:
    path = tmp_path / "m"
    model = fw.Sequential([fw.Input((3,)), Lambda(jnp.sin)])
    assert message(lambda: model.save(path), InvalidArgument) == (
        "save, layer lambda (Lambda): expected layers that are descriptions, received a layer that "
        "holds Python code. Write it as a Layer class of your own (5 lines) and load with "
        "custom_objects."
    )
    model = fw.Sequential([fw.Input((3,)), Dense(1, lambda x: x)])
    assert "expected classes and functions with a name, received <function" in message(
        lambda: model.save(path), InvalidArgument
    )
    assert not path.exists()


def test_weights_alone(tmp_path: Path) -> None:
    a, b = chain(), fw.Sequential([fw.Input((3,)), Dense(9), Dense(1)])
    a["normalization"].adapt(X)
    a.save_weights(tmp_path / "w")
    a.save(tmp_path / "m")
    for path in (tmp_path / "w", tmp_path / "m"):
        fresh = chain()
        fresh.set_weights([np.zeros_like(w) for w in fresh.get_weights()])
        fresh.load_weights(path)
        assert same(fresh.predict(X), a.predict(X))
    path = str(tmp_path / "w")
    assert message(lambda: b.load_weights(path), InvalidFile) == (
        f"{path}: expected state/normalization/count not part of the network, received "
        "state/normalization/count of shape (). Load it into the model it was saved from."
    )
    wide = fw.Sequential([fw.Input((3,)), Normalization(), Dense(9), Dense(1)])
    assert message(lambda: wide.load_weights(path), InvalidFile) == (
        f"{path}: expected params/dense/bias of shape (9,), received params/dense/bias of shape "
        "(4,). Load it into the model it was saved from."
    )
    assert message(lambda: fw.load(path), InvalidFile) == (
        f"{path}: expected a model, received a file of kind 'weights'. Load a file that model.save "
        "wrote; for weights alone use model.load_weights."
    )


# False files: the checksum is right, the content is not.


@functools.cache
def written() -> tuple[dict[str, Any], dict[str, Any], Path]:
    """Header and arrays of a small model, and a path to write to."""
    import tempfile

    path = Path(tempfile.mkdtemp()) / "m"
    x = fw.Input((3,))
    model = fw.Model([x], [Dense(1, "sigmoid", kernel_initializer="ones")(Dense(2)(x))], seed=1)
    model.compile(fw.optimizers.SGD(0.1, momentum=0.9), "mse", metrics=["mae"])
    model.fit(X, Y, epochs=1, verbose=0)
    model.save(path, include_optimizer=True)
    header, arrays = files.read(path)
    return header, arrays, path


def load_false(header: Any, arrays: Any = None) -> fw.Model:
    _, whole, path = written()
    files.write(path, header, whole if arrays is None else arrays)
    return fw.load(path)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside nested dicts and lists."""
    if not isinstance(node, dict | list):
        return []
    inner = node.items() if isinstance(node, dict) else enumerate(node)
    found: list[tuple[Any, ...]] = []
    for key, value in inner:
        found += [(*path, key), *places(value, (*path, key))]
    return found


def changed(header: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy with one value replaced, or removed if `value` is `...`."""
    result = copy.deepcopy(header)
    node = result
    for key in path[:-1]:
        node = node[key]
    if value is ...:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return result


ODD = [None, True, -1, 0, 1, 10**6, 10**30, 1.5, float("nan"), "", "dense", "list", [], [[]], {},
       [0, None], [[0, None]], {"a": 1}, {"class": "layers.Dense"}, {"class": "layers.Add"},
       {"class": "layers.Dense", "args": {"units": 10**12}}, {"function": "activations.relu"},
       {"function": "losses.mse"}, {"class": "optimizers.Adam"}, {"class": "os.system"},
]  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_an_altered_description_is_an_error_or_a_model(data: st.DataObject) -> None:
    header, _, _ = written()
    path = data.draw(st.sampled_from(places(header)))
    value = data.draw(st.sampled_from([..., *ODD]))
    try:
        model = load_false(changed(header, path, value))
    except InvalidFile:
        return
    model.get_weights()


MAY_BE_MISSING = {
    *(("network", "nodes", i, "layer", "args", "name") for i in range(3)),
    ("network", "nodes", 0, "many"),  # of an input
    ("network", "nodes", 2, "layer", "args", "activation"),
    ("network", "nodes", 2, "layer", "args", "kernel_initializer"),
    ("compile",),
    ("compile", "augment"),  # of files older than it
    ("compile", "optimizer", "args"),
    ("compile", "optimizer", "args", "learning_rate"),
    ("compile", "optimizer", "args", "momentum"),
    ("format",),  # the writer adds both again
    ("library",),
}


def test_whatever_has_no_default_may_not_be_missing() -> None:
    header, _, _ = written()
    loads = set()
    for path in places(header):
        if isinstance(path[-1], str):
            with contextlib.suppress(InvalidFile):
                load_false(changed(header, path, ...))
                loads.add(path)
    assert loads == MAY_BE_MISSING


DENSE = ("network", "nodes", 1, "layer", "args")
FALSE: list[tuple[tuple[Any, ...], Any, str]] = [
    ((*DENSE, "units"), 10**12, "expected params/dense/"),
    ((*DENSE, "activation"), {"function": "os.system"}, "received 'os.system'"),
    ((*DENSE, "unit"), 3, "received UnknownArgument: Dense: expected an argument it knows"),
    (("network", "nodes", 1, "inputs"), [[2, None]], "received IndexError"),
    (("network", "nodes", 1, "inputs"), [[-1, None]], "received IndexError: a negative position"),
    (("network", "inputs"), [0, 0], "every Input once"),
    (("network",), [], "expected the description of a network"),
    (("kind",), "Lambda", "received a file of kind 'Lambda'"),
    (("compile", "optimizer"), {"class": "layers.Flatten"}, "expected an optimizer"),
    (("compile", "losses"), [], "one entry for each of the 1 outputs, received 0"),
    (("seed",), "x", "received ValueError"),
    (("input_form",), ["a", "b"], "expected input_form for 1 arrays, received ['a', 'b']"),
]


@pytest.mark.parametrize(("path", "value", "text"), FALSE)
def test_messages_of_false_files(path: tuple[Any, ...], value: Any, text: str) -> None:
    header, _, _ = written()
    assert text in message(lambda: load_false(changed(header, path, value)), InvalidFile)


def test_deep_nesting_is_found_out() -> None:
    header, _, _ = written()
    deep = json.loads("[" * 900 + "]" * 900)
    text = message(lambda: load_false(changed(header, (*DENSE, "activation"), deep)), InvalidFile)
    assert text.startswith("model file: expected the description of a network, received ")


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("params/dense/kernel", None),
        ("params/dense/kernel", np.zeros((2, 3), np.float32)),
        ("params/other/kernel", np.zeros((2, 3), np.float32)),
        ("step", None),
        ("step", np.zeros(3, np.int32)),
        ("key", np.zeros((3, 2), np.uint32)),
        ("key", np.zeros(2, np.float32)),
    ],
)
def test_false_arrays_are_errors(name: str, array: Any) -> None:
    header, arrays, _ = written()
    given = {k: v for k, v in arrays.items() if k != name}
    if array is not None:
        given[name] = array
    message(lambda: load_false(header, given), InvalidFile)


def test_an_optimizer_state_of_another_shape_is_left_out() -> None:
    header, arrays, _ = written()
    last = max(name for name in arrays if name.startswith("optimizer/"))
    fewer = {k: v for k, v in arrays.items() if k != last}
    for changed_arrays in (fewer, {**arrays, last: np.zeros((9, 9), np.float32)}):
        model = load_false(header, changed_arrays)
        assert model.train_state.optimizer == ()
        model.fit(X, Y, verbose=0)  # it begins anew
        assert model.epochs_trained == 2
