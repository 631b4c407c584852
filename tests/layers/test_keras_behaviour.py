"""Masks, kept states and layers in a row, against what Keras stored in golden/behaviours.npz."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.layers import Layer
from fitwell.tree import unflatten
from fitwell.views import weight_order

KEY = jax.random.key(0)
GOLDEN = Path(__file__).parents[1] / "golden" / "behaviours.npz"


@functools.cache
def stored() -> dict[str, Any]:
    with np.load(GOLDEN) as file:
        return dict(file)


def case(name: str) -> dict[str, Any]:
    start = f"{name}/"
    found = {k.removeprefix(start): v for k, v in stored().items() if k.startswith(start)}
    return {k: v.astype(np.float32) if v.dtype == np.float64 else v for k, v in found.items()}


def several(found: dict[str, Any], name: str) -> list[Any]:
    """`weight0`, `weight1`, ... in order."""
    count = sum(key[: len(name)] == name and key[len(name) :].isdigit() for key in found)
    return [found[f"{name}{i}"] for i in range(count)]


def close(found: Any, expected: Any) -> None:
    for y, z in zip(found if isinstance(found, list) else [found], expected, strict=True):
        np.testing.assert_allclose(y, z, rtol=2e-5, atol=2e-6)


def parts(layer: Layer, inputs: list[Any], weights: list[Any]) -> tuple[Any, Any]:
    """Parameters and state of a layer from weights in Keras' order, which is ours too."""
    names, state = weight_order(layer, tuple(x.shape[1:] for x in inputs), bool(inputs[1:]))
    assert len(names) + len(state) == len(weights)
    arrays = dict(zip([*names, *state], map(jnp.asarray, weights), strict=True))
    return tuple(unflatten({n: arrays[n] for n in some}) for some in (names, state))


def run(layer: Layer, given: dict[str, Any], *, train: bool = False) -> Any:
    """Output and new state, in one compiled program: operation by operation takes longer."""
    params, state = parts(layer, [given["x"]], several(given, "weight"))
    more = {"mask": jnp.asarray(given["mask"])} if "mask" in given else {}

    @jax.jit
    def forward(params: Any, state: Any, x: Any, more: Any) -> Any:
        return layer.forward(params, state, x, key=KEY, train=train, **more)

    return forward(params, state, jnp.asarray(given["x"]), more)


@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave", None, "last"])
def test_both_directions_with_a_mask(mode: str | None) -> None:
    given = case(f"bidirectional_{mode}")
    inside = L.LSTM(2, return_sequences=mode != "last")
    layer = L.Bidirectional(inside, "sum" if mode == "last" else mode)
    close(run(layer, given)[0], several(given, "y"))


def test_stacked_cells_with_a_mask() -> None:
    given = case("stacked")
    layer = L.RNN([L.LSTMCell(2), L.GRUCell(4)], return_sequences=True)
    close(run(layer, given)[0], several(given, "y"))


def test_zeros_at_masked_steps() -> None:
    given = case("zero_output")
    layer = L.RNN(L.GRUCell(2), return_sequences=True, zero_output_for_mask=True)
    found = run(layer, given)[0]
    close(found, several(given, "y"))
    assert np.asarray(found)[~given["mask"]].tolist() == [[0.0, 0.0]] * 4
    gru = L.GRU(2, return_sequences=True, zero_output_for_mask=True)
    close(run(gru, given)[0], several(given, "y"))


def test_images_at_every_step() -> None:
    given = case("distributed_images")
    layer = L.TimeDistributed(L.Conv2D(2, (2, 3), activation="tanh"))
    close(run(layer, given)[0], several(given, "y"))


def test_batch_statistics_of_a_masked_sequence() -> None:
    given = case("batch_normalization")
    layer = L.BatchNormalization(momentum=0.8, epsilon=0.01)
    y, state = run(layer, given, train=True)
    close(y, several(given, "y"))
    close([state["moving_mean"], state["moving_variance"]], several(given, "moved"))


