"""Each operation as a call of numpy or of `numerics`: to compute it here, or to write it down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fitwell.exporting import numerics
from fitwell.exporting.program import Operation, Program, Value, known
from fitwell.types import HostArray


@dataclass
class Call:
    """`function(*arguments, **options)`; arguments are values, lists of values, or constants.

    `several`: it returns a sequence of results, even where there is one.
    """

    function: str
    arguments: list[Any]
    options: dict[str, Any] = field(default_factory=dict)
    several: bool = False


def call(operation: Operation) -> Call | None:
    """What computes an operation; None if nothing in numpy does."""
    name = operation.kind
    if name in _FUNCTIONS:
        return Call(_FUNCTIONS[name], list(operation.ins))
    return _RULES[name](operation) if name in _RULES else None


def fold(operation: Operation) -> bool:
    """Computes an operation on what is known; whether it could."""
    inside = () if operation.body is None else operation.body.reads()
    made = set() if operation.body is None else operation.body.made()
    if known([*operation.ins, *(v for v in inside if v not in made)]) is None:
        return False
    if any(value.grows for value in operation.outs):
        return False
    with np.errstate(all="ignore"):
        results = _computed(operation, {})
    if results is None:
        return False
    for value, array in zip(operation.outs, results, strict=True):
        value.array = array
    if operation.ins and operation.ins[0].name:
        operation.outs[0].name = operation.ins[0].name
    return True


def _computed(operation: Operation, arrays: dict[Value, HostArray]) -> list[HostArray] | None:
    """The results of an operation; None if numpy has no such operation."""

    def of(argument: Any) -> Any:
        if isinstance(argument, list):
            return [of(part) for part in argument]
        if not isinstance(argument, Value):
            return argument
        return arrays[argument] if argument.array is None else argument.array

    if operation.body is not None:
        return _turned(operation, operation.body, of)
    found = call(operation)
    if found is None:
        return None
    result = _function(found.function)(*map(of, found.arguments), **found.options)
    results = result if found.several else [result]
    return [np.asarray(a, v.dtype) for a, v in zip(results, operation.outs, strict=True)]


def _turned(loop: Operation, body: Program, of: Callable[[Any], Any]) -> list[HostArray] | None:
    """The states after the last turn, and what all turns wrote."""
    count, length = loop.how["num_carry"], loop.how["length"]
    states, arrays = of(list(loop.ins[:count])), of(list(loop.ins[count:]))
    turns: list[Any] = [None] * length
    for turn in reversed(range(length)) if loop.how["reverse"] else range(length):
        known_now = dict(zip(body.inputs, [*states, *(a[turn] for a in arrays)], strict=True))
        for one in body.operations:
            results = _computed(one, known_now)
            if results is None:
                return None
            known_now |= dict(zip(one.outs, results, strict=True))
        outputs = [known_now[v] if v.array is None else v.array for v in body.outputs]
        states, turns[turn] = outputs[:count], outputs[count:]
    return [*states, *map(np.stack, zip(*turns, strict=True))]


def _function(name: str) -> Callable[..., Any]:
    return getattr(np, name[3:]) if name.startswith("np.") else getattr(numerics, name)


_FUNCTIONS = {
    "abs": "np.abs", "acos": "np.arccos", "acosh": "np.arccosh", "add": "np.add",
    "add_any": "np.add", "and": "np.bitwise_and", "asin": "np.arcsin", "asinh": "np.arcsinh",
    "atan": "np.arctan", "atan2": "np.arctan2", "atanh": "np.arctanh", "cbrt": "np.cbrt",
    "ceil": "np.ceil", "cos": "np.cos", "cosh": "np.cosh", "div": "divide", "eq": "np.equal",
    "erf": "erf", "erfc": "erfc", "exp": "np.exp", "exp2": "np.exp2", "expm1": "np.expm1",
    "floor": "np.floor", "ge": "np.greater_equal", "gt": "np.greater",
    "is_finite": "np.isfinite", "le": "np.less_equal", "log": "np.log", "log1p": "np.log1p",
    "logistic": "logistic", "lt": "np.less", "lt_to": "np.less", "le_to": "np.less_equal",
    "max": "np.maximum", "min": "np.minimum", "mul": "np.multiply", "ne": "np.not_equal",
    "neg": "np.negative", "not": "np.invert", "or": "np.bitwise_or", "pow": "np.power",
    "rem": "np.fmod", "select_n": "select", "sign": "np.sign", "sin": "np.sin",
    "sinh": "np.sinh", "sqrt": "np.sqrt", "square": "np.square", "sub": "np.subtract",
    "tan": "np.tan", "tanh": "np.tanh", "xor": "np.bitwise_xor",
}  # fmt: skip
"""Operations whose arguments are the function's."""


