"""Writing with a language model: one token after the other, in one compiled loop."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from fitwell import activations, compiling
from fitwell.architectures.checks import whole
from fitwell.arguments import whole_number
from fitwell.errors import InvalidArgument, InvalidData
from fitwell.layers import Bidirectional
from fitwell.model import Model
from fitwell.network import Network, pick
from fitwell.types import Array, HostArray, Key, Params, State


def generate(
    model: Model,
    prompt: Any,
    length: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    seed: int = 0,
) -> HostArray:
    """x_(t+1) ~ softmax(scores(x_1 ... x_t) / temperature), `length` times.

    The model sees at most its context: the last tokens of what is written so far. All tokens are
    drawn in one compiled loop; the prompt's length compiles nothing new.

    Args:
        model: maps (context,) ids to (context, vocabulary) logits or probabilities (a softmax at
            its end is left out), each made from the ids up to its own: what `char_rnn` and
            `transformer_lm` return, trained.
        prompt: ids to begin with, (n,) with n >= 1.
        length: how many to add, >= 1.
        temperature: in [0, inf): below 1 more cautious, above 1 bolder; 0 takes the likeliest.
        top_k: draw from the k likeliest only; None from all.
        seed: which of the possible texts.

    Returns:
        the added ids, (length,), int32.

    Raises:
        InvalidArgument: another kind of model, or a value outside its range.
        InvalidData: a prompt that is empty, no row of ids, or has ids the model does not know.

    >>> import fitwell as fw
    >>> model = fw.architectures.char_rnn(5, (8,), context=4, seed=0)
    >>> generate(model, [1, 2], 6).shape
    (6,)
    """
    network = model.network
    shape_in, shape_out = network.input_shapes, network.output_shapes
    fits = len(shape_in) == len(shape_out) == 1 and len(shape_in[0][0]) == 1
    if not fits or len(shape_out[0][0]) != 2 or shape_out[0][0][0] != shape_in[0][0][0]:
        raise InvalidArgument(
            "generate",
            "a model from (context,) ids to (context, vocabulary) scores",
            f"{[s for s, _ in shape_in]} to {[s for s, _ in shape_out]}",
            "Build one with architectures.char_rnn or transformer_lm.",
        )
    for name, layer in network.layers.items():
        if isinstance(layer, Bidirectional):
            cure = "Use a layer that reads forward only: to write is to have no future."
            expected = "a model whose scores depend on the ids so far alone"
            raise InvalidArgument("generate", expected, f"Bidirectional as layer {name}", cure)
    context, vocabulary = shape_out[0][0]
    whole("generate", length=length)
    limit = vocabulary if top_k is None else top_k
    whole("generate", top_k=limit)
    if not 0 <= temperature < math.inf:
        cure = "Pass 1.0, more for bolder text, 0 for the likeliest."
        received = f"temperature={temperature!r}"
        raise InvalidArgument("generate", "a finite temperature >= 0", received, cure)
    ids = _prompt(prompt, vocabulary)[-context:]
    window = np.zeros(context, np.int32)
    window[: len(ids)] = ids
    train = model.train_state
    moved, place, activation = network.logits(0)
    if activations.name_of(activation) == "softmax":
        network = dataclasses.replace(moved, outputs=(place,))
    program = _program(network.program(), length, min(limit, vocabulary))
    key = jax.random.key(whole_number("generate", "seed", seed, 0) % 2**32)
    written = program(train.params, train.state, window, len(ids), np.float32(temperature), key)
    return np.asarray(written)


def _prompt(prompt: Any, vocabulary: int) -> HostArray:
    ids = np.asarray(prompt)
    whole_numbers = ids.ndim == 1 and ids.size and ids.dtype.kind in "iu"
    if not whole_numbers or ids.min() < 0 or ids.max() >= vocabulary:
        raise InvalidData(
            "generate, prompt",
            f"a row of at least one id from 0 to {vocabulary - 1}",
            f"{prompt!r}",
            "Turn the text into the ids that the model was trained on.",
        )
    return ids.astype(np.int32)


@compiling.program()
def _program(network: Network, length: int, top_k: int) -> Any:
    """Compiled: `(params, state, window, filled, temperature, key) -> ids`."""

    def run(
        params: Params, state: State, window: Array, filled: Array, temperature: Array, key: Key
    ) -> Array:
        context = window.shape[0]

        def scores(window: Array) -> Array:
            values, _, _ = network.masked_forward(
                params, state, [window[None]], key=key, train=False
            )
            return pick(values, network.outputs[0])[0]

        def turn(carry: tuple[Array, Array], key: Key) -> tuple[tuple[Array, Array], Array]:
            window, filled = carry
            best, ids = lax.top_k(scores(window)[filled - 1], top_k)
            noise = jax.random.gumbel(key, best.shape)
            drawn = ids[jnp.argmax(best + temperature * noise)].astype(window.dtype)
            full = filled == context
            window = jnp.where(full, jnp.roll(window, -1), window)
            place = jnp.minimum(filled, context - 1)
            return (window.at[place].set(drawn), jnp.minimum(filled + 1, context)), drawn

        keys = jax.random.split(key, length)
        return lax.scan(turn, (window, jnp.asarray(filled)), keys)[1]

    return compiling.compile(run)