def test_states_go_on_until_they_are_reset() -> None:
    given = case("stateful")
    first, second, anew = several(given, "y")
    model = fw.Sequential([L.LSTM(2, return_sequences=True, stateful=True, batch_size=3)])
    model.build((None, 4, 3))
    model.set_weights([*several(given, "weight"), *np.zeros((2, 3, 2))])
    close([model.predict(x) for x in given["x"]], [first, second])
    model.layers[0].reset_state()
    close(model.predict(given["x"][1]), [anew])


def attended(
    layer: Layer, given: dict[str, Any], names: tuple[str, ...], *attention_masks: Any
) -> list[Any]:
    """Output and scores for each mask; with the masks of the inputs of these names."""
    xs = [jnp.asarray(given[name]) for name in names]
    masks = [jnp.asarray(given[f"{name}_mask"]) for name in names]
    params, _ = parts(layer, [*xs, *attention_masks[:1]], several(given, "weight"))

    @jax.jit
    def forward(params: Any, xs: Any, masks: Any, attention_masks: Any) -> Any:
        return [
            layer.forward(
                params, {}, [*xs, *each], key=KEY, train=False, mask=masks + [None] * len(each)
            )[0]
            for each in attention_masks
        ]

    return forward(params, xs, masks, [[m] for m in attention_masks] or [[]])


def test_all_masks_of_attention_together() -> None:
    given = case("attention_heads")
    layer = L.MultiHeadAttention(2, 3, value_dim=2, causal=True, return_attention_scores=True)
    allowed = given["attention_mask"]
    dtypes = [allowed, allowed.astype(np.int32), allowed.astype(np.float32)]
    y, scores = several(given, "y")
    real = given["query_mask"]  # what padding asks for is read by nobody
    for found in attended(layer, given, ("query", "value", "key"), *dtypes):
        close(np.asarray(found[0])[real], [y[real]])
        close(np.moveaxis(found[1], 1, 2)[real], [np.moveaxis(scores, 1, 2)[real]])


def test_plain_attention_with_masks() -> None:
    given = case("attention")
    layer = L.Attention(causal=True, return_attention_scores=True)
    real = given["query_mask"]
    ((y, scores),) = attended(layer, given, ("query", "value"))
    close([np.asarray(each)[real] for each in (y, scores)], [z[real] for z in several(given, "y")])


CHAINS: dict[str, list[Layer]] = {
    "masking": [
        L.Masking(-9.0),
        L.TimeDistributed(L.Dense(3, activation="tanh")),
        L.LSTM(2, return_sequences=True),
        L.GRU(2),
    ],
    "embedding_mean": [
        L.Embedding(7, 4, mask_zero=True),
        L.Dense(3, activation="relu"),
        L.Dropout(0.5),
        L.GlobalAveragePooling1D(),
        L.Dense(2),
    ],
    "embedding_loss": [L.Embedding(7, 4, mask_zero=True), L.GRU(2, return_sequences=True)],
}


@pytest.mark.parametrize("name", CHAINS)
def test_masks_go_through_layers_in_a_row(name: str) -> None:
    given = case(name)
    model = fw.Sequential(CHAINS[name], seed=0)
    model.build((None, *given["x"].shape[1:]))
    model.set_weights(several(given, "weight"))
    close(model.predict(given["x"]), several(given, "y"))
    if "target" in given:
        model.compile(loss="mse", metrics=["mae"])
        close(model.evaluate(given["x"], given["target"]), given["measured"])


def test_the_state_of_a_network_leaves_masked_steps_out() -> None:
    """BatchNormalization behind Masking, in a fit: mean 2 of the real steps 1 and 3."""
    model = fw.Sequential([L.Masking(), L.BatchNormalization(momentum=0.0), L.Dense(1)], seed=0)
    model.compile("sgd", "mse")
    x = np.array([[[1.0], [3.0], [0.0]], [[0.0], [0.0], [0.0]]])
    model.fit(x, np.zeros((2, 3, 1)), epochs=1, batch_size=2, verbose=0)
    assert model["batch_normalization"].moving_mean.tolist() == [2.0]
    assert model["batch_normalization"].moving_variance.tolist() == [1.0]
