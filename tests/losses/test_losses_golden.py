import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fitwell import losses
from fitwell.losses.base import REDUCTIONS

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "losses.json").read_text())
CASES = sorted(GOLDEN)
STEP = 1e-5  # of finite differences, in float64


def loss_of(case, **changed):
    data = GOLDEN[case]
    return getattr(losses, data["loss"])(**data["arguments"] | changed)


def inputs_of(case, dtype):
    y_true, y_pred = (np.asarray(GOLDEN[case][name]) for name in ("y_true", "y_pred"))
    weight = jnp.asarray(GOLDEN[case]["weight"], dtype)
    return jnp.asarray(y_true), jnp.asarray(y_pred, dtype), weight


def weighted_gradients(case, y_true, y_pred, weight):
    return {
        name: jax.grad(loss_of(case, reduction=name), argnums=1)(y_true, y_pred, weight)
        for name in GOLDEN[case]["gradient"]
    }


def evaluate_in_float64(case):
    y_true, y_pred, weight = inputs_of(case, "float64")
    plain = loss_of(case)

    def total(x):
        return jnp.sum(plain.values(y_true, x))

    basis = STEP * jnp.eye(y_pred.size, dtype="float64").reshape(-1, *y_pred.shape)
    differences = jax.vmap(lambda h: (total(y_pred + h) - total(y_pred - h)) / (2 * STEP))(basis)
    reduced = {}
    for name in REDUCTIONS:
        loss = loss_of(case, reduction=name)
        reduced[name or "None"] = loss(y_true, y_pred), loss(y_true, y_pred, weight)
    return {
        "values": plain.values(y_true, y_pred),
        "reduced": reduced,
        "gradient": weighted_gradients(case, y_true, y_pred, weight),
        "slope": jax.grad(total)(y_pred),
        "differences": differences.reshape(y_pred.shape),
    }


def evaluate_in_float32(case):
    y_true, y_pred, weight = inputs_of(case, "float32")
    gradient = weighted_gradients(case, y_true, y_pred, weight)
    return {"values": loss_of(case).values(y_true, y_pred), "gradient": gradient}


def of_all_cases(evaluate):
    """In one compiled program."""
    return jax.device_get(jax.jit(lambda: {case: evaluate(case) for case in CASES})())


@pytest.fixture(scope="module")
def exact():
    with jax.enable_x64(True):
        return of_all_cases(evaluate_in_float64)


@pytest.fixture(scope="module")
def single():
    return of_all_cases(evaluate_in_float32)


# Against Keras, PyTorch and scikit-learn in float64


@pytest.mark.parametrize("case", CASES)
def test_values_are_those_of_keras(case, exact):
    assert exact[case]["values"].dtype == np.float64
    np.testing.assert_allclose(exact[case]["values"], GOLDEN[case]["values"], 1e-9, 1e-13)


@pytest.mark.parametrize("case", [c for c in CASES if "torch_values" in GOLDEN[c]])
def test_values_and_slopes_are_those_of_pytorch(case, exact):
    np.testing.assert_allclose(exact[case]["values"], GOLDEN[case]["torch_values"], 1e-9)
    np.testing.assert_allclose(exact[case]["slope"], GOLDEN[case]["torch_gradient"], 1e-8, 1e-12)


@pytest.mark.parametrize("case", CASES)
def test_reductions_are_those_of_keras_with_and_without_weights(case, exact):
    for name, expected in GOLDEN[case]["reduced"].items():
        np.testing.assert_allclose(exact[case]["reduced"][name], expected, 1e-9, err_msg=name)


@pytest.mark.parametrize("case", CASES)
def test_no_reduction_gives_each_weighted_loss(case, exact):
    values, weight = np.asarray(GOLDEN[case]["values"]), np.asarray(GOLDEN[case]["weight"])
    for name in ("none", "None"):
        plain, weighted = exact[case]["reduced"][name]
        np.testing.assert_allclose(plain, values, 1e-9, 1e-13)
        shape = (*weight.shape, *(1,) * (values.ndim - weight.ndim))
        np.testing.assert_allclose(weighted, values * weight.reshape(shape), 1e-9, 1e-13)


@pytest.mark.parametrize("case", [c for c in CASES if GOLDEN[c]["gradient"]])
def test_weighted_gradients_are_those_of_keras(case, exact):
    for name, expected in GOLDEN[case]["gradient"].items():
        np.testing.assert_allclose(exact[case]["gradient"][name], expected, 1e-8, 1e-12)


# Where probabilities are clipped, the slope is 0 and a finite step crosses the kink.
@pytest.mark.parametrize("case", [c for c in CASES if c != "bce/saturated"])
def test_slopes_are_finite_differences(case, exact):
    rounding = 1e-8 + 1e-10 * np.abs(GOLDEN[case]["values"]).max()
    np.testing.assert_allclose(exact[case]["slope"], exact[case]["differences"], 1e-6, rounding)


@pytest.mark.parametrize("case", CASES)
def test_float32_has_the_digits_it_can_have(case, single):
    assert single[case]["values"].dtype == np.float32
    np.testing.assert_allclose(single[case]["values"], GOLDEN[case]["values"], 1e-5, 1e-6)
    for name, expected in GOLDEN[case]["gradient"].items():
        np.testing.assert_allclose(single[case]["gradient"][name], expected, 2e-5, 1e-6)


def test_every_loss_has_a_case():
    classes = {n for n in losses.__all__ if isinstance(getattr(losses, n), type)}
    assert {GOLDEN[c]["loss"] for c in CASES} == classes - {"Loss", "FunctionLoss"}
