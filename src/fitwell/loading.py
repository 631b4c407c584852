"""`fitwell.load`: from a file to a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from fitwell import saving
from fitwell.errors import InvalidFile
from fitwell.model import Model
from fitwell.network import Network
from fitwell.sequential import Sequential
from fitwell.serialization import Catalog
from fitwell.training import TrainState, noise_key
from fitwell.types import HostArray


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
    try:
        return _model(str(path), header, arrays, network, known)
    except InvalidFile:
        raise
    except Exception as error:  # whatever false values make the parts raise
        cure = "The file is damaged: save the model again."
        received = f"{type(error).__name__}: {error}"
        raise InvalidFile(str(path), "the description of a model", received, cure) from error


def _model(
    path: str,
    header: Mapping[str, Any],
    arrays: dict[str, HostArray],
    network: Network,
    known: Catalog,
) -> Model:
    key = noise_key(jax.random.key(int(header["seed"])))
    if "key" in arrays:
        shape = jax.random.key_data(key).shape
        key = jax.random.wrap_key_data(jnp.array(arrays["key"]).reshape(shape))
    # Shapes alone: a file that claims a gigantic layer is found out before memory is taken.
    params, state = network.weight_shapes
    step = jnp.array(int(arrays["step"]), jnp.int32)
    train = saving.with_weights(path, TrainState(params, state, (), key, step), arrays)
    compiled = saving.read_compiled(header, network, known)
    if compiled is not None:
        learn, _ = network.split_trainable(train.params)
        train = train._replace(optimizer=saving.read_optimizer_state(compiled[0], learn, arrays))
    kind = Sequential if header["kind"] == "Sequential" else Model
    facts = {**header, **{side: saving.read_form(header, network, side) for side in saving.FORMS}}
    model = kind.from_parts(network, facts, train)
    if compiled is not None:
        model.optimizer, model._compiled = compiled
    return model
