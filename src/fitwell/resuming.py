"""What a killed fit needs to go on bit for bit: everything that the next step depends on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fitwell import tree
from fitwell.callbacks import Callback
from fitwell.errors import InvalidFile
from fitwell.fitting import Fit
from fitwell.replaying import Trainee
from fitwell.training import TrainState
from fitwell.types import HostArray


def checkpoint(
    model: Trainee, fit: Fit, callbacks: Sequence[Callback]
) -> tuple[dict[str, HostArray], dict[str, Any]]:
    """Arrays by name, and facts as JSON values."""
    position = fit.position
    arrays: dict[str, Any] = {
        **_numbered("train", bare(model.train_state)),
        **_numbered("totals", position.totals),
    }
    for label, parts in position.collected.items():
        for name in parts[0]:
            arrays[f"collected/{label}/{name}"] = np.concatenate([p[name] for p in parts])
    states = []
    for i, callback in enumerate(callbacks):
        state = callback.get_state()
        for name, value in state.items():
            if _holds_arrays(value):
                arrays.update({f"callback/{i}/{name}/{j}": a for j, a in enumerate(value)})
        kept = {k: v for k, v in state.items() if not _holds_arrays(v)}
        states.append({"kind": type(callback).__name__, "state": kept})
    facts = {
        "epoch": position.epoch,
        "step": position.step,
        "data_epoch": position.data_epoch,
        "epochs_trained": model.epochs_trained,
        "seed": model.seed,
        "learning_rate": model.learning_rate_override,
        "history": fit.history.to_json(),
        "callbacks": states,
        "structure": str(jax.tree.structure(model.train_state)),
    }
    return {name: np.array(a) for name, a in arrays.items()}, facts


def resume(
    model: Trainee,
    fit: Fit,
    callbacks: Sequence[Callback],
    arrays: dict[str, HostArray],
    facts: dict[str, Any],
) -> None:
    """The inverse of `checkpoint`.

    Raises:
        InvalidFile: the checkpoint is of another model.
    """
    trees = tree.unflatten(arrays)
    model.train_state = _restored(model.train_state, trees.get("train", {}), facts["structure"])
    model.seed, model.epochs_trained = int(facts["seed"]), int(facts["epochs_trained"])
    model.learning_rate_override = facts["learning_rate"]
    fit.history.from_json(facts["history"])
    position = fit.position
    position.epoch, position.step = int(facts["epoch"]), int(facts["step"])
    position.data_epoch = int(facts["data_epoch"])
    position.collected = {k: [v] for k, v in trees.get("collected", {}).items()}
    fit.restart(list(_in_order(trees.get("totals", {}))), model.seed)
    # Each callback takes the state of the next one of its kind: others may have come or gone.
    waiting = list(enumerate(facts["callbacks"]))
    for callback in callbacks:
        own = next((w for w in waiting if w[1]["kind"] == type(callback).__name__), None)
        if own is None:
            continue
        waiting.remove(own)
        lists = trees.get("callback", {}).get(str(own[0]), {})
        callback.set_state({**own[1]["state"], **{k: _in_order(v) for k, v in lists.items()}})


def bare(train: TrainState) -> TrainState:
    """The same with the random key as plain numbers."""
    return train._replace(key=jax.random.key_data(train.key))


def _restored(train: TrainState, saved: dict[str, Any], structure: str) -> TrainState:
    leaves, form = jax.tree.flatten(bare(train))
    given = list(_in_order(saved))
    alike = len(given) == len(leaves) and all(
        a.shape == b.shape for a, b in zip(given, leaves, strict=True)
    )
    if not alike or structure != str(jax.tree.structure(train)):
        cure = "Remove the backup folder, or fit the model it was made with."
        raise InvalidFile("resume", "a backup of this very model", "one of another model", cure)
    restored = jax.tree.unflatten(form, [jnp.array(a) for a in given])
    return restored._replace(key=jax.random.wrap_key_data(restored.key))


def _numbered(prefix: str, value: Any) -> dict[str, Any]:
    return {f"{prefix}/{i}": leaf for i, leaf in enumerate(jax.tree.leaves(value))}


def _in_order(numbered: dict[str, Any]) -> list[Any]:
    return [numbered[str(i)] for i in range(len(numbered))]


def _holds_arrays(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], np.ndarray)