def _dtype(value: Value) -> str:
    return str(value.dtype)


def _reduction(function: str) -> Callable[[Operation], Call | None]:
    def rule(op: Operation) -> Call:
        typed = {"dtype": _dtype(op.outs[0])} if function in ("np.sum", "np.prod") else {}
        return Call(function, [op.ins[0]], {"axis": tuple(op.how["axes"]), **typed})

    return rule


def _index(function: str) -> Callable[[Operation], Call | None]:
    return lambda op: Call(function, [op.ins[0]], {"axis": op.how["axes"][0]})


def _cumulation(kind: str) -> Callable[[Operation], Call | None]:
    return lambda op: Call("cumulate", [op.ins[0], op.how["axis"], op.how["reverse"], kind])


def _shaped(op: Operation) -> Call:
    return Call("np.reshape", [op.ins[0], op.outs[0].shape])


def _slice(op: Operation) -> Call:
    starts, stops = op.how["start_indices"], op.how["limit_indices"]
    return Call("cut", [op.ins[0], starts, stops, op.how["strides"] or (1,) * len(starts)])


def _split(op: Operation) -> Call:
    places = np.cumsum(op.how["sizes"])[:-1].tolist()
    return Call("np.split", [op.ins[0], places, op.how["axis"]], several=True)


def _gather(op: Operation) -> Call:
    numbers = op.how["dimension_numbers"]
    batching = numbers.operand_batching_dims, numbers.start_indices_batching_dims
    return Call("gather", [*op.ins, numbers.offset_dims, numbers.collapsed_slice_dims,
                           numbers.start_index_map, batching, op.how["slice_sizes"],
                           fill_of(op)])  # fmt: skip


def fill_of(op: Operation) -> Any:
    """What a gather returns for places outside; None if it moves them inside."""
    if op.how["mode"].name != "FILL_OR_DROP":
        return None
    value, dtype = op.how["fill_value"], op.outs[0].dtype
    if value is None:
        value = np.nan if dtype.kind == "f" else np.iinfo(dtype).min if dtype.kind == "i" else 0
        value = np.iinfo(dtype).max if dtype.kind == "u" else value
    return Float(value) if isinstance(value, float) else value


class Float(float):
    """A number that is written as Python reads it.

    >>> Float("nan")
    float('nan')
    """

    def __repr__(self) -> str:
        plain = float.__repr__(self)
        return plain if np.isfinite(self) else f"float({plain!r})"


def _scatter(kind: str) -> Callable[[Operation], Call | None]:
    def rule(op: Operation) -> Call | None:
        numbers = op.how["dimension_numbers"]
        if numbers.operand_batching_dims:
            return None
        return Call("scatter", [*op.ins, numbers.update_window_dims, numbers.inserted_window_dims,
                                numbers.scatter_dims_to_operand_dims, kind])  # fmt: skip

    return rule


def _convolution(function: str) -> Callable[[Operation], Call | None]:
    def rule(op: Operation) -> Call:
        return Call(function, [*op.ins, [tuple(w) for w in op.how["windows"]], op.how["groups"]])

    return rule


def _general_convolution(op: Operation) -> Call:
    how = op.how
    specs = [tuple(spec) for spec in how["dimension_numbers"]]
    return Call("general_convolution", [*op.ins, specs, how["window_strides"], how["padding"],
                                        how["lhs_dilation"], how["rhs_dilation"],
                                        how["feature_group_count"]])  # fmt: skip


