"""Optimizers: trajectories of Keras and PyTorch, and the contract that all obey."""

import functools
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fitwell import optimizers, tree
from fitwell.optimizers import LBFGS, SGD, Adam, Adamax, Lamb, Muon, Nadam, Optimizer

with np.load(Path(__file__).parent / "golden" / "optimizers.npz") as file:
    GOLDEN = dict(file)
CASES = json.loads(str(GOLDEN["cases"]))
NAMES = [key.removeprefix("start:") for key in GOLDEN if key.startswith("start:")]
STEPS = GOLDEN[f"targets:{NAMES[0]}"].shape[0]

# these libraries compute a factor of these steps in float32, also for weights in float64
IN_PART_FLOAT32 = [("keras", "Adafactor"), ("keras", "Muon"), ("torch", "Nadam")]

FIRST_ORDER = [
    getattr(optimizers, name)
    for name in optimizers.__all__
    if name not in ("Optimizer", "get", "LBFGS")
]
OPTIONS = {
    "use_ema": True,
    "ema_overwrite_frequency": 2,
    "gradient_accumulation_steps": 2,
    "weight_decay": 0.1,
    "global_clipnorm": 1.0,
    "multipliers": {"dense": 0.5, "out": 0.0},
    "exclude_from_weight_decay": ["bias"],
}
# the contract holds for every optimizer as it is, and for some with every option
CONTRACT = [kind() for kind in FIRST_ORDER] + [
    kind(**OPTIONS) for kind in (SGD, Adam, Nadam, Lamb, Muon)
]


def params(dtype=np.float64):
    flat = {name: jnp.asarray(GOLDEN[f"start:{name}"], dtype) for name in NAMES}
    return {**tree.unflatten(flat), "dropout": {}}


def gradients(weights, step):
    def gradient(name, weight):
        return weight - jnp.asarray(GOLDEN[f"targets:{name}"], weight.dtype)[step]

    return tree.map_with_names(gradient, weights)


@pytest.mark.parametrize(
    "number",
    range(len(CASES)),
    ids=[f"{library}-{kind}-{i}" for i, (library, kind, _) in enumerate(CASES)],
)
def test_agrees_with_keras_and_pytorch(number):
    library, kind, arguments = CASES[number]
    close = functools.partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-9)
    if (library, kind) in IN_PART_FLOAT32:
        close = functools.partial(np.testing.assert_allclose, rtol=1e-7, atol=1e-7)
    optimizer = getattr(optimizers, kind)(**arguments)
    # a branch is compiled at every call without jit
    move = jax.jit(optimizer.step) if optimizer.gradient_accumulation_steps else optimizer.step
    with jax.enable_x64(True):
        weights = params()
        state = optimizer.init(weights)
        for step in range(STEPS):
            rate = float(optimizer.rate(step))
            weights, state = move(weights, gradients(weights, step), state, rate)
            for name, found in tree.flatten(weights).items():
                expected = GOLDEN[f"{number}:path:{name}"][step]
                close(found, expected, err_msg=name)
        for name, found in tree.flatten(optimizer.averaged(weights, state)).items():
            expected = GOLDEN[f"{number}:final:{name}"]
            close(found, expected, err_msg=name)


def test_every_optimizer_has_a_golden_case():
    assert {kind.__name__ for kind in FIRST_ORDER} == {kind for _, kind, _ in CASES}


def test_float32_in_one_compiled_loop_with_the_rates_as_data():
    some = [SGD(**OPTIONS), Nadam(clipnorm=1.0), Muon(clipvalue=0.5, use_ema=True)]
    with jax.enable_x64(True):
        expected = {i: run_in_float64(optimizer) for i, optimizer in enumerate(some)}
    keys = [optimizer.program() for optimizer in some]
    assert all(key.learning_rate == 1.0 for key in keys)

    @jax.jit
    def train(weights, rates):
        def body(carry, step):
            new = []
            for key, (w, state) in zip(keys, carry, strict=True):
                new.append(key.step(w, gradients(w, step), state, rates[len(new)]))
            return new, None

        start = [(weights, key.init(weights)) for key in keys]
        return [w for w, _ in jax.lax.scan(body, start, jnp.arange(STEPS))[0]]

    rates = jnp.array([optimizer.rate(0) for optimizer in some], jnp.float32)
    found = train(params(np.float32), rates)
    for number, weights in enumerate(found):
        for name, weight in tree.flatten(weights).items():
            assert weight.dtype == np.float32
            message = f"{some[number]} {name}"
            np.testing.assert_allclose(weight, expected[number][name], atol=1e-5, err_msg=message)
    train(params(np.float32), rates / 2)
    assert train._cache_size() == 1


