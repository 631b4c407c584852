"""Between a model's parts and its file: the description in the header, the weights as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fitwell import files, tree
from fitwell.catalog import catalog
from fitwell.errors import InvalidArgument, InvalidFile
from fitwell.graph import from_json
from fitwell.network import Network
from fitwell.objectives import Compiled, per_output
from fitwell.optimizers import Optimizer
from fitwell.serialization import Catalog
from fitwell.training import TrainState
from fitwell.types import HostArray


def write_model(
    path: str | Path,
    facts: dict[str, Any],
    network: Network,
    train: TrainState,
    optimizer: Optimizer | None,
    compiled: Compiled | None,
    include_optimizer: bool,
) -> None:
    """Writes everything that `read_model` needs."""
    for name, layer in network.layers.items():
        if not layer.saveable:
            raise InvalidArgument(
                f"save, layer {name} ({type(layer).__name__})",
                "layers that are descriptions",
                "a layer that holds Python code",
                "Write it as a Layer class of your own (5 lines) and load with custom_objects.",
            )
    known = catalog()
    header: dict[str, Any] = {**facts, "network": network.to_json(known)}
    if optimizer is not None and compiled is not None:
        header["compile"] = {
            "optimizer": known.to_json(optimizer),
            "losses": known.to_json(compiled.losses),
            "weights": list(compiled.weights),
            "metrics": known.to_json(compiled.metrics),
            "weighted_metrics": known.to_json(compiled.weighted_metrics),
            "augment": known.to_json(compiled.augment),
        }
    arrays = weights_to_arrays(train)
    arrays["step"] = np.asarray(train.step)
    if include_optimizer:
        leaves = jax.tree.leaves(train.optimizer)
        arrays.update({f"optimizer/{i}": np.asarray(leaf) for i, leaf in enumerate(leaves)})
        arrays["key"] = np.asarray(jax.random.key_data(train.key))
    files.write(path, header, arrays)


def weights_to_arrays(train: TrainState) -> dict[str, HostArray]:
    named = tree.flatten({"params": train.params, "state": train.state})
    return {name: np.asarray(a) for name, a in named.items()}


def write_weights(path: str | Path, train: TrainState) -> None:
    files.write(path, {"kind": "weights"}, weights_to_arrays(train))


def read_weights(path: str | Path, train: TrainState) -> TrainState:
    """`train` with the weights of a file.

    Raises:
        InvalidFile: names or shapes that are not this network's.
    """
    _, arrays = files.read(path)
    return with_weights(str(path), train, arrays)


def with_weights(subject: str, train: TrainState, arrays: dict[str, HostArray]) -> TrainState:
    wanted = tree.flatten({"params": train.params, "state": train.state})
    given = {n: a for n, a in arrays.items() if n.startswith(("params/", "state/"))}
    odd = sorted(set(wanted) ^ set(given))
    odd += [n for n in wanted if n in given and wanted[n].shape != given[n].shape]
    if odd:
        here = f"of shape {given[odd[0]].shape}" if odd[0] in given else "missing"
        need = f"of shape {wanted[odd[0]].shape}" if odd[0] in wanted else "not part of the network"
        cure = "Load it into the model it was saved from."
        raise InvalidFile(subject, f"{odd[0]} {need}", f"{odd[0]} {here}", cure)
    named = {n: jnp.array(given[n], wanted[n].dtype) for n in wanted}
    both = tree.unflatten(named)
    return train._replace(params=both.get("params", {}), state=both.get("state", {}))


def read_header(
    path: str | Path, custom_objects: Any
) -> tuple[dict[str, Any], dict[str, HostArray], Network, Catalog]:
    """Header, arrays and network of a model file.

    Raises:
        InvalidFile: not a model of fitwell.
    """
    header, arrays = files.read(path)
    if header.get("kind") not in ("Model", "Sequential") or "network" not in header:
        cure = "Load a file that model.save wrote; for weights alone use model.load_weights."
        raise InvalidFile(str(path), "a model", f"a file of kind {header.get('kind')!r}", cure)
    known = catalog().with_custom(custom_objects)
    return header, arrays, from_json(header["network"], known), known


def read_compiled(
    header: Mapping[str, Any], network: Network, known: Catalog
) -> tuple[Optimizer, Compiled] | None:
    """What `compile` was told, or None if the model was not compiled."""
    entry = header.get("compile")
    if entry is None:
        return None
    losses, *lists = (known.from_json(entry[k]) for k in ("losses", "metrics", "weighted_metrics"))
    metrics, weighted = ([list(of_output) for of_output in one] for one in lists)
    names = header.get("output_form")
    names = names if isinstance(names, list) else network.output_names
    augment = known.from_json(entry.get("augment", []))
    compiled = per_output(names, list(losses), list(entry["weights"]), metrics, weighted, augment)
    optimizer = known.from_json(entry["optimizer"])
    if not isinstance(optimizer, Optimizer):
        cure = "The file is damaged: save the model again."
        raise InvalidFile("model file", "an optimizer", type(optimizer).__name__, cure)
    return optimizer, compiled


FORMS = ("input_form", "output_form")
"""How the inputs and outputs were given to Model: None (one), "list", or a list of names."""


def read_form(header: Mapping[str, Any], network: Network, side: str) -> Any:
    form, count = header[side], len(network.inputs if side == "input_form" else network.outputs)
    names = isinstance(form, list) and all(isinstance(name, str) for name in form)
    if not (form == "list" or (form is None and count == 1) or (names and len(form) == count)):
        cure = "The file is damaged: save the model again."
        raise InvalidFile("model file", f"{side} for {count} arrays", repr(form), cure)
    return form


def read_optimizer_state(optimizer: Optimizer, learn: Any, arrays: dict[str, HostArray]) -> Any:
    """The optimizer's state; empty, so that fit makes a fresh one, if the file has none for it."""
    given = [
        arrays[f"optimizer/{i}"] for i in range(sum(n.startswith("optimizer/") for n in arrays))
    ]
    leaves, form = jax.tree.flatten(jax.eval_shape(optimizer.init, learn))
    if len(given) != len(leaves) or any(
        a.shape != b.shape for a, b in zip(given, leaves, strict=True)
    ):
        return ()
    return jax.tree.unflatten(
        form, [jnp.array(a, b.dtype) for a, b in zip(given, leaves, strict=True)]
    )
