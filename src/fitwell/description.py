"""Frozen descriptions: the one base of layers, losses, metrics, optimizers and the rest.

A description holds hyper-parameters and no arrays. It is equal to another with the same values,
hashes by value, so that equal models share compiled code. `serialization.py` writes it to JSON.
"""

from __future__ import annotations

import dataclasses
import inspect
import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, dataclass_transform

import numpy as np

from fitwell.errors import (
    FrozenDescription,
    InvalidArgument,
    UnknownArgument,
    answer,
    did_you_mean,
)
from fitwell.habits import cure_of, cure_of_attribute

D = TypeVar("D", bound="Description")


class _SignatureOfClass:
    """What `help` and `inspect.signature` show of a description's class: its fields."""

    def __get__(self, instance: Any, owner: type) -> inspect.Signature:
        if instance is not None:
            raise AttributeError("__signature__")  # a loss that can be called has its own
        if not dataclasses.is_dataclass(owner):  # `help` asks the base class, too
            raise AttributeError("__signature__")
        return inspect.Signature(
            [
                inspect.Parameter(
                    field.name,
                    inspect.Parameter.KEYWORD_ONLY
                    if field.kw_only
                    else inspect.Parameter.POSITIONAL_OR_KEYWORD,
                    default=inspect.Parameter.empty if _is_required(field) else field.default,
                    annotation=field.type,
                )
                for field in sorted(
                    dataclasses.fields(owner), key=lambda field: bool(field.kw_only)
                )
                if field.init
            ]
        )


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

    __signature__: ClassVar[Any] = _SignatureOfClass()
    _values: ClassVar[Any]
    """The values of all fields, in order: what makes two descriptions equal."""

    habits: ClassVar[Mapping[str, str]] = {
        "__init__": "Write `units: int = 3` in the class body; check the values in validate(self)."
    }
    """Methods that other libraries have and subclasses here do not define, each with its cure."""

    cure_of_change: ClassVar[str] = (
        "Make a new one with the value you want, or, if it is part of a model, "
        'set it on the model\'s own layer: model["name"].{name} = ....'
    )
    """What to do in place of an assignment to a field called `name`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _refuse_habits(cls)
        # dataclass only collects the fields: the methods it would compile for every class, which
        # takes most of the time that `import fitwell` does, are written once below.
        dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
        names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
        cls._values = staticmethod(operator.attrgetter(*names) if names else lambda _: ())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        fields = dataclasses.fields(self)  # type: ignore[arg-type]
        given = _by_name(type(self).__name__, fields, args, kwargs)
        for field in fields:
            if field.name in given:
                object.__setattr__(self, field.name, freeze(given[field.name]))
                if field.type in ("bool", bool):  # "no" would count as True
                    check_choice(self, field.name, (True, False))
            elif field.default is not dataclasses.MISSING:
                object.__setattr__(self, field.name, field.default)
            elif field.default_factory is not dataclasses.MISSING:
                object.__setattr__(self, field.name, freeze(field.default_factory()))
        self.__post_init__()

    def __post_init__(self) -> None:
        self.validate()

    def validate(self) -> None:
        """Raises InvalidArgument if a value is not allowed."""

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in changed_fields(self).items())
        return f"{type(self).__name__}({arguments})"

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if other.__class__ is not self.__class__:
            return NotImplemented
        return bool(self._values(self) == self._values(other))

    def __hash__(self) -> int:
        return hash(self._values(self))

    if not TYPE_CHECKING:  # which otherwise took every name for right
        __getattr__ = answer(cure_of_attribute)

    def __setattr__(self, name: str, value: Any) -> None:
        self._refuse_change(name)

    def __delattr__(self, name: str) -> None:
        self._refuse_change(name)

    def _refuse_change(self, name: str) -> None:
        raise FrozenDescription(
            type(self).__name__,
            "no change after it was made (it is a frozen description)",
            f"an assignment to .{name}",
            self.cure_of_change.format(name=name),
        )


def _refuse_habits(cls: type[Description]) -> None:
    for name in cls.habits:
        if name in vars(cls):
            raise InvalidArgument(
                cls.__name__,
                "its fields as annotations in the class body"
                if name == "__init__"
                else "the methods of its base class",
                f"a method {name}",
                cls.habits[name],
            )


def changed_fields(description: Description) -> dict[str, Any]:
    """The fields that differ from their default, and those without a default."""
    result = {}
    for field in dataclasses.fields(description):  # type: ignore[arg-type]
        value = getattr(description, field.name)
        if field.init and (field.default is dataclasses.MISSING or value != field.default):
            result[field.name] = value
    return result


def _by_name(
    subject: str,
    fields: tuple[dataclasses.Field[Any], ...],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> dict[str, Any]:
    """The arguments of a constructor by name, none unknown, given twice or missing."""
    check_arguments(subject, kwargs, [field.name for field in fields if field.init])
    positional = [field.name for field in fields if field.init and not field.kw_only]
    if len(args) > len(positional):
        raise UnknownArgument(
            subject,
            f"at most {len(positional)} arguments without a name ({', '.join(positional)})",
            f"{len(args)}",
            "Name the others.",
        )
    given = dict(zip(positional, args, strict=False))
    for name in given.keys() & kwargs.keys():
        received = f"{given[name]!r} and {name}={kwargs[name]!r}"
        raise UnknownArgument(subject, f"{name} once", received, "Leave one of them out.")
    given |= kwargs
    for field in fields:
        if field.name not in given and _is_required(field):
            cure = f"Write {subject}({field.name}=...)."
            raise UnknownArgument(subject, f"the argument {field.name}", "none", cure)
    return given


def _is_required(field: dataclasses.Field[Any]) -> bool:
    missing = dataclasses.MISSING
    return field.init and field.default is missing and field.default_factory is missing


def check_arguments(subject: str, received: Mapping[str, Any], allowed: list[str]) -> None:
    """Raises UnknownArgument with the nearest right name for the first unknown one."""
    for name in received:
        if name not in allowed:
            raise UnknownArgument(
                subject,
                "an argument it knows",
                f"{name}={received[name]!r}",
                _cure_of_unknown(subject, name, allowed),
            )


def _cure_of_unknown(subject: str, name: str, allowed: list[str]) -> str:
    if name == "lr" and "learning_rate" in allowed:  # too short to look alike
        return "Did you mean learning_rate?"
    return cure_of(subject, name) or did_you_mean(name, allowed)


_PLAIN = {str, int, float, bool, type(None)}


def freeze(value: Any) -> Any:
    """The hashable form of a value: lists, dicts, sets and arrays become tuples."""
    if isinstance(value, list | tuple):
        if set(map(type, value)) <= _PLAIN:  # a vocabulary may have 100,000 entries
            return tuple(value)
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


# Checks that many descriptions share. Each returns nothing and raises InvalidArgument.


def check_positive_int(owner: Description, *names: str) -> None:
    for name in names:
        value = getattr(owner, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            _invalid(owner, f"{name} to be a whole number >= 1", name, f"Pass {name}=1 or more.")


def unchecked(description: D, kind: Any = None, /, **values: Any) -> D:
    """A copy with other values of some fields, which may be traced: `validate` does not see them.

    For what was checked before, inside a program. `kind` is a subclass with more fields.
    """
    copy: D = object.__new__(kind or type(description))
    for field in dataclasses.fields(copy):  # type: ignore[arg-type]
        value = values[field.name] if field.name in values else getattr(description, field.name)
        object.__setattr__(copy, field.name, value)
    return copy


def is_zero(value: Any) -> bool:
    """Whether a hyper-parameter is the number 0, so that what it scales can be left out.

    False for a traced one, which differs between the lanes of a population.
    """
    return isinstance(value, int | float) and value == 0


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
