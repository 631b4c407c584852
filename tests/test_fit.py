"""fit against independent truths: PyTorch, arithmetic by hand, nets whose answer is known."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import fitwell as fw
from fitwell.data.arrays import DataWarning
from fitwell.layers import Dense, Dropout, GaussianNoise, Normalization

pytestmark = pytest.mark.optimized  # whole programs, as their users run them

GOLDEN = np.load(Path(__file__).parent / "golden" / "training.npz")
OPTIMIZERS = {
    "sgd": fw.optimizers.SGD(0.1, momentum=0.9),
    "adam": fw.optimizers.Adam(0.01, epsilon=1e-12),
    "adamw": fw.optimizers.AdamW(0.01, weight_decay=0.1, epsilon=1e-12),
}


def golden_model(optimizer: Any, precision: str = "float32") -> fw.Sequential:
    model = fw.Sequential([Dense(8, activation="tanh"), Dense(3, activation="softmax")])
    model.build((None, 4))
    model.set_weights([GOLDEN[f"start{i}"] for i in range(4)])
    loss = "sparse_categorical_crossentropy"
    model.compile(optimizer, loss=loss, metrics=["accuracy"], precision=precision)
    return model


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_equals_pytorch_with_a_partial_last_batch(name: str) -> None:
    model = golden_model(OPTIMIZERS[name])
    history = model.fit(GOLDEN["x"], GOLDEN["y"], batch_size=16, epochs=3, shuffle=False)
    np.testing.assert_allclose(history.history["loss"], GOLDEN[f"{name}_loss"], rtol=2e-6)
    for i, weight in enumerate(model.get_weights()):
        np.testing.assert_allclose(weight, GOLDEN[f"{name}_end{i}"], rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_in_bfloat16_comes_close_to_pytorch_in_float32(name: str) -> None:
    """Losses within one rounding; what the steps changed in a weight within four.

    A gradient passes four rounded products: forward and back through two layers.
    """
    model = golden_model(OPTIMIZERS[name], "bfloat16")
    history = model.fit(GOLDEN["x"], GOLDEN["y"], batch_size=16, epochs=3, shuffle=False)
    np.testing.assert_allclose(history.history["loss"], GOLDEN[f"{name}_loss"], rtol=2**-8)
    starts, ends = ([GOLDEN[f"{which}{i}"] for i in range(4)] for which in ("start", f"{name}_end"))
    for weight, start, end in zip(model.get_weights(), starts, ends, strict=True):
        assert np.linalg.norm(weight - end) < 4 * 2**-8 * np.linalg.norm(end - start)


def small(seed: int = 0, **compile_args: Any) -> fw.Sequential:
    model = fw.Sequential(
        [Dense(8, activation="tanh"), Dropout(0.2), Dense(1, activation="sigmoid")], seed=seed
    )
    model.compile(**{"loss": "binary_crossentropy", **compile_args})
    return model


RNG = np.random.default_rng(1)
X = RNG.normal(size=(50, 2)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(np.int32)


def same_weights(a: fw.Model, b: fw.Model) -> bool:
    pairs = zip(a.get_weights(), b.get_weights(), strict=True)
    return all(x.tobytes() == y.tobytes() for x, y in pairs)


def test_xor_is_learned_and_a_linear_net_cannot() -> None:
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    layers = [Dense(4, activation="tanh"), Dense(1, activation="sigmoid")]
    model = fw.Sequential(layers, seed=0)
    model.compile(fw.optimizers.Adam(0.1), loss="binary_crossentropy", metrics=["accuracy"])
    assert model.fit(x, y, epochs=200).history["accuracy"][-1] == 1.0
    linear = fw.Sequential([Dense(4), Dense(1, activation="sigmoid")], seed=0)
    linear.compile(fw.optimizers.Adam(0.1), loss="binary_crossentropy", metrics=["accuracy"])
    assert linear.fit(x, y, epochs=200).history["accuracy"][-1] <= 0.75


def test_full_batch_linear_regression_finds_the_normal_equations() -> None:
    y = X @ np.array([[2.0], [-3.0]]) + 0.5
    model = fw.Sequential([Dense(1)], seed=0)
    model.compile(fw.optimizers.LBFGS(), loss="mse")
    model.fit(X, y, batch_size="full", epochs=30)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(kernel[:, 0], [2.0, -3.0], atol=1e-4)
    np.testing.assert_allclose(bias, [0.5], atol=1e-4)


def test_lbfgs_with_small_batches_says_what_to_do() -> None:
    model = fw.Sequential([Dense(1)])
    model.compile("lbfgs", loss="mse")
    with pytest.raises(fw.errors.InvalidArgument, match='Pass batch_size="full"'):
        model.fit(X, Y)


def test_the_same_seed_repeats_a_fit_bit_for_bit_and_another_does_not() -> None:
    a, b, c = small(3), small(3), small(4)
    for model in (a, b, c):
        model.fit(X, Y, epochs=3)
    assert same_weights(a, b)
    assert not same_weights(a, c)


@pytest.mark.parametrize("seed", [-1, 1.5, "a", True])
def test_a_seed_is_a_whole_number(seed: Any) -> None:
    with pytest.raises(
        fw.errors.InvalidArgument,
        match=f"expected seed to be a whole number >= 0, received seed={seed!r}",
    ):
        fw.Sequential([Dense(1)], seed=seed)


def test_a_large_seed_works() -> None:
    assert fw.Sequential([fw.Input((2,)), Dense(1)], seed=2**40 + 3).count_params() == 3


def test_training_twice_continues() -> None:
    once, twice = small(), small()
    once.fit(X, Y, epochs=5)
    twice.fit(X, Y, epochs=2)
    twice.fit(X, Y, epochs=5, initial_epoch=2)
    assert same_weights(once, twice)


def test_the_length_of_a_dispatch_does_not_change_the_weights() -> None:
    """Batch hooks force one step per dispatch; the numbers stay the same to the last bit."""

    class Each(fw.callbacks.Callback):
        def __init__(self) -> None:
            self.seen: list[int] = []

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.seen.append(batch)

    fast, slow, each = small(), small(), Each()
    fast.fit(X, Y, epochs=2)
    slow.fit(X, Y, epochs=2, callbacks=[each])
    assert each.seen == [0, 1, 0, 1]
    assert same_weights(fast, slow)


def test_a_second_fit_of_an_equal_model_compiles_nothing() -> None:
    small(0).fit(X, Y, epochs=1, validation_split=0.2)
    compiled: list[str] = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, seconds, **_: compiled.append(event) if "backend_compile" in event else None
    )
    model = small(7, optimizer=fw.optimizers.Adam(0.3))  # another seed, rate and number of rows
    model.fit(X[:45], Y[:45], epochs=2, validation_split=0.2)
    assert compiled == []
    other = fw.Sequential([Dense(9), Dense(1)])
    other.compile(loss="mse")
    other.fit(X, Y)
    jax.monitoring.clear_event_listeners()
    assert compiled != []  # the listener does hear of compilations


def test_resident_memory_stays_flat_over_200_fits() -> None:
    def resident() -> int:
        pages = Path("/proc/self/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    for _ in range(20):
        small().fit(X, Y, epochs=1)
    before = resident()
    for _ in range(200):
        small().fit(X, Y, epochs=1)
    assert resident() - before < 16 * 2**20


# Weights of examples


def test_sample_weight_zero_equals_leaving_the_example_out() -> None:
    weight = (np.arange(50) < 32).astype(float)
    weighted, short = golden_model("sgd"), golden_model("sgd")
    x, y = GOLDEN["x"], GOLDEN["y"]
    # "mean over the batch" divides by all rows: whole batches of weight 0 then change nothing.
    weighted.fit(x[:48], y[:48], 16, 1, sample_weight=weight[:48], shuffle=False)
    short.fit(x[:32], y[:32], 16, 1, shuffle=False)
    for a, b in zip(weighted.get_weights(), short.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7)


def test_class_weight_equals_the_sample_weights_it_stands_for() -> None:
    table = {0: 1.0, 1: 3.0}
    a, b = small(), small()
    a.fit(X, Y, epochs=2, class_weight=table)
    b.fit(X, Y, epochs=2, sample_weight=[table[label] for label in Y.tolist()])
    assert same_weights(a, b)


def test_balanced_class_weights_make_the_constant_prediction_one_half() -> None:
    y = (np.arange(400) < 40).astype(int)  # 10 % positive, inputs without information
    for weight, expected in ((None, 0.1), ("balanced", 0.5)):
        model = fw.Sequential([Dense(1, activation="sigmoid")], seed=0)
        model.compile(fw.optimizers.SGD(1.0), loss="binary_crossentropy")
        model.fit(np.zeros((400, 1)), y, batch_size="full", epochs=200, class_weight=weight)
        assert model.predict(np.zeros((1, 1)))[0, 0] == pytest.approx(expected, abs=1e-3)


# Targets, validation, sources


def test_without_y_the_model_trains_towards_x() -> None:
    model = fw.Sequential([Dense(4)], seed=0)
    model.compile(fw.optimizers.Adam(0.05))
    x = RNG.normal(size=(64, 4))
    model.fit(x, epochs=200)
    np.testing.assert_allclose(model.get_weights()[0], np.eye(4), atol=0.02)


def test_validation_split_takes_the_last_examples_and_validation_is_inference() -> None:
    model = small()
    history = model.fit(X, Y, epochs=3, validation_split=0.2)
    assert model.evaluate(X[40:], Y[40:]) == pytest.approx(history.history["val_loss"][-1], 1e-6)
    given = small()
    other = given.fit(X[:40], Y[:40], epochs=3, validation_data=(X[40:], Y[40:]))
    assert other.history == history.history


@pytest.mark.parametrize(("freq", "expected"), [(2, [1, 3]), ([1, 4], [0, 3])])
def test_validation_freq(freq: Any, expected: list[int]) -> None:
    history = small().fit(X, Y, epochs=4, validation_split=0.2, validation_freq=freq)
    frame = history.frame()
    assert frame.filter(frame["val_loss"].is_not_null())["epoch"].to_list() == expected


def test_a_generator_a_list_of_batches_and_arrays_train_alike() -> None:
    def batches() -> Any:
        for i in range(0, 50, 16):
            yield X[i : i + 16], Y[i : i + 16]

    class Sequence:  # a length and an index, as Keras' own data sets have
        def __len__(self) -> int:
            return 4

        def __getitem__(self, i: int) -> Any:
            return X[16 * i : 16 * i + 16], Y[16 * i : 16 * i + 16]

    class Loader:
        def __iter__(self) -> Any:
            return batches()

    arrays = small()
    arrays.fit(X, Y, batch_size=16, epochs=2, shuffle=False)
    for source in (Sequence(), Loader()):
        model = small()
        history = model.fit(source, epochs=2)
        assert same_weights(model, arrays)
        assert len(history.history["loss"]) == 2
    endless = (batch for _ in range(2) for batch in batches())
    model = small()
    model.fit(endless, epochs=2, steps_per_epoch=4)
    assert same_weights(model, arrays)


def test_a_generator_that_runs_out_ends_the_fit_and_says_so() -> None:
    with pytest.warns(DataWarning) as warned:
        history = small().fit(((X, Y) for _ in range(2)), epochs=5)
    assert history.epoch == [0]
    assert history.stopped == "the data ran out"
    assert [str(w.message) for w in warned] == [
        "fit: expected batches for 5 epochs, received batches for 1. A generator gives its "
        "batches once: pass a list or a loader that can be iterated again, or steps_per_epoch to "
        "divide the batches among the epochs."
    ]
    assert warned[0].filename == __file__


@pytest.mark.parametrize("epochs", [2, 5])
def test_a_generator_that_runs_out_within_an_epoch(epochs: int) -> None:
    model = small()
    with pytest.warns(DataWarning) as warned:
        history = model.fit(((X, Y) for _ in range(5)), epochs=epochs, steps_per_epoch=3)
    assert (history.epoch, history.stopped) == ([0, 1], "the data ran out")
    assert (int(model.train_state.step), model.epochs_trained) == (5, 1)
    assert str(warned[0].message).startswith(
        f"fit: expected batches for {epochs} epochs, received batches for 1 and 2 of 3 steps of "
        "the next. A generator"
    )
    assert len(warned) == 1


def test_steps_per_epoch_limits_the_steps_of_arrays() -> None:
    model = small()
    history = model.fit(X, Y, batch_size=10, epochs=2, steps_per_epoch=3)
    assert int(model.train_state.step) == 6
    assert history.params["steps"] == 3


def test_normalization_adapts_to_the_training_data_at_the_first_fit() -> None:
    x = RNG.normal(5.0, 3.0, size=(64, 2))
    model = fw.Sequential([Normalization(), Dense(1)])
    model.compile(loss="mse")
    model.fit(x, x[:, :1], epochs=1, validation_data=(x + 100, x[:, :1]))
    state = model["normalization"]
    np.testing.assert_allclose(state.mean.reshape(-1), x.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(state.variance.reshape(-1), x.var(axis=0), rtol=1e-4)
    model.fit(x + 50, x[:, :1], epochs=1)  # adapted once
    np.testing.assert_allclose(state.mean.reshape(-1), x.mean(axis=0), rtol=1e-5)


def test_normalization_behind_another_layer_sees_that_layers_output() -> None:
    layers = [fw.layers.Rescaling(2.0), Normalization(), Dense(1)]
    model = fw.Sequential(layers)
    model.compile(loss="mse")
    model.fit(X, X[:, :1])
    np.testing.assert_allclose(
        model["normalization"].mean.reshape(-1), 2 * X.mean(axis=0), rtol=1e-4, atol=1e-6
    )


def test_normalization_in_front_of_an_iterable_asks_for_adapt() -> None:
    model = fw.Sequential([Normalization(), Dense(1)])
    model.compile(loss="mse")
    with pytest.raises(fw.errors.NotReady, match=r'model\["normalization"\]\.adapt\(data\)'):
        model.fit(iter([(X, X[:, :1])]))


def test_noise_is_on_in_training_and_off_in_prediction() -> None:
    model = fw.Sequential([GaussianNoise(1.0), Dropout(0.5), Dense(1)])
    model.compile(loss="mse")
    model.build((None, 2))
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(model.predict(X), X @ kernel + bias, atol=1e-5)
    np.testing.assert_array_equal(model.predict(X), model.predict(X))
    assert np.abs(model(X, training=True) - model.predict(X)).max() > 0.1


# Ends


def test_time_limit_ends_the_fit_between_dispatches() -> None:
    model = small()
    model.fit(X, Y, verbose=0)  # compiles; on an accelerator that takes longer than the limit
    began = time.perf_counter()
    history = model.fit(X, Y, epochs=10**9, time_limit=0.5)
    assert history.stopped == "time_limit"
    assert 0.3 < time.perf_counter() - began < 20
    assert len(history.history["loss"]) == len(history.epoch) > 1


def test_ctrl_c_keeps_weights_and_history() -> None:
    threading.Timer(0.7, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    model = small()
    history = model.fit(X, Y, epochs=10**9)
    assert history.stopped == "interrupted"
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert np.isfinite(model.predict(X)).all()
    model.fit(X, Y, epochs=1)  # and it can go on


def test_an_error_in_a_callback_loses_no_work() -> None:
    class Broken(fw.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 2:
                raise ZeroDivisionError

    broken, whole = small(), small()
    with pytest.raises(ZeroDivisionError):
        broken.fit(X, Y, epochs=5, callbacks=[Broken()])
    whole.fit(X, Y, epochs=3)
    assert same_weights(broken, whole)
    assert broken.history is not None
    assert len(broken.history.history["loss"]) == 3


KILLED = """
import os, sys, numpy as np
import fitwell as fw
from tests.test_fit import X, Y, small

