"""A misspelt argument is answered with the nearest right one, wherever users pass arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell.arguments import named
from fitwell.errors import UnknownArgument

X = np.zeros((4, 2), np.float32)
CASES: list[tuple[str, dict[str, Any], str]] = [
    ("fit", {"epoch": 5}, "received epoch=5. Did you mean epochs?"),
    ("fit", {"batchsize": 5}, "received batchsize=5. Did you mean batch_size?"),
    ("fit", {"callback": None}, "received callback=None. Did you mean callbacks?"),
    ("compile", {"optimiser": "adam"}, "received optimiser='adam'. Did you mean optimizer?"),
    ("compile", {"metric": "mae"}, "received metric='mae'. Did you mean metrics?"),
    ("predict", {"batch": 2}, "received batch=2. Did you mean batch_size?"),
    ("evaluate", {"sample_weights": 1}, "received sample_weights=1. Did you mean sample_weight?"),
    ("save", {"include_optimiser": 1}, "received include_optimiser=1. "
                                       "Did you mean include_optimizer?"),
]  # fmt: skip


@pytest.fixture(scope="module")
def model() -> fw.Model:
    made = fw.Sequential([fw.Input((2,)), fw.layers.Dense(1)])
    made.compile(loss="mse")
    return made


@pytest.mark.parametrize(("method", "arguments", "text"), CASES)
def test_methods_of_the_model(
    model: fw.Model, method: str, arguments: dict[str, Any], text: str
) -> None:
    given = () if method == "compile" else ("never-written",) if method == "save" else (X,)
    with pytest.raises(UnknownArgument) as caught:
        getattr(model, method)(*given, **arguments)
    assert str(caught.value) == f"{method}: expected an argument it knows, {text}"


def test_the_function_is_called_as_it_is_and_keeps_its_documentation() -> None:
    @named
    def area(width: float, height: float = 2.0) -> float:
        """The area."""
        return width * height

    assert area(3.0) == 6.0
    assert area(height=1.0, width=4.0) == 4.0
    assert (area.__name__, area.__doc__) == ("area", "The area.")
    with pytest.raises(UnknownArgument, match=r"received heigth=1\. Did you mean height\?"):
        area(1.0, heigth=1)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: fw.Sequential(layer=[]),  # type: ignore[call-arg]
            "Sequential: expected an argument it knows, received layer=[]. Did you mean layers?",
        ),
        (
            lambda: fw.Model(input=1),  # type: ignore[call-arg]
            "Model: expected an argument it knows, received input=1. Did you mean inputs?",
        ),
        (
            lambda: fw.Input(shapes=(2,)),  # type: ignore[call-arg]
            "Input: expected an argument it knows, received shapes=(2,). Did you mean shape?",
        ),
    ],
)
def test_constructors(call: Any, text: str) -> None:
    with pytest.raises(UnknownArgument) as caught:
        call()
    assert str(caught.value) == text


def test_an_input_of_no_known_dtype() -> None:
    with pytest.raises(fw.errors.InvalidArgument, match=r"Did you mean float32\?"):
        fw.Input((2,), dtype="flot32")


def test_a_layer_by_an_index_there_is_not(model: fw.Model) -> None:
    with pytest.raises(fw.errors.InvalidArgument) as caught:
        model.get_layer(index=9)
    assert str(caught.value) == (
        "model: expected an index below 1, received index=9. "
        "Layers count from 0, the input not included."
    )
    assert model.get_layer(index=-1).name == "dense"
    assert (model.input_shape, model.output_shape) == ((None, 2), (None, 1))


NO_BATCH = "Write model.build((None, 4)) for 4 numbers per example."
WRONG: list[tuple[Any, str]] = [
    (
        lambda m: fw.Sequential([fw.layers.Dense(1)]).build(4),
        f"build: expected a batch's shape, None in front, received 4. {NO_BATCH}",
    ),
    (
        lambda m: fw.Sequential([fw.layers.Dense(1)]).build((4,)),
        f"build: expected a batch's shape, None in front, received (4,). {NO_BATCH}",
    ),
    (
        lambda m: m.predict(X, callbacks=3),
        "predict: expected callbacks that are Callbacks, received 3. "
        "Derive it from fitwell.callbacks.Callback.",
    ),
    (
        lambda m: m.get_layer(index="dense"),
        "model: expected an index below 1, received index='dense'. "
        "Layers count from 0, the input not included.",
    ),
    (
        lambda m: fw.Sequential([fw.Input((2,)), fw.layers.Dense(1, name=3)]),
        "Dense: expected a name without /, received 3. Use letters, digits and _.",
    ),
    (
        lambda m: fw.optimizers.SGD(nesterov="no"),
        "SGD: expected nesterov to be one of True, False, received nesterov='no'. "
        "The choices are False, True.",
    ),
    (
        lambda m: fw.Input((True,)),
        "Input: expected shape=(n, ...) with whole numbers >= 1, without the batch axis, received "
        "shape=(True,). For 4 numbers per example write Input(shape=(4,)).",
    ),
    (
        lambda m: fw.callbacks.EarlyStopping(monitor=3),
        "EarlyStopping: expected monitor to be a name, received monitor=3. "
        'Pass a name of the logs, such as "val_loss".',
    ),
    (
        lambda m: fw.callbacks.ReduceLROnPlateau(factor="half"),
        "ReduceLROnPlateau: expected factor to be a finite number, received factor='half'. "
        "Pass factor as a number.",
    ),
    (
        lambda m: fw.tabular.train("sklearn:iris", epochs=0),
        "train: expected epochs to be a whole number >= 1, received epochs=0. Pass epochs=1 or "
        "more.",
    ),
]


@pytest.mark.parametrize(("call", "text"), WRONG)
def test_values_of_a_wrong_kind(model: fw.Model, call: Any, text: str) -> None:
    with pytest.raises(fw.errors.InvalidArgument) as caught:
        call(model)
    assert str(caught.value) == text


def test_a_known_batch_size_is_no_part_of_the_shape() -> None:
    model = fw.Sequential([fw.layers.Dense(1)])
    model.build((32, 4))
    assert model.input_shape == (None, 4)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (fw.tabular.train, "train: expected an argument it knows, received epoch=3. "),
        (fw.tabular.prepare, "prepare: expected an argument it knows, received epoch=3. "),
        (fw.tabular.build, "build: expected an argument it knows, received epoch=3. "),
        (fw.tabular.cross_validate, "cross_validate: expected an argument it knows, received epo"),
        (fw.images.train, "train: expected an argument it knows, received epoch=3. "),
        (fw.images.prepare, "prepare: expected an argument it knows, received epoch=3. "),
        (fw.images.fit, "fit: expected an argument it knows, received epoch=3. "),
        (fw.data.read, "read: expected an argument it knows, received epoch=3. "),
        (fw.data.read_images, "read_images: expected an argument it knows, received epoch=3. "),
        (fw.report.write, "write: expected an argument it knows, received epoch=3. "),
    ],
)
def test_functions_on_tables_and_folders(call: Any, text: str) -> None:
    with pytest.raises(UnknownArgument) as caught:
        call("nowhere", epoch=3)
    assert str(caught.value).startswith(text)


def test_the_proposal_for_tables() -> None:
    with pytest.raises(UnknownArgument, match=r"epoch=3\. Did you mean epochs\?"):
        fw.tabular.train("nowhere.csv", "y", epoch=3)  # type: ignore[call-overload]
