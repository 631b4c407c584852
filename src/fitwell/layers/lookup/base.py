"""What the lookup layers share: the vocabulary, how it is learnt, and what becomes of the ids."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import field
from itertools import chain
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from fitwell.description import changed_fields, check_choice
from fitwell.errors import InvalidArgument, InvalidData, NotReady
from fitwell.layers.base import Layer, Symbol, describe
from fitwell.layers.lookup.vocabulary import Special, checked_terms, checked_weights
from fitwell.types import Array, HostArray, Key, Params, Shape, State

_SHOWN = 5  # terms of a vocabulary that `repr` lists


class Lookup(Layer):
    """The base of the lookup layers, not used by itself.

    `encode` turns values into ids on the host, so that text never enters a compiled program;
    `forward` makes indicators of the ids, if they are wanted. The vocabulary is part of the
    description, and so of the model file; compiled code does not depend on it, only on how long
    it is where indicators are returned.
    """

    max_tokens: int | None = None
    vocabulary: Any = field(default=None, kw_only=True)
    idf_weights: Any = field(default=None, kw_only=True)
    output_mode: str = field(default="int", kw_only=True)
    pad_to_max_tokens: bool = field(default=False, kw_only=True)
    sparse: bool = field(default=False, kw_only=True)

    on_host: ClassVar[bool] = True
    modes: ClassVar[tuple[str, ...]] = ("int", "one_hot", "multi_hot", "count", "tf_idf")
    kind: ClassVar[type] = str
    """The type of the vocabulary's terms."""
    without_special: ClassVar[Mapping[str, Any]] = {}
    """Arguments of a layer that reserves as few ids as it can."""

    def validate(self) -> None:
        check_choice(self, "output_mode", self.modes)
        if self.sparse:
            self._refuse("sparse=False", "sparse=True", "Arrays are dense here: leave it out.")
        owner, limit, reserved = type(self).__name__, self.max_tokens, self._reserved()
        start = len(reserved)
        if limit is not None and (type(limit) is not int or limit <= start):
            expected = f"max_tokens to be None or a whole number > {start}"
            cure = f"{start} of its places are taken by what is no term: choose a larger one."
            self._refuse(expected, f"max_tokens={limit!r}", cure)
        if self.pad_to_max_tokens and limit is None:
            cure = "Pass max_tokens too."
            self._refuse("max_tokens, to pad to it", "pad_to_max_tokens=True alone", cure)
        if self.idf_weights is not None and self.output_mode != "tf_idf":
            cure = 'Leave them out, or write output_mode="tf_idf".'
            received = f"them with output_mode={self.output_mode!r}"
            self._refuse('idf_weights with output_mode="tf_idf" only', received, cure)
        if self.vocabulary is not None:
            terms = checked_terms(owner, self.vocabulary, self.kind, reserved, self.forbidden)
            object.__setattr__(self, "vocabulary", terms)
            if limit is not None and start + len(terms) > limit:
                cure = "Raise max_tokens, or leave the rarest terms out."
                received = f"{start + len(terms)}"
                self._refuse(f"at most max_tokens={limit} tokens", received, cure)
        checked_weights(owner, self.output_mode, self.idf_weights, self.vocabulary, start)

    # What a kind of lookup defines

    @property
    def special(self) -> Special:
        """The tokens that are no terms."""
        raise NotImplementedError

    @property
    def forbidden(self) -> tuple[Any, ...]:
        """Special tokens that no term may equal."""
        return (self.special.mask,)

    def read(self, subject: str, values: Any) -> HostArray:
        """What a user passes as an array of the vocabulary's type."""
        raise NotImplementedError

    def documents(self, values: HostArray) -> list[list[Any]]:
        """The tokens of each row."""
        raise NotImplementedError

    # The vocabulary

    @property
    def _start(self) -> int:
        """The id of the first term."""
        return len(self._reserved())

    def _reserved(self) -> list[Any]:
        """The tokens before the first term, in the order of their ids."""
        mask, oov, count = self.special
        return [mask] * self._masks + [oov] * count

    @property
    def _masks(self) -> bool:
        """Whether id 0 stands for the mask token."""
        return self.special.mask is not None and self.output_mode == "int"

    def _terms(self) -> tuple[Any, ...]:
        if self.vocabulary is None:
            own = f'model["{self.name}"]' if self.name else "the layer"
            raise NotReady(
                describe(self),
                "a vocabulary",
                "none so far",
                f"Call adapt(data) of {own} first, or pass vocabulary=[...].",
            )
        return self.vocabulary

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The terms in the order of their ids; with the special tokens, the place is the id."""
        terms = list(self._terms())
        return [*self._reserved(), *terms] if include_special_tokens else terms

    def vocabulary_size(self) -> int:
        """How many ids there are, special tokens included."""
        return self._start + len(self._terms())

    @property
    def depth(self) -> int:
        """How many indicators there are."""
        if self.pad_to_max_tokens and self.max_tokens is not None:
            return self.max_tokens
        return self.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Sets the terms of this very layer, as `adapt` does, before its model is built.

        Raises:
            InvalidArgument: as for the arguments `vocabulary` and `idf_weights`.
        """
        fresh = dataclasses.replace(self, vocabulary=vocabulary, idf_weights=idf_weights)
        for name in ("vocabulary", "idf_weights"):
            object.__setattr__(self, name, getattr(fresh, name))
        self.__dict__.pop("_ids", None)

    def adapt(self, data: Any) -> None:
        """Makes the terms of data the vocabulary: the most frequent first, ties from z to a.

        As Normalization.adapt: the fields of this very layer are set. A vocabulary that was there
        is replaced. With `max_tokens`, the rarest terms are left out. With `output_mode="tf_idf"`
        the weight of a term is log(1 + rows / (1 + rows that have it)).

        Args:
            data: an array-like or a column of a frame, or an iterable of such chunks.

        Raises:
            InvalidData: values of another type, missing values, or no term at all.
        """
        counts, holders, rows = Counter[Any](), Counter[Any](), 0
        for chunk in _chunks(data):
            found = self.documents(self.read(f"{describe(self)}, adapt", chunk))
            counts.update(chain.from_iterable(found))
            rows += len(found)
            if self.output_mode == "tf_idf":
                holders.update(chain.from_iterable(map(set, found)))
        for token in self.special[:2]:
            counts.pop(token, None)
        if not counts:
            cure = "Check where the data come from."
            raise InvalidData(describe(self), "data to adapt to", "no term at all", cure)
        terms = sorted(counts, key=lambda term: (counts[term], term), reverse=True)
        if self.max_tokens is not None:
            terms = terms[: self.max_tokens - self._start]
        weights = [math.log(1 + rows / (1 + holders[term])) for term in terms]
        self.set_vocabulary(terms, weights if self.output_mode == "tf_idf" else None)

    @functools.cached_property
    def _ids(self) -> dict[Any, int]:
        """The id of each term, and of the mask token: -1 where that is left out."""
        ids = {term: i for i, term in enumerate(self._terms(), self._start)}
        if self.special.mask is not None:
            ids[self.special.mask] = 0 if self._masks else -1
        return ids

    # On the device

    def init_state(self, shape: Shape) -> State:
        if self.output_mode != "tf_idf":
            return {}
        weights = np.zeros(self.depth, np.float32)
        if self.vocabulary is not None:
            given = np.asarray(self.idf_weights, np.float64)
            first = self._start if len(given) == len(self.vocabulary) else 0
            weights[:first] = given.mean()  # of unknown values nothing is known: the average
            weights[first : first + len(given)] = given
        return {"idf_weights": jnp.asarray(weights)}

    def forward(
        self, params: Params, state: State, x: Array, *, key: Key, train: bool
    ) -> tuple[Array, State]:
        y = self.indicate(x)
        return (y * state["idf_weights"] if self.output_mode == "tf_idf" else y), state

    def indicate(self, ids: Array) -> Array:
        """The ids as they are, or indicators of them; -1 has none."""
        if self.output_mode == "int":
            return ids.astype(jnp.int32)
        one = self.output_mode == "one_hot"
        if one and ids.ndim > 1 and ids.shape[-1] == 1:
            ids = ids[..., 0]
        hot: Array = jax.nn.one_hot(ids, self.depth)
        if one or ids.ndim == 1:
            return hot
        total = hot.sum(axis=-2)
        return jnp.minimum(total, 1) if self.output_mode == "multi_hot" else total

    def program(self) -> Layer:
        """Without the vocabulary: only how many indicators there are is compiled in."""
        if self.output_mode == "int":
            return type(self)(name=self.name, trainable=self.trainable)
        return type(self)(
            self.depth,
            output_mode=self.output_mode,
            pad_to_max_tokens=True,
            name=self.name,
            trainable=self.trainable,
            **self.without_special,
        )

    def __repr__(self) -> str:
        """As of every description, with long tuples cut."""
        short = []
        for name, value in changed_fields(self).items():
            text = repr(value)
            if isinstance(value, tuple) and len(value) > _SHOWN:
                text = f"({', '.join(map(repr, value[:_SHOWN]))}, ... {len(value)} in all)"
            short.append(f"{name}={text}")
        return f"{type(self).__name__}({', '.join(short)})"

    # On arrays

    def __call__(self, inputs: Any) -> Any:
        """Adds the layer to a graph; of values themselves it returns what it makes of them."""
        several = inputs if isinstance(inputs, list | tuple) else [inputs]
        if any(isinstance(item, Symbol) for item in several):
            return super().__call__(inputs)
        return self.looked_up(inputs)

    def looked_up(self, values: Any) -> HostArray:
        """The output for values of users', as an array of the host."""
        array = self.read(describe(self), values)
        self.check_data("", array)
        ids = jnp.asarray(self.encode(array))
        state = self.init_state(array.shape[1:])
        return np.asarray(self.forward({}, state, ids, key=jax.random.key(0), train=False)[0])

    def _refuse(self, expected: str, received: str, cure: str) -> None:
        raise InvalidArgument(type(self).__name__, expected, received, cure)


def _chunks(data: Any) -> Iterable[Any]:
    array_like = hasattr(data, "__array__") or hasattr(data, "collect")
    whole = isinstance(data, list | tuple | str | bytes) or array_like
    return [data] if whole or not hasattr(data, "__iter__") else data


__all__ = ["Lookup"]
