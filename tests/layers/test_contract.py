"""Every check on every row of the contract table."""

from __future__ import annotations

import copy
import dataclasses
import functools
import importlib
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from fitwell import compiling, layers
from fitwell.catalog import catalog
from fitwell.layers import Layer
from fitwell.layers.base import infer
from fitwell.ops.precision import lowered, raised
from fitwell.tree import unflatten

from . import table
from .table import Row

GOLDEN = Path(__file__).parents[1] / "golden"
FAMILIES = sorted(path.stem for path in Path(__file__).parent.glob("rows_*.py"))
ROWS: list[Row] = [*table.ROWS]
for family in FAMILIES:
    ROWS += importlib.import_module(f".{family}", __package__).ROWS
BATCH = 3


@pytest.fixture(scope="module", params=ROWS, ids=[row.name for row in ROWS])
def row(request: pytest.FixtureRequest) -> Row:
    """One after the other, each with all checks: they share what is made and computed of it."""
    return request.param


@pytest.fixture(autouse=True)
def _precision(request: pytest.FixtureRequest) -> Iterator[None]:
    callspec = getattr(request.node, "callspec", None)
    row = callspec.params.get("row") if callspec else None
    with jax.enable_x64(row is not None and row.dtype == "float64"):
        yield


_MADE: dict[str, tuple[Any, Any, Any]] = {}
_OUTPUT: dict[str, Any] = {}


def made(row: Row) -> tuple[Any, Any, Any]:
    """Weights, state and input, with no number that happens to be 0; made once per row."""
    if row.name not in _MADE:
        _MADE[row.name] = _make(row)
    return _MADE[row.name]


def output_of(row: Row) -> Any:
    """What the layer makes of them, operation by operation; computed once per row."""
    if row.name not in _OUTPUT:
        _OUTPUT[row.name] = forward(row, *made(row))
    return _OUTPUT[row.name]


def _make(row: Row) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(len(row.name))
    shape: Any = list(row.shapes) if row.many else row.shapes[0]

    def init(key: Any) -> Any:
        lender = row.layer.lender
        lent = {} if lender is None else {"lender": lender.init(key, row.lent)}
        return {**row.layer.init(key, row.lent or shape), **lent}

    shapes = jax.eval_shape(init, jax.random.key(1))
    params = jax.tree.map(lambda a: jnp.asarray(rng.normal(size=a.shape), row.dtype), shapes)
    xs = [jnp.asarray(rng.normal(size=(BATCH, *s)) * 1.5, row.dtype) for s in row.shapes]
    if row.ids:
        given = row.shapes
        if row.layer.on_host:  # the program gets what `encode` returns
            given = (row.layer.encoded(row.shapes[0], row.layer.input_dtype)[0],)
        xs = [jnp.asarray(rng.integers(0, row.ids, (BATCH, *s)), jnp.int32) for s in given]
    return params, row.layer.init_state(shape), xs if row.many else xs[0]


def forward(row: Row, params: Any, state: Any, x: Any, *, train: bool = False) -> Any:
    return row.layer.forward(params, state, x, key=jax.random.key(5), train=train)[0]


def close(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-6) -> None:
    left, right = jax.tree.leaves(a), jax.tree.leaves(b)
    assert len(left) == len(right)
    for x, y in zip(left, right, strict=True):
        np.testing.assert_allclose(x, y, rtol=rtol, atol=atol)


def test_every_layer_has_a_row() -> None:
    public = {getattr(layers, name) for name in layers.__all__}
    classes = {c for c in public if inspect.isclass(c) and issubclass(c, Layer)} - {Layer}
    assert classes - {type(row.layer) for row in ROWS} == set()


@functools.cache
def golden() -> dict[str, np.ndarray[Any, Any]]:
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    for path in GOLDEN.glob("layers*.npz"):
        with np.load(path) as file:
            arrays |= dict(file)
    return arrays


