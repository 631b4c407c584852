"""Whole models as files: names, types, batches of any size, text, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fitwell as fw
from fitwell.errors import InvalidArgument, InvalidFile, MissingPackage, NotReady, UnknownName
from fitwell.layers import Dense, Input, Layer

from .running import load_script, run_onnx, session

KERNEL = np.array([[1.0, -2.0], [0.5, 0.0], [0.0, 3.0]], np.float32)
BIAS = np.array([0.25, -1.0], np.float32)
X = np.array([[1, 2, 3], [-1, 0, 0.5], [4, -4, 0], [0, 0, 0]], np.float32)
Y = np.maximum(X @ KERNEL + BIAS, 0)


def small() -> fw.Sequential:
    """y = relu(x @ KERNEL + BIAS)."""
    model = fw.Sequential([Input((3,), name="features"), Dense(2, "relu", name="scores")])
    model.set_weights([KERNEL, BIAS])
    return model


def two_sided() -> fw.Model:
    """Inputs a, b; outputs a + b and 2 a."""
    a, b = Input((2,), name="a"), Input((2,), dtype="int32", name="b")
    doubled = fw.layers.Rescaling(2.0, name="double")(a)
    total = fw.layers.Add(name="sum")([a, fw.layers.Rescaling(1.0)(b)])
    return fw.Model({"a": a, "b": b}, {"total": total, "doubled": doubled})


def looked_up() -> fw.Model:
    """One-hot of a town and of a code, side by side."""
    town, code = Input((1,), dtype="string", name="town"), Input((1,), dtype="int64", name="code")
    towns = fw.layers.StringLookup(vocabulary=["Bern", "Rome"], output_mode="one_hot")
    codes = fw.layers.IntegerLookup(
        vocabulary=[7, 10**12], num_oov_indices=0, output_mode="one_hot"
    )
    return fw.Model([town, code], fw.layers.Concatenate()([towns(town), codes(code)]))


TOWNS = np.array([["Rome"], ["Oslo"], ["Bern"]], object)
CODES = np.array([[7], [10**12], [8]])
INDICATED = [[0, 0, 1, 1, 0], [1, 0, 0, 0, 1], [0, 1, 0, 0, 0]]


# ONNX


def test_onnx_keeps_names_and_any_batch(tmp_path: Path) -> None:
    fw.export(small(), tmp_path / "m.onnx")
    opened = session(tmp_path / "m.onnx")
    ((given,), (found,)) = opened.get_inputs(), opened.get_outputs()
    assert (given.name, given.shape, given.type) == ("features", ["batch", 3], "tensor(float)")
    assert (found.name, found.shape) == ("scores", ["batch", 2])
    for rows in (1, 4):
        np.testing.assert_allclose(run_onnx(opened, X[:rows])[0], Y[:rows], rtol=1e-6)


def test_onnx_names_nodes_and_weights_after_layers(tmp_path: Path) -> None:
    import onnx

    small().export(tmp_path / "m.onnx")
    graph = onnx.load(tmp_path / "m.onnx").graph
    assert {one.name for one in graph.initializer} == {"scores/kernel", "scores/bias"}
    assert [node.name for node in graph.node][:2] == ["scores/MatMul", "scores/Add"]


def test_several_inputs_and_outputs(tmp_path: Path) -> None:
    model = two_sided()
    model.export(tmp_path / "m.onnx")
    opened = session(tmp_path / "m.onnx")
    assert [one.name for one in opened.get_inputs()] == ["a", "b"]
    assert [one.name for one in opened.get_outputs()] == ["total", "doubled"]
    a, b = np.array([[1.5, -2.0]], np.float32), np.array([[3, 4]], np.int32)
    total, doubled = run_onnx(opened, a, b)
    assert (total.tolist(), doubled.tolist()) == ([[4.5, 2.0]], [[3.0, -4.0]])
    model.export(tmp_path / "m.py")
    total, doubled = load_script((tmp_path / "m.py").read_text())(a, b)
    assert (total.tolist(), doubled.tolist()) == ([[4.5, 2.0]], [[3.0, -4.0]])


def test_text_and_ids_are_looked_up_inside_of_the_file(tmp_path: Path) -> None:
    model = looked_up()
    model.export(tmp_path / "m.onnx")
    opened = session(tmp_path / "m.onnx")
    assert [one.type for one in opened.get_inputs()] == ["tensor(string)", "tensor(int64)"]
    assert run_onnx(opened, TOWNS, CODES)[0].tolist() == INDICATED
    model.export(tmp_path / "m.py")
    predict = load_script((tmp_path / "m.py").read_text())
    assert predict(TOWNS, CODES).tolist() == INDICATED


def test_ids_of_a_mask_token_and_of_unknown_values(tmp_path: Path) -> None:
    layer = fw.layers.StringLookup(vocabulary=["a", "b"], mask_token="")
    fw.Sequential([Input((3,), dtype="string"), layer]).export(tmp_path / "m.onnx")
    given = np.array([["", "b", "?"]], object)
    assert run_onnx(session(tmp_path / "m.onnx"), given)[0].tolist() == [[0, 3, 1]]


def test_noise_rests_and_statistics_are_kept(tmp_path: Path) -> None:
    layers = [Input((2,)), fw.layers.Dropout(0.5), fw.layers.BatchNormalization(epsilon=1e-9)]
    model = fw.Sequential(layers)
    model.set_weights([np.array(w, np.float32) for w in ([2, 1], [0, 5], [1, 3], [4, 0.25])])
    model.export(tmp_path / "m.onnx")
    (y,) = run_onnx(session(tmp_path / "m.onnx"), np.array([[3, 4]], np.float32))
    np.testing.assert_allclose(y, [[2 * (3 - 1) / 2, (4 - 3) / 0.5 + 5]], rtol=1e-6)


def test_normalization_behind_a_convolution_is_in_its_kernel(tmp_path: Path) -> None:
    import onnx

    layers = [fw.layers.Conv2D(2, 1), fw.layers.BatchNormalization(epsilon=1e-9), fw.layers.ReLU()]
    model = fw.Sequential([Input((2, 2, 1)), *layers])
    weights = ([[[[1.0, -1.0]]]], [0, 2], [2, 1], [0, 5], [1, 3], [4, 0.25])
    model.set_weights([np.array(w, np.float32) for w in weights])
    model.export(tmp_path / "m.onnx")
    nodes = [node.op_type for node in onnx.load(tmp_path / "m.onnx").graph.node]
    assert nodes == ["Transpose", "Conv", "Transpose", "Add", "Relu", "Identity"]
    x = np.array([[3, 0], [-1, 10]], np.float32).reshape(1, 2, 2, 1)
    (y,) = run_onnx(session(tmp_path / "m.onnx"), x)
    wanted = np.concatenate([2 * (x - 1) / 2, ((2 - x) - 3) / 0.5 + 5], axis=-1)
    np.testing.assert_allclose(y, np.maximum(wanted, 0), rtol=1e-6)


def test_a_model_of_bfloat16_is_exported_in_float32(tmp_path: Path) -> None:
    model = small()
    model.compile(loss="mse", precision="bfloat16")
    model.export(tmp_path / "m.onnx")
    x = X + np.float32(1e-3)  # bfloat16 would lose it
    wanted = np.maximum(x @ KERNEL + BIAS, 0)
    np.testing.assert_allclose(run_onnx(session(tmp_path / "m.onnx"), x)[0], wanted, rtol=1e-6)


def test_masked_steps_and_no_rows_at_all(tmp_path: Path) -> None:
    """An RNN that adds up what is not masked: 2 and 5 of 2, 0, 5; and nothing of 0, 0, 0."""
    ids = Input((3,), dtype="int32")
    values = fw.layers.Embedding(6, 1, mask_zero=True)(ids)
    model = fw.Model(ids, fw.layers.SimpleRNN(1, activation="linear")(values))
    table = np.arange(6, dtype=np.float32)[:, None] + 10  # so that masked steps would count
    one = np.ones((1, 1), np.float32)
    model.set_weights([table, one, one, np.zeros(1, np.float32)])
    model.export(tmp_path / "m.onnx")
    opened = session(tmp_path / "m.onnx")
    given = np.array([[2, 0, 5], [0, 0, 0]], np.int32)
    assert run_onnx(opened, given)[0].tolist() == [[27.0], [0.0]]
    assert run_onnx(opened, given[:0])[0].shape == (0, 1)


@pytest.mark.parametrize(
    ("dtype", "values"), [("uint8", [[1, 2, 200]]), ("float16", [[1, 2, 0.5]])]
)
def test_other_types_of_numbers(tmp_path: Path, dtype: str, values: Any) -> None:
    model = fw.Sequential([Input((3,), dtype=dtype), Dense(2)])
    model.set_weights([KERNEL, BIAS])
    x = np.array(values, dtype)
    model.export(tmp_path / "m.onnx")
    wanted = x.astype(np.float32) @ KERNEL + BIAS
    np.testing.assert_allclose(run_onnx(session(tmp_path / "m.onnx"), x)[0], wanted, rtol=1e-6)


def test_an_ensemble_is_the_mean_of_its_members(tmp_path: Path) -> None:
    model = fw.Sequential([Input((3,)), Dense(1)])
    model.compile(loss="mse")
    found = fw.fit_many(model, X, Y[:, :1], seeds=2, epochs=1)
    members = [lane.predict(X, verbose=0) for lane in found.models]
    found.ensemble().export(tmp_path / "m.onnx")
    (y,) = run_onnx(session(tmp_path / "m.onnx"), X)
    np.testing.assert_allclose(y, np.mean(members, axis=0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("ending", ["onnx", "py"])
def test_a_language_model(tmp_path: Path, ending: str) -> None:
    """Attention, masks and normalization together; positions of padding are left out."""
    model = fw.architectures.transformer_lm(11, context=6, layers=1, heads=2, width=8)
    ids = np.random.default_rng(0).integers(0, 11, (3, 6)).astype(np.int32)
    wanted = model.predict(ids, verbose=0)
    path = tmp_path / f"m.{ending}"
    model.export(path)
    found = (
        run_onnx(session(path), ids)[0] if ending == "onnx" else load_script(path.read_text())(ids)
    )
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


# The Python file, and JAX' bytes


def test_the_python_file_runs_without_this_library(tmp_path: Path) -> None:
    small().export(tmp_path / "predict.py")
    np.save(tmp_path / "features.npy", X)
    code = (
        "import sys, runpy; sys.argv = ['predict.py', 'features.npy', 'y.npy'];"
        "runpy.run_path('predict.py', run_name='__main__');"
        "print(sorted({'jax', 'fitwell'} & set(sys.modules)))"
    )
    ran = [sys.executable, "-c", code]
    done = subprocess.run(ran, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), Y, rtol=1e-6)


def test_the_python_file_says_what_it_takes(tmp_path: Path) -> None:
    small().export(tmp_path / "predict.py")
    text = (tmp_path / "predict.py").read_text()
    assert "features: (batch, 3) of float32." in text
    with pytest.raises(ValueError, match=r"features: expected rows of shape \(3,\)"):
        load_script(text)(X[:, :2])


def test_names_that_python_cannot_use(tmp_path: Path) -> None:
    inputs = [Input((1,), name=name) for name in ("class", "batch", "my input", "dot")]
    model = fw.Model(inputs, fw.layers.Subtract()([fw.layers.Add()(inputs[:3]), inputs[3]]))
    model.export(tmp_path / "predict.py")
    predict = load_script((tmp_path / "predict.py").read_text())
    xs = [np.full((2, 1), value, np.float32) for value in (1, 2, 4, 8)]
    assert predict(*xs).tolist() == [[-1.0], [-1.0]]


def test_names_of_inputs_that_values_could_have(tmp_path: Path) -> None:
    names = [f"dense_{i}" for i in range(12)] + ["a b", "a_b", "len"]
    inputs = [Input((1,), name=name) for name in names]
    model = fw.Model(inputs, Dense(1, name="dense")(fw.layers.Concatenate()(inputs)))
    kernel = np.arange(15, dtype=np.float32)[:, None]
    model.set_weights([kernel, np.zeros(1, np.float32)])
    model.export(tmp_path / "predict.py")
    xs = [np.full((2, 1), i, np.float32) for i in range(15)]
    found = load_script((tmp_path / "predict.py").read_text())(*xs)
    assert found.tolist() == [[sum(i * i for i in range(15))]] * 2


@pytest.mark.parametrize(
    ("names", "arguments"),
    [
        (("input_1", "class"), "input_1: Any, input_1_: Any"),
        (("WEIGHTS", "sum_0"), "input_0: Any, sum_0: Any"),
        (("turns_0", "input_2", "NAMES"), "turns_0: Any, input_2: Any, input_2_: Any"),
    ],
)
def test_every_name_of_an_input_is_free(
    names: tuple[str, ...], arguments: str, tmp_path: Path
) -> None:
    inputs = [Input((3,), name=name) for name in names]
    model = fw.Model(inputs, Dense(2, name="scores")(fw.layers.Add(name="sum")(inputs)))
    model.set_weights([KERNEL, BIAS])
    model.export(tmp_path / "predict.py")
    text = (tmp_path / "predict.py").read_text()
    assert f"def predict({arguments}) -> Any:" in text
    found = load_script(text)(*[X * (place + 1) for place in range(len(names))])
    times = len(names) * (len(names) + 1) / 2
    np.testing.assert_allclose(found, times * X @ KERNEL + BIAS, rtol=1e-6)


def test_names_from_a_file_of_others_run_nothing(tmp_path: Path) -> None:
    hostile = '"""\nraise SystemExit("ran")\n"""'
    x = Input((1,), name=hostile)
    model = fw.Model(x, Dense(1, name=f"{hostile}2")(x), name=hostile)
    model.set_weights([np.ones((1, 1), np.float32), np.ones(1, np.float32)])
    model.export(tmp_path / "predict.py")
    predict = load_script((tmp_path / "predict.py").read_text())
    assert predict(np.ones((1, 1))).tolist() == [[2.0]]


def test_bytes_of_jax_take_any_batch(tmp_path: Path) -> None:
    small().export(tmp_path / "m.jax")
    program = jax.export.deserialize(bytearray((tmp_path / "m.jax").read_bytes()))
    for rows in (1, 4):
        np.testing.assert_allclose(program.call(X[:rows])[0], Y[:rows], rtol=1e-6)


def test_bytes_of_jax_of_layers_that_compute_with_sizes(tmp_path: Path) -> None:
    layers = [fw.layers.Conv1D(4, 3), fw.layers.GroupNormalization(2), fw.layers.MaxPooling1D(2),
              fw.layers.LSTM(3, return_sequences=True), fw.layers.LayerNormalization()]  # fmt: skip
    model = fw.Sequential([Input((8, 2)), *layers])
    model.export(tmp_path / "m.jax")
    x = np.random.default_rng(0).normal(size=(5, 8, 2)).astype(np.float32)
    program = jax.export.deserialize(bytearray((tmp_path / "m.jax").read_bytes()))
    np.testing.assert_allclose(
        program.call(x)[0], model.predict(x, verbose=0), rtol=1e-4, atol=1e-5
    )


# What is refused


class Inverse(Layer):
    def apply(self, params: Any, x: Any) -> Any:
        return jax.scipy.special.digamma(x)


class Half(Layer):
    def apply(self, params: Any, x: Any) -> Any:
        return x - x[: (x.shape[0] + 1) // 2].sum(0)


class Weighted(Layer):
    def apply(self, params: Any, x: Any) -> Any:
        return x * np.linspace(0, 1, x.shape[0], dtype=np.float32)[:, None]


def refusal(model: Any, path: Path, **more: Any) -> str:
    with pytest.raises(InvalidArgument) as caught:
        fw.export(model, path, **more)
    assert not path.exists()
    return str(caught.value)


def test_an_operation_that_a_format_lacks_names_its_layer(tmp_path: Path) -> None:
    model = fw.Sequential([Input((3,)), Inverse(name="strange")])
    for ending in ("onnx", "py"):
        said = refusal(model, tmp_path / f"m.{ending}")
        assert said.startswith("export, layer strange: expected operations that ")
        assert "received digamma. Export the model up to there" in said
    model.export(tmp_path / "m.jax")
    program = jax.export.deserialize(bytearray((tmp_path / "m.jax").read_bytes()))
    euler = 0.57721566
    np.testing.assert_allclose(program.call(jnp.array([[1.0, 2.0, 3.0]]))[0][0],
                               [-euler, 1 - euler, 1.5 - euler], rtol=1e-5)  # fmt: skip


def test_a_layer_that_divides_the_batch(tmp_path: Path) -> None:
    said = refusal(fw.Sequential([Input((3,)), Half(name="half")]), tmp_path / "m.onnx")
    assert said == (
        "export, layer half: expected operations that any number of examples can go through, "
        "received a size of 516 for 1031 examples and 1032 for 2063. "
        "Have it treat each example by itself, whatever their number."
    )


def test_numbers_for_one_size_of_batch(tmp_path: Path) -> None:
    said = refusal(fw.Sequential([Input((3,)), Weighted(name="by_place")]), tmp_path / "m.onnx")
    assert said.startswith("export, layer by_place: expected operations that any number of")
    assert "received an array of shape (1031, 1) for 1031 examples and another for 2063" in said


def test_layers_that_remember(tmp_path: Path) -> None:
    memory = fw.layers.LSTM(2, stateful=True, batch_size=2, name="memory")
    model = fw.Sequential([Input((4, 3)), memory])
    said = refusal(model, tmp_path / "m.onnx")
    assert said.startswith("export, layer memory (LSTM): expected a layer that predicts the same")


def test_numbers_that_numpy_lacks(tmp_path: Path) -> None:
    model = fw.Sequential([Input((3,), dtype="bfloat16", name="given"), Dense(1)])
    assert refusal(model, tmp_path / "m.py") == (
        "export, layer given (InputLayer): expected numbers that numpy has, received bfloat16. "
        'Write Input(..., dtype="float32").'
    )


def test_text_by_rules(tmp_path: Path) -> None:
    layer = fw.layers.TextVectorization(vocabulary=["a"], name="words", output_sequence_length=4)
    said = refusal(fw.Sequential([Input((1,), dtype="string"), layer]), tmp_path / "m.py")
    assert said.startswith(
        "export, layer words (TextVectorization): expected text that is looked up"
    )


def test_several_ids_for_unknown_values(tmp_path: Path) -> None:
    layer = fw.layers.StringLookup(vocabulary=["a"], num_oov_indices=3, name="look")
    said = refusal(fw.Sequential([Input((1,), dtype="string"), layer]), tmp_path / "m.onnx")
    assert "expected one id for all unknown values, received 3." in said


def test_more_than_an_onnx_file_may_hold(tmp_path: Path) -> None:
    model = small()
    huge = np.broadcast_to(np.float32(0), (3, 2 * 10**8))  # takes no memory
    params = {"scores": {"kernel": huge, "bias": BIAS}}
    model.train_state = model.train_state._replace(params=params)
    said = refusal(model, tmp_path / "m.onnx")
    assert "expected at most 2 GB of weights for one ONNX file, received 2.4 GB." in said


def test_lookups_are_not_for_jax(tmp_path: Path) -> None:
    assert "expected a network of numbers" in refusal(looked_up(), tmp_path / "m.jax")


def test_formats_by_name_and_ending(tmp_path: Path) -> None:
    fw.export(small(), tmp_path / "predict", format="numpy")
    assert load_script((tmp_path / "predict").read_text())(X).tolist() == Y.tolist()
    with pytest.raises(UnknownName, match="Did you mean onnx"):
        fw.export(small(), tmp_path / "m.onnx", format="onxx")
    said = refusal(small(), tmp_path / "m.pb")
    assert "expected a path that ends in .onnx, .py, .jax, received" in said


def test_what_is_no_model(tmp_path: Path) -> None:
    assert refusal("model", tmp_path / "m.onnx") == (
        "export: expected a model, received str. "
        "Pass what Sequential, Model, fitwell.load or fitwell.tabular.load returned, "
        "or the model_ of a fitted estimator."
    )


def test_no_folder_and_no_shape(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile):
        fw.export(small(), tmp_path / "nowhere" / "m.onnx")
    with pytest.raises(NotReady):
        fw.export(fw.Sequential([Dense(2)]), tmp_path / "m.onnx")


def test_without_the_package_onnx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingPackage, match=r'Run pip install "fitwell\[onnx\]"'):
        fw.export(small(), tmp_path / "m.onnx")
