"""Frozen descriptions: the one base of layers, losses, metrics, optimizers and the rest.

A description holds hyper-parameters and no arrays. It is equal to another with the same values,
hashes by value (so equal models share compiled code) and is written to JSON and read back.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar, dataclass_transform

import numpy as np

from fitwell.errors import (
    FrozenDescription,
    InvalidArgument,
    InvalidFile,
    UnknownArgument,
    UnknownName,
    did_you_mean,
)

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
class Description:
    """A frozen dataclass by inheritance: fields are written as annotations, nothing else.

    Lists become tuples and dicts tuples of pairs, so that every description hashes. A subclass
    checks its values in `validate`.

    >>> class Scale(Description):
    ...     factor: float = 1.0
    >>> Scale(2.0)
    Scale(factor=2.0)
    >>> Scale(2.0) == Scale(factor=2.0), hash(Scale(2.0)) == hash(Scale(2.0))
    (True, True)
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclasses.dataclass(frozen=True, repr=False)(cls)
        cls.__init__ = _checked_init(cls)  # type: ignore[method-assign]
        cls.__setattr__ = _refuse_change  # type: ignore[method-assign]
        cls.__delattr__ = _refuse_change  # type: ignore[method-assign]

    def __post_init__(self) -> None:
        self.validate()

    def validate(self) -> None:
        """Raises InvalidArgument if a value is not allowed."""

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in changed_fields(self).items())
        return f"{type(self).__name__}({arguments})"


def changed_fields(description: Description) -> dict[str, Any]:
    """The fields that differ from their default, and those without a default."""
    result = {}
    for field in dataclasses.fields(description):  # type: ignore[arg-type]
        value = getattr(description, field.name)
        if field.init and (field.default is dataclasses.MISSING or value != field.default):
            result[field.name] = value
    return result


def _checked_init(cls: type) -> Callable[..., None]:
    generated = cls.__init__  # type: ignore[misc]
    fields = [f for f in dataclasses.fields(cls) if f.init]
    names = [f.name for f in fields]
    positional = [f.name for f in fields if not f.kw_only]
    required = [
        f.name
        for f in fields
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]

    @functools.wraps(generated)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        check_arguments(cls.__name__, kwargs, names)
        if len(args) > len(positional):
            raise UnknownArgument(
                cls.__name__,
                f"at most {len(positional)} arguments without a name ({', '.join(positional)})",
                f"{len(args)}",
                "Name the others.",
            )
        missing = [n for n in required if n not in kwargs and n not in positional[: len(args)]]
        if missing:
            raise UnknownArgument(
                cls.__name__,
                f"the argument {missing[0]}",
                "none",
                f"Write {cls.__name__}({missing[0]}=...).",
            )
        generated(
            self, *(freeze(a) for a in args), **{name: freeze(a) for name, a in kwargs.items()}
        )

    return init


def _refuse_change(self: Any, name: str, value: Any = None) -> None:
    raise FrozenDescription(
        type(self).__name__,
        "no change after it was made (it is a frozen description)",
        f"an assignment to .{name}",
        f"Make a new one with the value you want, or, if it is part of a model, "
        f'set it on the model\'s own layer: model["name"].{name} = ....',
    )


def check_arguments(subject: str, received: Mapping[str, Any], allowed: list[str]) -> None:
    """Raises UnknownArgument with the nearest right name for the first unknown one."""
    for name in received:
        if name not in allowed:
            raise UnknownArgument(
                subject,
                "an argument it knows",
                f"{name}={received[name]!r}",
                did_you_mean(name, allowed),
            )


def freeze(value: Any) -> Any:
    """The hashable form of a value: lists, dicts, sets and arrays become tuples."""
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    if isinstance(value, Mapping):
        return tuple((freeze(key), freeze(item)) for key, item in value.items())
    if isinstance(value, set | frozenset):
        return tuple(sorted((freeze(item) for item in value), key=repr))
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) or (hasattr(value, "__array__") and hasattr(value, "tolist")):
        return freeze(np.asarray(value).tolist())
    return value


def resolve(subject: str, identifier: Any, table: Mapping[str, T], aliases: Any = None) -> T:
    """The entry of `table` that a name stands for; anything that is no name is returned as it is.

    Names are compared without regard to case, `_` and `-`, so that `"MeanSquaredError"`,
    `"mean_squared_error"` and `"mean-squared-error"` are one.
    """
    if not isinstance(identifier, str):
        return identifier

    def simple(name: str) -> str:
        return name.lower().replace("_", "").replace("-", "")

    names = {simple(name): value for name, value in table.items()}
    if simple(identifier) not in names:
        raise UnknownName(
            subject, "a name it knows", repr(identifier), did_you_mean(identifier, table)
        )
    return names[simple(identifier)]


