"""What a newcomer with Keras' habits writes is answered with how to write it here."""

from __future__ import annotations

import dataclasses
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell import habits
from fitwell.errors import (
    FitwellError,
    FrozenDescription,
    InvalidArgument,
    InvalidFile,
    UnknownArgument,
    UnknownAttribute,
)


def small() -> fw.Sequential:
    model = fw.Sequential([fw.Input((2,)), fw.layers.Dense(1)], seed=0)
    model.compile(loss="mse")
    return model


def layer_with(method: str) -> None:
    def anything(self: Any, *args: Any) -> None: ...

    type("Mine", (fw.layers.Layer,), {method: anything})


def loss_with_init() -> None:
    type("Mine", (fw.losses.Loss,), {"__init__": lambda self, power: None})


def set_rate_of_optimizer() -> None:
    fw.optimizers.Adam().learning_rate = 0.1  # type: ignore[misc]


LEAVE_OUT = "fitwell always compiles and runs many steps per dispatch: leave it out."
BEGIN = "Begin the model with Input(shape=(4,)), the shape of one example."

CASES: list[tuple[Callable[[], Any], type[FitwellError], str]] = [
    (
        lambda: layer_with("__init__"),
        InvalidArgument,
        "Mine: expected its fields as annotations in the class body, received a method __init__. "
        "Write `units: int = 3` in the class body; weights are made in init(self, key, shape).",
    ),
    (
        lambda: layer_with("build"),
        InvalidArgument,
        "Mine: expected the methods of its base class, received a method build. "
        "Make the weights in init(self, key, shape), which returns them by name.",
    ),
    (
        lambda: layer_with("call"),
        InvalidArgument,
        "Mine: expected the methods of its base class, received a method call. "
        "Write the map as apply(self, params, x), where params are what init returned.",
    ),
    (
        loss_with_init,
        InvalidArgument,
        "Mine: expected its fields as annotations in the class body, received a method __init__. "
        "Write `units: int = 3` in the class body; check the values in validate(self).",
    ),
    (
        set_rate_of_optimizer,
        FrozenDescription,
        "Adam: expected no change after it was made (it is a frozen description), received an "
        "assignment to .learning_rate. Set the rate of a model with model.learning_rate = 0.1; "
        "for all else compile it anew with a new optimizer.",
    ),
    (
        lambda: fw.layers.Dense(3, input_shape=(4,)),  # type: ignore[call-arg]
        UnknownArgument,
        f"Dense: expected an argument it knows, received input_shape=(4,). {BEGIN}",
    ),
    (
        lambda: fw.layers.Dense(3, input_dim=4),  # type: ignore[call-arg]
        UnknownArgument,
        f"Dense: expected an argument it knows, received input_dim=4. {BEGIN}",
    ),
    (
        lambda: fw.layers.Embedding(9, 2, input_length=4),  # type: ignore[call-arg]
        UnknownArgument,
        "Embedding: expected an argument it knows, received input_length=4. "
        "The length is that of the input: leave it out.",
    ),
    (
        lambda: fw.layers.LeakyReLU(alpha=0.2),  # type: ignore[call-arg]
        UnknownArgument,
        "LeakyReLU: expected an argument it knows, received alpha=0.2. Did you mean "
        "negative_slope?",
    ),
    (
        lambda: fw.optimizers.SGD(decay=1e-6),  # type: ignore[call-arg]
        UnknownArgument,
        "SGD: expected an argument it knows, received decay=1e-06. Pass a schedule: "
        "learning_rate=fitwell.schedules.InverseTimeDecay(...).",
    ),
    (
        lambda: fw.optimizers.Adam(lr=0.1),  # type: ignore[call-arg]
        UnknownArgument,
        "Adam: expected an argument it knows, received lr=0.1. Did you mean learning_rate?",
    ),
    (
        lambda: fw.callbacks.EarlyStopping(patient=3),  # type: ignore[call-arg]
        UnknownArgument,
        "EarlyStopping: expected an argument it knows, received patient=3. Did you mean patience?",
    ),
    (
        lambda: fw.callbacks.EarlyStopping(monitor="val_los"),
        InvalidArgument,
        "EarlyStopping: expected a monitor whose name says which way is better, received "
        "monitor='val_los'. Did you mean val_loss? "
        'Pass mode="max" if more is better, mode="min" if less is.',
    ),
    (
        lambda: fw.layers.Dense(3).get_weights(),  # type: ignore[attr-defined]
        UnknownAttribute,
        "Dense: expected an attribute it has, received .get_weights. "
        'The arrays are in the model: model["name"].get_weights.',
    ),
    (
        lambda: fw.optimizers.Adam().get_config(),  # type: ignore[attr-defined]
        UnknownAttribute,
        "Adam: expected an attribute it has, received .get_config. The arguments are its fields: "
        "dataclasses.asdict(...) gives them as a dict.",
    ),
    (
        lambda: small().layers[0].get_config(),
        UnknownAttribute,
        "<dense: Dense(name='dense', units=1)>: expected an attribute it has, received "
        ".get_config. The arguments are its fields: dataclasses.asdict(...) gives them as a dict.",
    ),
    *[
        (
            lambda name=name: small().compile(**{name: True}),
            UnknownArgument,
            f"compile: expected an argument it knows, received {name}=True. {LEAVE_OUT}",
        )
        for name in ("run_eagerly", "jit_compile", "steps_per_execution")
    ],
    (
        lambda: small().train_on_batch(np.zeros((4, 2)), np.zeros(4)),  # type: ignore[attr-defined]
        UnknownAttribute,
        "Sequential: expected an attribute it has, received .train_on_batch. "
        "fit takes a generator of batches; fitwell.training.step is one step of it.",
    ),
    (
        lambda: fw.load_model,  # type: ignore[attr-defined]
        UnknownAttribute,
        "fitwell: expected a name it has, received load_model. Write fitwell.load(path).",
    ),
    (
        lambda: fw.architectures.ResNet50,  # type: ignore[attr-defined]
        UnknownAttribute,
        "fitwell.architectures: expected a name it has, received ResNet50. Did you mean resnet?",
    ),
    (
        lambda: fw.Sequential(fw.layers.Dense(3)),  # type: ignore[arg-type]
        InvalidArgument,
        "Sequential: expected a list of layers, received layers=Dense(units=3). "
        "Write Sequential([Dense(8), Dense(1)]), one layer in brackets too.",
    ),
    (
        lambda: setattr(fw.settings, "compile_cash", False),
        UnknownAttribute,
        "settings: expected a setting there is, received compile_cash. Did you mean compile_cache?",
    ),
]


