"""Writes behaviours.npz: what Keras' layers do with masks, kept states and each other.

Run in an environment with keras==3.15.1 and jax (not needed by the tests):
    python tests/golden/make_behaviours.py

Keys are `case/x...`, `case/mask`, `case/weight0`, ... (in Keras' order) and `case/y...`; float64.
"""

import os
import zlib
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

import keras
import numpy as np
from keras import layers

keras.config.set_floatx("float64")
MASK = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [1, 1, 1, 1, 1]], bool)
IDS = np.array([[3, 1, 4, 0, 0], [0, 5, 0, 2, 6], [1, 1, 2, 3, 5]])
MODES = ("concat", "sum", "mul", "ave", None)


def rng_of(name):
    return np.random.default_rng(zlib.crc32(name.encode()))


def weighted(name, layer):
    """Other weights than those at the start, which are 0 and 1 too often."""
    rng = rng_of(f"{name} weights")
    fresh = [rng.normal(size=w.shape) for w in layer.get_weights()]
    layer.set_weights(fresh)
    return {f"{name}/weight{i}": w for i, w in enumerate(fresh)}


def listed(name, ys):
    ys = list(ys) if isinstance(ys, list | tuple) else [ys]
    return {f"{name}/y{i}": np.asarray(y) for i, y in enumerate(ys)}


def layer_case(name, layer, shape, mask=MASK):
    """One layer on a masked sequence."""
    x = rng_of(name).normal(size=shape)
    more = {} if mask is None else {"mask": mask}
    layer(x, **more)
    found = weighted(name, layer) | {f"{name}/x": x}
    return found | listed(name, layer(x, **more)) | {f"{name}/{k}": v for k, v in more.items()}


def batch_normalization(name="batch_normalization"):
    layer = layers.BatchNormalization(momentum=0.8, epsilon=0.01)
    x = rng_of(name).normal(2.0, 3.0, size=(3, 5, 2))
    layer.build(x.shape)
    rng = rng_of(f"{name} weights")
    start = [*rng.normal(size=(2, 2)), np.zeros(2), np.ones(2)]
    layer.set_weights(start)
    y = layer(x, training=True, mask=MASK)
    found = {f"{name}/x": x, f"{name}/mask": MASK, f"{name}/y0": np.asarray(y)}
    found |= {f"{name}/weight{i}": w for i, w in enumerate(start)}
    return found | {f"{name}/moved{i}": w for i, w in enumerate(layer.get_weights()[2:])}


def stateful(name="stateful"):
    layer = layers.LSTM(2, stateful=True, return_sequences=True)
    xs = rng_of(name).normal(size=(2, 3, 4, 3))
    layer.build(xs[0].shape)
    found = weighted(name, layer) | {f"{name}/x": xs}
    ys = [layer(x) for x in xs]
    layer.reset_state()
    return found | listed(name, [*ys, layer(xs[1])])


def attention(name="attention_heads"):
    layer = layers.MultiHeadAttention(2, 3, value_dim=2)
    rng = rng_of(name)
    query, value, key = (rng.normal(size=(3, n, f)) for n, f in ((4, 5), (5, 4), (5, 6)))
    masks = {
        "query_mask": np.array([[1, 1, 1, 0], [1, 1, 1, 1], [0, 1, 1, 1]], bool),
        "value_mask": np.array([[1, 1, 1, 1, 0], [1, 1, 1, 1, 1], [1, 1, 0, 1, 1]], bool),
        "key_mask": np.array([[1, 1, 1, 1, 1], [1, 0, 1, 1, 1], [1, 1, 1, 1, 1]], bool),
        "attention_mask": rng.random((3, 4, 5)) < 0.7,
    }
    masks["attention_mask"][:, :, 0] = True  # so that every query may attend to something
    layer.build(query.shape, value.shape, key.shape)
    found = weighted(name, layer)
    ys = layer(query, value, key, **masks, use_causal_mask=True, return_attention_scores=True)
    given = {"query": query, "value": value, "key": key} | masks
    return found | {f"{name}/{k}": v for k, v in given.items()} | listed(name, ys)


def plain_attention(name="attention"):
    rng = rng_of(name)
    given = {"query": rng.normal(size=(3, 4, 2)), "value": rng.normal(size=(3, 5, 2))}
    masks = [np.array([[1, 1, 1, 0], [1, 1, 1, 1], [0, 1, 1, 1]], bool), MASK | (np.arange(5) < 1)]
    layer = layers.Attention()
    ys = layer(list(given.values()), mask=masks, use_causal_mask=True, return_attention_scores=True)
    given |= {"query_mask": masks[0], "value_mask": masks[1]}
    return {f"{name}/{k}": v for k, v in given.items()} | listed(name, ys)


def model_case(name, chain, x, y=None):
    """Predictions of layers in a row, and the loss where there are targets."""
    model = keras.Sequential(chain)
    model(x)
    found = weighted(name, model) | {f"{name}/x": x} | listed(name, model.predict(x, verbose=0))
    if y is not None:
        model.compile(loss="mse", metrics=["mae"])
        measured = model.evaluate(x, y, batch_size=len(x), verbose=0)
        found |= {f"{name}/target": y, f"{name}/measured": np.array(measured)}
    return found


def padded(name):
    return np.where(MASK[..., None], rng_of(name).normal(size=(3, 5, 3)), -9.0)


def main():
    golden = batch_normalization() | stateful() | attention() | plain_attention()
    for mode in MODES:
        layer = layers.Bidirectional(layers.LSTM(2, return_sequences=True), mode)
        golden |= layer_case(f"bidirectional_{mode}", layer, (3, 5, 3))
    layer = layers.Bidirectional(layers.LSTM(2), "sum")
    golden |= layer_case("bidirectional_last", layer, (3, 5, 3))
    cells = [layers.LSTMCell(2), layers.GRUCell(4)]
    golden |= layer_case("stacked", layers.RNN(cells, return_sequences=True), (3, 5, 3))
    zero = layers.RNN(layers.GRUCell(2), return_sequences=True, zero_output_for_mask=True)
    golden |= layer_case("zero_output", zero, (3, 5, 3))
    images = layers.TimeDistributed(layers.Conv2D(2, (2, 3), activation="tanh"))
    golden |= layer_case("distributed_images", images, (2, 3, 4, 4, 2), None)
    chain = [
        layers.Masking(-9.0),
        layers.TimeDistributed(layers.Dense(3, activation="tanh")),
        layers.LSTM(2, return_sequences=True),
        layers.GRU(2),
    ]
    golden |= model_case("masking", chain, padded("masking"))
    chain = [
        layers.Embedding(7, 4, mask_zero=True),
        layers.Dense(3, activation="relu"),
        layers.Dropout(0.5),
        layers.GlobalAveragePooling1D(),
        layers.Dense(2),
    ]
    golden |= model_case("embedding_mean", chain, IDS)
    chain = [layers.Embedding(7, 4, mask_zero=True), layers.GRU(2, return_sequences=True)]
    target = rng_of("target").normal(size=(3, 5, 2))
    golden |= model_case("embedding_loss", chain, IDS, target)
    np.savez_compressed(Path(__file__).with_name("behaviours.npz"), **golden)


if __name__ == "__main__":
    main()