fw.settings.progress = "off"
class Kill(fw.callbacks.Callback):
    every = 1
    def on_train_batch_end(self, batch, logs=None):
        if self.model.history.epoch[-1:] == [1] and batch == 1:
            os.kill(os.getpid(), 9)

backup = fw.callbacks.BackupAndRestore(sys.argv[1], save_freq=int(sys.argv[3]) or "epoch")
stop = fw.callbacks.EarlyStopping("loss", patience=50, restore_best_weights=True)
model = small(11, metrics=["accuracy", "auc"])
extra = [Kill()] if sys.argv[2] == "kill" else []
history = model.fit(X, Y, batch_size=8, epochs=5, callbacks=[stop, backup, *extra])
np.savez(sys.argv[1] + ".npz", *model.get_weights(), loss=history.history["loss"],
         auc=history.history["auc"])
"""


@pytest.mark.parametrize("save_freq", [0, 1], ids=["epoch", "step"])
def test_a_killed_and_resumed_fit_equals_the_uninterrupted_one(
    tmp_path: Path, save_freq: int
) -> None:
    def run(folder: str, how: str) -> int:
        command = [sys.executable, "-c", KILLED, str(tmp_path / folder), how, str(save_freq)]
        root = Path(__file__).parents[1]
        path = os.pathsep.join([str(root), str(root / "src")])
        return subprocess.run(command, env={**os.environ, "PYTHONPATH": path}).returncode

    assert run("a", "whole") == 0
    assert run("b", "kill") == -signal.SIGKILL
    assert run("b", "resume") == 0
    whole, resumed = np.load(tmp_path / "a.npz"), np.load(tmp_path / "b.npz")
    assert set(whole) == set(resumed)
    for name in whole:
        assert whole[name].tobytes() == resumed[name].tobytes(), name