def golden_case(name: str) -> dict[str, Any]:
    return {key.split("/", 1)[1]: v for key, v in golden().items() if key.split("/")[0] == name}


def truth(row: Row) -> tuple[list[Any], dict[str, Any]]:
    """Outputs and gradients of a row as the golden arrays have them; or outputs by its formula."""
    if row.formula is not None:
        params, _, x = made(row)
        return jax.tree.leaves(row.formula(params, x)), {}
    case = golden_case(row.name)
    grads = {key[5:]: value for key, value in case.items() if key.startswith("grad/")}
    return [case[name] for name in sorted(case) if name[0] == "y"], grads


def computed(row: Row, precision: str) -> tuple[Any, dict[str, Any]]:
    """Outputs and gradients of a row, as a network of that precision computes them."""
    params, _, x = made(row)
    if row.formula is not None:
        y = output_of(row) if precision == "float32" else low(row, precision, params, x)
        return y, {}
    case = golden_case(row.name)
    inputs = {k: jnp.asarray(v, row.dtype) for k, v in case.items() if k[0] == "x"}
    kept = {k: v.astype(jnp.int32) for k, v in inputs.items() if row.ids}
    assert tuple(x.shape[1:] for x in inputs.values()) == row.shapes
    params = {k[6:]: jnp.asarray(v, row.dtype) for k, v in case.items() if k[:6] == "param/"}

    def output(weights: Any) -> Any:
        xs = [(weights | kept)[f"x{i}"] for i in range(len(row.shapes))]
        own = unflatten({name: weights[name] for name in params})
        return low(row, precision, own, xs if row.many else xs[0])

    def both(weights: Any, cotangents: Any) -> Any:
        y, pull = jax.vjp(output, weights)
        return y, pull(jax.tree.unflatten(jax.tree.structure(y), cotangents))[0]

    outputs = sorted(key for key in case if key[0] == "y")
    dtype = row.dtype if precision == "float32" else "float32"
    cotangents = [jnp.asarray(case[f"cotangent{y[1:]}"], dtype) for y in outputs]
    return compiling.compile(both)(params if row.ids else params | inputs, cotangents)


def low(row: Row, precision: str, params: Any, x: Any) -> Any:
    params, x = lowered(precision, params, x)
    return raised(precision, forward(row, params, made(row)[1], x))


def test_values_and_gradients_agree_with_the_truth(row: Row) -> None:
    (y, grads), (wanted, gradients) = computed(row, "float32"), truth(row)
    close(y, wanted)
    close(grads, {name: gradients[name] for name in grads}, rtol=1e-4, atol=1e-5)


BIT = 2.0**-8  # what rounding to bfloat16 changes a number by, at most, relative to it


def test_bfloat16_is_near_the_truth(row: Row) -> None:
    """Errors as a share of the length of all outputs, or all gradients, taken as one vector.

    8 roundings in a row, all in one direction, for the values; for gradients four times as many:
    a saturated softmax multiplies the errors of its scores.
    """
    params, _, x = made(row)
    if all(weight.ndim < 2 for weight in jax.tree.leaves(params)):
        same = zip(
            jax.tree.leaves(lowered("bfloat16", params, x)),
            jax.tree.leaves((params, x)),
            strict=True,
        )
        assert all(left is right for left, right in same)
        return
    (y, grads), (wanted, gradients) = computed(row, "bfloat16"), truth(row)
    assert BIT / 16 < distance(y, wanted) < 8 * BIT
    assert {leaf.dtype for leaf in jax.tree.leaves(y)} == {np.dtype("float32")}
    assert not grads or distance(grads, {name: gradients[name] for name in grads}) < 32 * BIT


def distance(a: Any, b: Any) -> float:
    """|a - b| / |b|."""
    left, right = (
        np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)]) for tree in (a, b)
    )
    return float(np.linalg.norm(left - right) / np.linalg.norm(right))


