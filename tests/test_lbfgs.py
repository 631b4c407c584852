"""L-BFGS against solutions that are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fitwell import tree
from fitwell.errors import InvalidArgument
from fitwell.optimizers import LBFGS
from fitwell.schedules import StepDecay


def minimise(optimizer, loss, weights, steps, rate=1.0):
    @jax.jit
    def run(weights, rate):
        def body(carry, _):
            weights, state = carry
            value, grads = jax.value_and_grad(loss)(weights)
            new = optimizer.step(weights, grads, state, rate, value=value, value_fn=loss)
            return new, value

        (weights, _), values = jax.lax.scan(body, (weights, optimizer.init(weights)), length=steps)
        return weights, values

    found = run(weights, rate)
    run(weights, rate / 2)
    assert run._cache_size() == 1
    return found


def test_a_least_squares_problem_is_solved_as_numpy_solves_it():
    random = np.random.default_rng(3)
    x, y = random.normal(size=(40, 6)), random.normal(size=40)
    start = {"dense": {"kernel": jnp.zeros(6), "bias": jnp.zeros(())}, "dropout": {}}

    def loss(p):
        return jnp.mean((x @ p["dense"]["kernel"] + p["dense"]["bias"] - y) ** 2)

    with jax.enable_x64(True):
        start = jax.tree.map(lambda w: w.astype(jnp.float64), start)
        weights, values = minimise(LBFGS(), loss, start, 25)
    solution = np.linalg.lstsq(np.c_[x, np.ones(40)], y, rcond=None)[0]
    np.testing.assert_allclose(weights["dense"]["kernel"], solution[:6], atol=1e-6)
    np.testing.assert_allclose(weights["dense"]["bias"], solution[6], atol=1e-6)
    assert (np.diff(values) <= 1e-12).all()


def test_rosenbrock_in_float32():
    def loss(p):
        return 100.0 * (p["y"] - p["x"] ** 2) ** 2 + (1.0 - p["x"]) ** 2

    start = {"x": jnp.float32(-1.2), "y": jnp.float32(1.0)}
    weights, values = minimise(LBFGS(memory_size=5), loss, start, 60)
    assert float(weights["x"]) == pytest.approx(1.0, abs=2e-3)
    assert float(weights["y"]) == pytest.approx(1.0, abs=4e-3)
    assert weights["x"].dtype == np.float32
    assert values[-1] < 1e-6


def test_the_state_is_a_dict_of_arrays_of_one_form():
    optimizer, weights = LBFGS(memory_size=3), {"dense": {"kernel": jnp.ones((2, 2))}}
    state = optimizer.init(weights)
    assert tree.host_equal(tree.unflatten(tree.flatten(state)), state)

    def loss(p):
        return jnp.sum(p["dense"]["kernel"] ** 2)

    def step(weights, state):
        grads = jax.grad(loss)(weights)
        return optimizer.step(weights, grads, state, 1.0, value=loss(weights), value_fn=loss)

    after = jax.eval_shape(step, weights, state)[1]
    assert jax.tree.map(lambda a: (a.shape, a.dtype), after) == jax.tree.map(
        lambda a: (a.shape, a.dtype), state
    )
    assert LBFGS.needs_value
    assert LBFGS(0.5).program() == LBFGS(StepDecay(1.0, 5)).program()


@pytest.mark.parametrize(
    ("argument", "value"), [("weight_decay", 0.1), ("clipnorm", 1.0), ("use_ema", True)]
)
def test_what_a_line_search_does_not_allow_is_refused(argument, value):
    with pytest.raises(InvalidArgument) as caught:
        LBFGS(**{argument: value})
    assert str(caught.value) == (
        "LBFGS: expected only the arguments learning_rate, memory_size, max_linesearch_steps, "
        f"name, received {argument}={value!r}. Its line search needs the gradient and the weights "
        "as they are: leave it out, or use a first-order optimizer."
    )
