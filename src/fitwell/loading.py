"""`fitwell.load`: from a file to a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax

from fitwell import saving
from fitwell.model import Model
from fitwell.sequential import Sequential


def load(path: str | Path, custom_objects: Any = None) -> Model:
    """The model that `model.save(path)` wrote, with its weights; compiled if it was.

    Nothing in the file is executed: it can only name fitwell's own classes, and yours if you pass
    them.

    Args:
        path: a safetensors file.
        custom_objects: your own layers and functions: a list, or a dict by name.

    Raises:
        InvalidFile: missing, damaged, foreign or hostile.
    """
    header, arrays, network, known = saving.read_header(path, custom_objects)
    compiled = saving.read_compiled(header, known)
    kind = Sequential if header["kind"] == "Sequential" else Model
    model = kind.from_parts(network, header)
    model.train_state = saving.with_weights(str(path), model.train_state, arrays)
    train = model.train_state
    if "step" in arrays:
        train = train._replace(step=jax.numpy.array(arrays["step"]))
    if compiled is not None:
        model.optimizer, model._compiled = compiled
        learn, _ = network.split_trainable(train.params)
        state = saving.read_optimizer_state(model.optimizer, learn, arrays)
        if state is not None:
            train = train._replace(optimizer=state)
    if "key" in arrays:
        train = train._replace(key=jax.random.wrap_key_data(jax.numpy.array(arrays["key"])))
    model.train_state = train
    return model