def test_inferred_shape_and_dtype_are_the_real_ones(row: Row) -> None:
    dtype = row.layer.input_dtype if row.layer.on_host else "int32"
    dtypes = [dtype if row.ids else row.dtype] * len(row.shapes)
    found = infer(row.layer, list(row.shapes), dtypes, many=row.many, lent=row.lent)
    real = output_of(row)
    assert jax.tree.structure(found) == jax.tree.structure(real)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(real), strict=True):
        assert (a.shape[1:], a.dtype) == (b.shape[1:], b.dtype)
        assert b.shape[0] == BATCH


def test_eager_jit_and_vmap_agree(row: Row) -> None:
    params, state, x = made(row)
    lanes = jax.tree.map(lambda a: np.stack([a, 2 * np.asarray(a)]), params)

    def one_example(each: Any) -> Any:
        y = forward(row, params, state, jax.tree.map(lambda a: a[None], each))
        return jax.tree.map(lambda a: a[0], y)

    def compiled(params: Any, x: Any) -> Any:
        return {
            "predict": forward(row, params, state, x),
            "train": forward(row, params, state, x, train=True),
        }

    def mapped(lanes: Any, x: Any) -> Any:
        return {
            "examples": jax.vmap(one_example)(x),
            "weights": jax.vmap(lambda p: forward(row, p, state, x), axis_size=2)(lanes),
        }

    found = compiling.compile(compiled)(params, x) | jax.jit(mapped)(lanes, x)
    y = output_of(row)
    close(found["predict"], y)
    close(found["train"], forward(row, params, state, x, train=True))
    close(found["examples"], y)
    doubled = jax.tree.map(lambda a: jnp.asarray(a[1]), lanes)
    both = [y, forward(row, doubled, state, x)]
    close(found["weights"], jax.tree.map(lambda a, b: np.stack([a, b]), *both))


def test_gradients_agree_with_finite_differences(row: Row) -> None:
    params, state, x = made(row)

    def both(params: Any, x: Any) -> Any:
        start, unravel = ravel_pytree((params, None if row.ids else x))

        def f(vector: Any) -> Any:
            params, given = unravel(vector)
            y, _ = ravel_pytree(forward(row, params, state, x if row.ids else given, train=True))
            return jnp.sum(np.random.default_rng(0).normal(size=len(y)) * y)

        steps = 1e-5 * jnp.eye(len(start))
        up, down = jax.vmap(jax.vmap(f))(jnp.stack([start + steps, start - steps]))
        return jax.grad(f)(start), (up - down) / 2e-5

    with jax.enable_x64(True):
        double = functools.partial(np.asarray, dtype=np.float64)
        given = x if row.ids else jax.tree.map(double, x)
        exact, numeric = jax.jit(both)(jax.tree.map(double, params), given)
        assert exact.dtype == jnp.float64 or not exact.size  # whole numbers have no gradient
        close(exact, numeric, rtol=1e-6, atol=1e-8)


def test_json_gives_an_equal_layer_back(row: Row) -> None:
    known = catalog().with_custom(row.custom)
    back = known.from_json(json.loads(json.dumps(known.to_json(row.layer))))
    assert back == row.layer
    assert repr(back) == repr(row.layer)


def test_equal_layers_hash_equally_and_others_differ(row: Row) -> None:
    twin = copy.deepcopy(row.layer)
    other = dataclasses.replace(row.layer, name="other")
    assert twin == row.layer
    assert hash(twin) == hash(row.layer)
    assert other != row.layer


def test_the_program_computes_the_same_without_init_only_fields(row: Row) -> None:
    params, state, x = made(row)
    program = dataclasses.replace(row, layer=row.layer.program())
    if program.layer != row.layer:
        close(forward(program, params, state, x), output_of(row), rtol=0, atol=0)
    for field in dataclasses.fields(row.layer):
        if field.name in row.layer.init_only:
            assert getattr(program.layer, field.name) == field.default