# Checks that many descriptions share. Each returns nothing and raises InvalidArgument.


def check_positive_int(owner: Description, *names: str) -> None:
    for name in names:
        value = getattr(owner, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            _invalid(owner, f"{name} to be a whole number >= 1", name, f"Pass {name}=1 or more.")


def check_number(
    owner: Description,
    name: str,
    low: float = -float("inf"),
    high: float = float("inf"),
    *,
    open_low: bool = False,
    open_high: bool = False,
) -> None:
    """`low <= value <= high`, or `<` at an end that is open."""
    value = getattr(owner, name)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    inside = (
        number
        and (value > low if open_low else value >= low)
        and (value < high if open_high else value <= high)
    )
    if not inside:
        span = f"{'(' if open_low else '['}{low:g}, {high:g}{')' if open_high else ']'}"
        _invalid(owner, f"{name} to be a number in {span}", name, f"Choose {name} inside it.")


def check_choice(owner: Description, name: str, choices: tuple[Any, ...]) -> None:
    value = getattr(owner, name)
    if value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        cure = did_you_mean(value, map(str, choices)) if isinstance(value, str) else "Choose one."
        _invalid(owner, f"{name} to be one of {listed}", name, cure)


def _invalid(owner: Description, expected: str, name: str, cure: str) -> None:
    received = f"{name}={getattr(owner, name)!r}"
    raise InvalidArgument(type(owner).__name__, expected, received, cure)


# JSON


class Catalog:
    """The classes and functions a JSON description may name: nothing else is ever looked up.

    Args:
        entries: `{"layers.Dense": Dense, "activations.relu": relu, ...}`.
    """

    custom: ClassVar[str] = "custom."
    not_finite: ClassVar[tuple[str, ...]] = ("inf", "-inf", "nan")

    def __init__(self, entries: Mapping[str, Any]) -> None:
        self.entries = dict(entries)
        self.names = {value: name for name, value in reversed(self.entries.items())}

    def with_custom(self, objects: Any) -> Catalog:
        """The same with a user's own classes and functions, given as a dict or a list."""
        named: Any = objects or {}
        if isinstance(named, list | tuple):
            named = {getattr(value, "__name__", ""): value for value in named}
        if not isinstance(named, Mapping) or not all(map(callable, named.values())):
            raise InvalidArgument(
                "custom_objects",
                "a list of classes and functions, or a dict of them by name",
                repr(objects),
                "Write custom_objects=[MyLayer].",
            )
        extra = {f"{self.custom}{name}": value for name, value in named.items()}
        return Catalog({**self.entries, **extra})

    def to_json(self, value: Any) -> Any:
        """A description (or a plain value, or a function) as what `json.dumps` takes."""
        if isinstance(value, Description):
            fields = {k: self.to_json(v) for k, v in changed_fields(value).items()}
            return {"class": self._name(type(value)), **({"args": fields} if fields else {})}
        if isinstance(value, tuple | list):
            return [self.to_json(item) for item in value]
        if callable(value):
            return {"function": self._name(value)}
        if isinstance(value, float) and not np.isfinite(value):
            return {"number": str(value)}
        return value

    def from_json(self, data: Any) -> Any:
        """The inverse of `to_json`; never imports or runs anything that is not in the catalog."""
        if isinstance(data, list):
            return tuple(self.from_json(item) for item in data)
        if not isinstance(data, dict):
            return data
        if data.get("number") in self.not_finite:
            return float(data["number"])
        name = data.get("class", data.get("function"))
        found = self.entries.get(name) if isinstance(name, str) else None
        if found is None:
            raise InvalidFile("model file", *self._unknown(str(name)))
        if "function" in data:
            return found
        args = data.get("args", {})
        if not isinstance(args, dict) or not (
            isinstance(found, type) and issubclass(found, Description)
        ):
            raise InvalidFile(
                "model file", "a class with named arguments", repr(name), "Save the model again."
            )
        return found(**{key: self.from_json(value) for key, value in args.items()})

    def _name(self, value: Any) -> str:
        if value in self.names:
            return self.names[value]
        name = getattr(value, "__name__", "")
        if not name.isidentifier():
            raise InvalidArgument(
                "save",
                "classes and functions with a name",
                repr(value),
                "Give the function a name with def, and pass it to load as custom_objects.",
            )
        return f"{self.custom}{name}"

    def _unknown(self, name: str) -> tuple[str, str, str]:
        if name.startswith(self.custom):
            own = name.removeprefix(self.custom)
            cure = f"Pass your own {own}: load(path, custom_objects=[{own}])."
            return "only classes and functions it can find", repr(own), cure
        cure = "The file is from another version or not from fitwell."
        return "only classes and functions of fitwell", repr(name), cure