def run_in_float64(optimizer):
    weights, step = params(), jax.jit(optimizer.step)
    state = optimizer.init(weights)
    for i in range(STEPS):
        weights, state = step(weights, gradients(weights, i), state, float(optimizer.rate(i)))
    return tree.flatten(weights)


@pytest.mark.parametrize("optimizer", CONTRACT, ids=repr)
def test_the_state_keeps_its_form_and_fits_into_a_file(optimizer):
    weights = params(np.float32)
    before = optimizer.init(weights)
    after_weights, after = jax.eval_shape(
        optimizer.step, weights, gradients(weights, 0), before, jnp.float32(0.1)
    )
    assert describe(after) == describe(before)
    assert describe(after_weights) == describe(weights)
    assert tree.host_equal(tree.unflatten(tree.flatten(before)), before)
    count = before.get("count", jnp.zeros((), jnp.int32))
    assert count.dtype == jnp.int32


@pytest.mark.parametrize("optimizer", CONTRACT, ids=repr)
def test_the_state_shares_no_memory_with_the_weights(optimizer):
    weights = params(np.float32)
    leaves = jax.tree.leaves((weights, optimizer.init(weights)))
    places = [leaf.unsafe_buffer_pointer() for leaf in leaves]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("optimizer", CONTRACT, ids=repr)
def test_half_precision_stays_half(optimizer):
    weights = params(jnp.bfloat16)
    state = optimizer.init(weights)
    after = jax.eval_shape(optimizer.step, weights, gradients(weights, 0), state, jnp.float32(0.1))
    assert describe(after) == describe((weights, state))


def describe(nest):
    leaves, structure = jax.tree.flatten(nest)
    return structure, [(leaf.shape, leaf.dtype) for leaf in leaves]


@pytest.mark.parametrize("kind", [*FIRST_ORDER, LBFGS])
def test_the_key_of_a_program_is_without_rate_and_name(kind):
    one, other = kind(learning_rate=0.5, name="mine"), kind(learning_rate=lambda step: 0.1)
    assert one != other
    assert one.program() == other.program()
    assert hash(one.program()) == hash(other.program())
    assert kind(use_ema=True).program() != kind().program() if kind is not LBFGS else True


def test_keras_positions_of_arguments():
    assert optimizers.AdamW(0.1, 0.2, 0.3, 0.4, 0.5, True) == optimizers.AdamW(
        learning_rate=0.1, weight_decay=0.2, beta_1=0.3, beta_2=0.4, epsilon=0.5, amsgrad=True
    )
    assert optimizers.Adam(0.1, 0.3, 0.4, 0.5, True) == optimizers.Adam(
        learning_rate=0.1, beta_1=0.3, beta_2=0.4, epsilon=0.5, amsgrad=True
    )
    assert optimizers.RMSprop(0.1, 0.2, 0.3, 0.4, True) == optimizers.RMSprop(
        learning_rate=0.1, rho=0.2, momentum=0.3, epsilon=0.4, centered=True
    )
    assert SGD(0.1, 0.2, True) == SGD(learning_rate=0.1, momentum=0.2, nesterov=True)


def test_a_user_can_count_and_remember():
    class Heavy(Optimizer):
        """w <- w - rate * mean of all gradients so far."""

        def scalars(self):
            return {"count": jnp.zeros((), jnp.int32)}

        def factors(self, scalars):
            return 1.0 / scalars["count"]

        def slots(self, name, weight):
            return {"total": jnp.zeros_like(weight)}

        def update(self, weight, gradient, slots, rate, factors):
            total = slots["total"] + gradient
            return weight - rate * factors * total, {"total": total}

    optimizer, weights = Heavy(), {"w": jnp.array(0.0)}
    state = optimizer.init(weights)
    for gradient in (1.0, 3.0):
        weights, state = optimizer.step(weights, {"w": jnp.array(gradient)}, state, 1.0)
    assert float(weights["w"]) == -(1.0 + 2.0)


def test_adamax_of_a_zero_gradient_stays():
    optimizer, weights = Adamax(), {"w": jnp.ones(3)}
    moved, _ = optimizer.step(weights, {"w": jnp.zeros(3)}, optimizer.init(weights), 0.1)
    np.testing.assert_array_equal(moved["w"], 1.0)
