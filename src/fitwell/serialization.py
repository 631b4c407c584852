"""Descriptions as JSON and back: what a file may name is listed, and nothing else is looked up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from fitwell.description import Description, changed_fields
from fitwell.errors import InvalidArgument, InvalidFile


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