def _windows(kind: str) -> Callable[[Operation], Call | None]:
    def rule(op: Operation) -> Call:
        how = op.how
        start = {"max": Float("-inf"), "min": Float("inf"), "sum": 0}[kind]
        return Call("reduce_windows", [op.ins[0], kind, how["window_dimensions"],
                                       how["window_strides"], how["padding"],
                                       how["window_dilation"], start])  # fmt: skip

    return rule


_RULES: dict[str, Callable[[Operation], Call | None]] = {
    "argmax": _index("np.argmax"),
    "argmin": _index("np.argmin"),
    "broadcast_in_dim": lambda op: Call(
        "broadcast", [op.ins[0], op.outs[0].shape, op.how["broadcast_dimensions"]]
    ),
    "clamp": lambda op: Call("np.clip", [op.ins[1], op.ins[0], op.ins[2]]),
    "concatenate": lambda op: Call("np.concatenate", [list(op.ins), op.how["dimension"]]),
    "conv_general_dilated": _general_convolution,
    "conv_input": _convolution("transposed_convolution"),
    "conv_output": _convolution("convolution"),
    "convert_element_type": lambda op: Call("np.asarray", [op.ins[0], _dtype(op.outs[0])]),
    "cummax": _cumulation("max"),
    "cummin": _cumulation("min"),
    "cumprod": _cumulation("prod"),
    "cumsum": _cumulation("sum"),
    "dot_general": lambda op: Call("dot", [*op.ins, *op.how["dimension_numbers"]]),
    "dynamic_slice": lambda op: Call(
        "take_slice", [op.ins[0], list(op.ins[1:]), op.how["slice_sizes"]]
    ),
    "dynamic_update_slice": lambda op: Call("put_slice", [*op.ins[:2], list(op.ins[2:])]),
    "expand_dims": _shaped,
    "gather": _gather,
    "integer_pow": lambda op: Call("np.power", [op.ins[0], op.how["y"]]),
    "iota": lambda op: Call(
        "iota", [_dtype(op.outs[0]), op.outs[0].shape, op.how["dimension"]]
    ),
    "pad": lambda op: Call("pad", [*op.ins, [tuple(each) for each in op.how["padding_config"]]]),
    "reduce_and": _reduction("np.all"),
    "reduce_max": _reduction("np.max"),
    "reduce_min": _reduction("np.min"),
    "reduce_or": _reduction("np.any"),
    "reduce_prod": _reduction("np.prod"),
    "reduce_sum": _reduction("np.sum"),
    "reduce_window_max": _windows("max"),
    "reduce_window_min": _windows("min"),
    "reduce_window_sum": _windows("sum"),
    "reshape": _shaped,
    "rev": lambda op: Call("np.flip", [op.ins[0], tuple(op.how["dimensions"])]),
    "round": lambda op: Call(
        "round_half", [op.ins[0], op.how["rounding_method"].name == "TO_NEAREST_EVEN"]
    ),
    "rsqrt": lambda op: Call("np.power", [op.ins[0], -0.5]),
    "scatter": _scatter("set"),
    "scatter-add": _scatter("add"),
    "scatter-max": _scatter("max"),
    "scatter-min": _scatter("min"),
    "scatter-mul": _scatter("mul"),
    "scatter_add": _scatter("add"),
    "scatter_max": _scatter("max"),
    "scatter_min": _scatter("min"),
    "scatter_mul": _scatter("mul"),
    "slice": _slice,
    "sort": lambda op: Call(
        "sort", [list(op.ins), op.how["dimension"], op.how["num_keys"]], several=True
    ),
    "split": _split,
    "squeeze": _shaped,
    "stack": lambda op: Call("np.stack", [list(op.ins), op.how["axis"]]),
    "unstack": lambda op: Call("unstack", [op.ins[0], op.how["axis"]], several=True),
    "transpose": lambda op: Call("np.transpose", [op.ins[0], tuple(op.how["permutation"])]),
}  # fmt: skip