@pytest.mark.parametrize(("call", "error", "text"), CASES)
def test_messages(call: Callable[[], Any], error: type[FitwellError], text: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    assert str(caught.value) == text


@pytest.mark.parametrize("name", habits.MODELS)
def test_each_method_of_keras_models_is_answered(name: str) -> None:
    with pytest.raises(UnknownAttribute) as caught:
        getattr(small(), name)
    assert str(caught.value).endswith(f"received .{name}. {habits.MODELS[name]}")


@pytest.mark.parametrize("name", habits.MODULES)
def test_each_name_of_keras_is_answered(name: str) -> None:
    with pytest.raises(UnknownAttribute) as caught:
        getattr(fw, name)
    assert str(caught.value).endswith(f"received {name}. {habits.MODULES[name]}")


class Failing(fw.Sequential):
    @property
    def helper(self) -> Any:
        return np.zeros(3).nothing  # type: ignore[attr-defined]


def test_a_property_that_fails_says_why() -> None:
    with pytest.raises(AttributeError, match=r"'numpy\.ndarray' object has no attribute 'nothing'"):
        _ = Failing([fw.layers.Dense(1)]).helper


def test_an_attribute_nobody_has_is_python_s_own_error() -> None:
    """Whose traceback proposes the nearest name."""
    with pytest.raises(AttributeError) as caught:
        small().summery()  # type: ignore[attr-defined]
    assert str(caught.value) == "'Sequential' object has no attribute 'summery'"
    assert caught.value.name == "summery"


def numpy_loss(y_true: Any, y_pred: Any) -> Any:
    return np.abs(y_true - y_pred)


class NumpyLoss(fw.losses.Loss):
    def values(self, y_true: Any, y_pred: Any) -> Any:
        return np.abs(y_true - y_pred)


class NumpyLayer(fw.layers.Layer):
    def apply(self, params: Any, x: Any) -> Any:
        return np.tanh(x)


def fit_with(**compiled: Any) -> None:
    model = small()
    model.compile(**compiled)
    model.fit(np.zeros((4, 2)), np.zeros(4), verbose=0)


@pytest.mark.parametrize(
    ("call", "subject"),
    [
        (lambda: fit_with(loss=numpy_loss), "loss numpy_loss"),
        (lambda: fit_with(loss=NumpyLoss()), "NumpyLoss"),
        (lambda: fit_with(loss="mse", metrics=[numpy_loss]), "metric numpy_loss"),
        (lambda: fw.metrics.get(numpy_loss)([1.0], [2.0]), "metric numpy_loss"),
        (
            lambda: fw.Sequential([fw.Input((2,)), NumpyLayer()]),
            "layer 1 of 1, numpy_layer (NumpyLayer) after input (InputLayer)",
        ),
    ],
)
def test_numpy_in_a_formula(call: Callable[[], Any], subject: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        call()
    assert str(caught.value) == (
        f"{subject}: expected operations of JAX, received a function of numpy, which cannot be "
        "compiled. Use jax.numpy (jnp.mean for np.mean)."
    )


@pytest.mark.parametrize(
    ("path", "better"),
    [
        ("m.keras", "m.safetensors"),
        ("m.h5", "m.safetensors"),
        ("M.HDF5", "M.safetensors"),
        ("x.weights.h5", "x.weights.safetensors"),
    ],
)
def test_suffixes_of_other_formats(
    path: str, better: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = small()
    for write in (model.save, model.save_weights, fw.callbacks.ModelCheckpoint):
        with pytest.raises(InvalidFile) as caught:
            write(path)
        assert str(caught.value) == (
            f"save to {path!r}: expected the name of a safetensors file, received the suffix "
            f"{Path(path).suffix} of another format. Name it {better!r}."
        )
    assert not list(tmp_path.iterdir())


def test_files_of_keras_are_recognised(tmp_path: Path) -> None:
    zipped, hdf5 = tmp_path / "m.keras", tmp_path / "m.h5"
    with zipfile.ZipFile(zipped, "w") as file:
        file.writestr("config.json", "{}")
    hdf5.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    for path, kind in (
        (zipped, "a zip archive, as .keras files are"),
        (hdf5, "HDF5, as .h5 files are"),
    ):
        for read in (fw.load, small().load_weights):
            with pytest.raises(InvalidFile) as caught:
                read(path)
            assert str(caught.value) == (
                f"model file {str(path)!r}: expected a file that fitwell saved, received {kind}. "
                "Models of Keras cannot be read yet: build the model here and pass it the arrays "
                "with set_weights."
            )


def test_a_users_own_callback_keeps_its_own_arguments() -> None:
    class Mine(fw.callbacks.EarlyStopping):
        def __init__(self, *, note: str, **rest: Any) -> None:
            super().__init__(**rest)
            self.note = note

    mine = Mine(note="n", patience=3)
    assert (mine.note, mine.patience) == ("n", 3)
    with pytest.raises(UnknownArgument) as caught:
        Mine(note="n", patient=3)
    assert str(caught.value).endswith("Did you mean patience?")


def test_warnings_point_at_the_users_line() -> None:
    x = np.array([[np.nan, 1.0], [1.0, 1.0]])
    stopping = fw.callbacks.EarlyStopping("lss", mode="min")
    with pytest.warns(UserWarning, match="fit: x|EarlyStopping") as warned:
        small().fit(x, np.zeros(2), callbacks=stopping, verbose=0)
    assert [str(w.message).split(":")[0] for w in warned] == ["fit", "EarlyStopping"]
    assert {w.filename for w in warned} == {__file__}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Sequentail", "Sequential"),
        ("layers.Dens", "Dense"),
        ("losses.BinaryCrossEntropy", "BinaryCrossentropy"),
        ("metrics.F1score", "F1Score"),
        ("optimizers.AdamWW", "AdamW"),
        ("callbacks.Earlystopping", "EarlyStopping"),
        ("initializers.HeNorml", "HeNormal"),
        ("regularizers.l1l2", "L1L2"),
        ("constraints.MaxNrm", "MaxNorm"),
        ("activations.sigmod", "sigmoid"),
        ("schedules.CosineDecy", "CosineDecay"),
    ],
)
def test_misspelt_names_of_modules(name: str, meant: str) -> None:
    *path, last = name.split(".")
    module = getattr(fw, path[0]) if path else fw
    with pytest.raises(UnknownAttribute) as caught:
        getattr(module, last)
    assert str(caught.value) == (
        f"{'.'.join(['fitwell', *path])}: expected a name it has, received {last}. "
        f"Did you mean {meant}?"
    )


def test_a_name_that_looks_like_none() -> None:
    with pytest.raises(UnknownAttribute) as caught:
        fw.layers.Qwxyz  # type: ignore[attr-defined] # noqa: B018
    assert str(caught.value) == (
        "fitwell.layers: expected a name it has, received Qwxyz. "
        "help(fitwell.layers) shows what there is."
    )
    assert not hasattr(fw, "__wrapped__")


def test_completion_shows_the_public_names() -> None:
    shown = [name for name in dir(fw) if not name.startswith("__")]
    assert shown == sorted(fw.__all__)
    assert "__version__" in dir(fw)


def test_a_description_as_a_dict_makes_an_equal_one() -> None:
    for made in (fw.layers.Conv2D(3, (2, 2)), fw.optimizers.Adam(0.1), fw.losses.Huber(2.0)):
        assert type(made)(**dataclasses.asdict(made)) == made  # type: ignore[arg-type]
