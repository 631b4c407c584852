"""A fit whose loss or weights became NaN or infinite: where it came from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from fitwell.doctor.address import Address
from fitwell.doctor.record import Record
from fitwell.doctor.rules.base import CRITICAL, FILL, INFO, Suspicion, suspect

_SLOWER = "optimizer=fw.optimizers.Adam(1e-3), with inputs and targets of size 1"
_DIVIDE = "x / jnp.where(y == 0, 1, y)  # keeps the divisor away from 0"
_DOMAIN: dict[str, tuple[Callable[..., bool], str]] = {
    "acos": (lambda x: abs(x) < 1, "jnp.arccos(jnp.clip(x, -1 + 1e-6, 1 - 1e-6))"),
    "acosh": (lambda x: x > 1, "jnp.arccosh(jnp.maximum(x, 1 + 1e-6))"),
    "asin": (lambda x: abs(x) < 1, "jnp.arcsin(jnp.clip(x, -1 + 1e-6, 1 - 1e-6))"),
    "atanh": (lambda x: abs(x) < 1, "jnp.arctanh(jnp.clip(x, -1 + 1e-6, 1 - 1e-6))"),
    "div": (lambda x, y: y != 0, _DIVIDE),
    "integer_pow": (lambda x, p: x != 0 or p >= 0, _DIVIDE),
    "log": (lambda x: x > 0, "jnp.log(jnp.maximum(x, 1e-6))"),
    "log1p": (lambda x: x > -1, "jnp.log1p(jnp.maximum(x, -1 + 1e-6))"),
    "pow": (lambda x, p: x > 0, "jnp.maximum(x, 1e-6) ** p"),
    "rsqrt": (lambda x: x > 0, "jax.lax.rsqrt(jnp.maximum(x, 1e-6))"),
    "sqrt": (lambda x: x > 0, "jnp.sqrt(jnp.maximum(x, 1e-6))"),
}
"""Operations without a value, or a slope, for some numbers: for which they have one; a cure."""
_ORDINARY = 1e6  # of this size a number is none of a fit that diverges
_SIGNS = {"add": "+", "add_any": "+", "div": "/", "mul": "*", "pow": "**", "sub": "-"}
_WORDS = {
    "conv_general_dilated": "a convolution",
    "dot_general": "a matrix product",
    "reduce_prod": "a product",
    "reduce_sum": "a sum",
    "scan": "the loop over steps",
}


def rules(record: Record) -> Iterator[Suspicion]:
    run = record.run
    if run is None or not run.diverged:
        return
    found = run.address
    if found is None:
        first = next(i for i, loss in enumerate(run.losses) if not math.isfinite(loss))
        yield _nan(Address("loss", run.losses[first], first + 1))
        return
    if found.place == "input":
        yield _in_data(found)
    yield _nan(found)


def _nan(found: Address) -> Suspicion:
    domain = _outside(found)
    return suspect(
        "nan",
        sentence(found),
        _DOMAIN[found.operation][1] if domain else _SLOWER,
        *_evidence(found),
        severity=CRITICAL if domain else INFO,
        strength=0.9 if domain else 0.4,
        layer=found.layer,
    )


def _in_data(found: Address) -> Suspicion:
    where = f" in feature {_numbers(found.feature)}" if found.feature else ""
    return suspect(
        "nan_in_data",
        f"Row {found.row} of the data holds {_text(found.result)}{where}: it made the"
        f" {found.what} {_kind(found)} in epoch {found.epoch}, step {found.step}.",
        FILL,
        *_evidence(found),
        severity=CRITICAL,
        strength=0.1,
    )


def _outside(found: Address) -> bool:
    """Whether the operation has no value there, and the numbers are none of a fit that diverges."""
    if found.operation not in _DOMAIN or _DOMAIN[found.operation][0](*found.operands):
        return False
    first = (found.epoch, found.step) == (1, 1)
    return first or all(abs(one) < _ORDINARY for one in found.operands)


def sentence(found: Address) -> str:
    """What happened, where, and what was done about it.

    >>> sentence(Address("loss", math.nan, 3, 5, 2, "forward", "lambda", 17, (), "log", (-1.0,),
    ...                  math.nan))
    'The loss became NaN in epoch 3, step 5: log(-1) = NaN in layer lambda, row 17 of the data. \
The weights are those after epoch 2.'
    """
    step = "" if found.step is None else f", step {found.step}"
    text = f"The {found.what} became {_kind(found)} in epoch {found.epoch}{step}"
    if found.place:
        text += f": {_where(found)}"
        if found.row is not None:
            text += f", row {found.row} of the data"
    text += "." if not found.unknown else f"; where is not known: {found.unknown}."
    if found.step is None and not found.unknown:
        return text  # nobody watched
    return f"{text} The weights are those {_before(found.good)}."


def _kind(found: Address) -> str:
    return "NaN" if math.isnan(found.value) else "infinite"


def _before(good: int) -> str:
    return f"after epoch {good}" if good else "before the fit"


def _where(found: Address) -> str:
    layer = "the loss" if found.layer is None else f"layer {found.layer}"
    if found.place == "input":
        return f"the input holds {_text(found.result)}"
    if found.place == "before":
        return f"{layer} held {_text(found.result)} before"
    operation = f"{_operation(found)} in " if found.operation else ""
    owner = {
        "forward": layer,
        "backward": f"the gradient of {layer}",
        "update": f"the update of {layer}",
    }[found.place]
    return operation + owner


def _operation(found: Address) -> str:
    """`log(-1) = NaN`, `0 / 0 = NaN`, `a matrix product of numbers up to 1e+38 = infinity`."""
    numbers = [_text(one) for one in found.operands]
    name = found.operation
    if name in ("integer_pow", "square"):
        left = " ** ".join(numbers)
    elif name in _SIGNS and len(numbers) == 2:
        left = f"{numbers[0]} {_SIGNS[name]} {numbers[1]}"
    elif name in _WORDS:
        largest = max((abs(one) for one in found.operands), default=0.0)
        left = f"{_WORDS[name]} of numbers up to {_text(largest)}"
    else:
        left = f"{name}({', '.join(numbers)})"
    return f"{left} = {_text(found.result)}"


def _text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "infinity" if value > 0 else "-infinity"
    return f"{value:.4g}"


def _numbers(place: tuple[int, ...]) -> str:
    return ", ".join(map(str, place))


def _evidence(found: Address) -> Iterator[tuple[str, float | str]]:
    yield "epoch", found.epoch
    if found.step is not None:
        yield "step of the epoch", found.step
    if found.row is not None:
        yield "row of the data", found.row
    if found.place:
        yield "where", found.place
    if found.operation:
        yield "operation", _operation(found)
