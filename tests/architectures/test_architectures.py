"""What the architectures compute: against PyTorch, by hand, and what they learn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell import architectures as A  # noqa: N812 - read in every line
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.architectures.residual import _basic, _block, _bottleneck
from fitwell.errors import FitwellError
from fitwell.layers import Input

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "architectures.npz")
RNG = np.random.default_rng(0)


def case(name: str) -> dict[str, Any]:
    return {k.split("/", 1)[1]: GOLDEN[k] for k in GOLDEN.files if k.startswith(f"{name}/")}


@pytest.mark.parametrize(
    ("name", "inner", "version", "channels", "stride"),
    [
        ("basic_1_stride", _basic, 1, 4, 2),
        ("basic_1_same", _basic, 1, 4, 1),
        ("bottleneck_1_stride", _bottleneck, 1, 2, 2),
        ("basic_2_stride", _basic, 2, 4, 2),
        ("bottleneck_2_same", _bottleneck, 2, 2, 1),
        ("bottleneck_2_widen", _bottleneck, 2, 2, 1),
    ],
)
def test_a_block_is_pytorchs(
    name: str, inner: Any, version: int, channels: int, stride: int
) -> None:
    truth = case(name)
    start = Input(truth["x"].shape[1:])
    y = _block(start, inner, channels, stride, version, free=False)
    model = fw.Model(start, y)
    for kind, prefix in (("conv", "conv2d"), ("norm", "batch_normalization")):
        views = [view for view in model.layers if view.name.startswith(prefix)]
        groups = sorted({key.split("/")[0] for key in truth if key.startswith(kind)})
        assert len(views) == len(groups)
        short = [view for view in views if is_short(model, view.name)]
        ordered = [view for view in views if view not in short] + short
        for view, group in zip(ordered, groups, strict=True):
            keys = sorted(key for key in truth if key.startswith(f"{group}/"))
            view.set_weights([truth[key] for key in keys])
    np.testing.assert_allclose(model.predict(truth["x"]), truth["y"], rtol=1e-4, atol=1e-5)


def is_short(model: fw.Model, name: str) -> bool:
    """Whether a layer of a block is on the shortcut: the last to be joined."""
    nodes = {node.name: node for node in model.network.nodes}
    add = nodes["add"]
    (place, _) = add.inputs[1]
    while place:
        node = model.network.nodes[place]
        if node.name == name:
            return True
        if node.name.startswith("conv2d"):
            return False
        place = node.inputs[0][0]
    return False


def test_a_shortcut_without_weights_subsamples_and_adds_zeros() -> None:
    start = Input((4, 4, 2))
    model = fw.Model(start, _block(start, _basic, 4, 2, 1, free=True))
    names = [view.name for view in model.layers if view.name.startswith("batch")]
    last = names[-1]
    gamma, beta, *statistics = model[last].get_weights()
    model[last].set_weights(
        [0 * gamma, beta, *statistics]
    )  # F(x) = 0: relu of the shortcut is left
    x = RNG.normal(size=(3, 4, 4, 2)).astype(np.float32)
    expected = np.concatenate([x[:, ::2, ::2], 0 * x[:, ::2, ::2]], axis=-1)
    np.testing.assert_array_equal(model.predict(x), np.maximum(expected, 0))


@pytest.mark.parametrize("tied", [False, True])
def test_an_autoencoder_of_images_gives_them_back(tied: bool) -> None:
    model = A.autoencoder((8, 8, 1), 6, (16,), filters=(4, 8), tied=tied, seed=0)
    assert model.output_shape == (None, 8, 8, 1)
    assert model["code"].output_shape == (None, 6)
    waves = np.sin(np.arange(8)[:, None] * RNG.uniform(0.5, 1.5, (200, 1, 1)) + np.arange(8))
    x = waves[..., None].astype(np.float32)
    model.compile(fw.optimizers.Adam(3e-3), loss="mse")
    history = model.fit(x, epochs=60, verbose=0).history["loss"]
    assert history[-1] < 0.25 * x.var()


def test_a_tied_autoencoder_by_hand() -> None:
    model = A.autoencoder((5,), 2, (3,), activation="tanh", tied=True, seed=0)
    x = RNG.normal(size=(4, 5)).astype(np.float32)
    (k1, b1), (k2, b2) = model["dense"].get_weights(), model["code"].get_weights()
    h = np.tanh((np.tanh(x @ k1 + b1) @ k2 + b2) @ k2.T) @ k1.T
    np.testing.assert_allclose(model.predict(x), h, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def writer() -> fw.Model:
    """A model that has learnt to count 0 1 2 3 0 1 2 3 ..."""
    model = A.transformer_lm(4, context=6, layers=1, heads=2, width=16, seed=0)
    loss = fw.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(fw.optimizers.Adam(1e-2), loss=loss)
    ids = np.arange(400) % 4
    x = np.stack([ids[s : s + 6] for s in range(64)])
    y = np.stack([ids[s + 1 : s + 7] for s in range(64)])
    model.fit(x, y, epochs=30, verbose=0)
    return model


def test_writing_without_temperature_takes_the_likeliest_step_by_step(writer: fw.Model) -> None:
    assert A.generate(writer, [2, 3], 11, temperature=0).tolist() == [0, 1, 2, 3] * 2 + [0, 1, 2]
    written = [1]
    untrained = A.transformer_lm(4, context=6, layers=1, heads=2, width=16, seed=5)
    for _ in range(9):
        seen = written[-6:]
        scores = untrained.predict(np.array([seen + [0] * (6 - len(seen))]), verbose=0)
        written.append(int(scores[0, len(seen) - 1].argmax()))
    assert A.generate(untrained, [1], 9, temperature=0).tolist() == written[1:]


def test_writing_draws_from_the_softmax() -> None:
    model = A.char_rnn(3, (4,), context=1, seed=0)
    model["dense"].set_weights([np.zeros((4, 3)), np.log([0.5, 0.3, 0.2])])
    ids = A.generate(model, [0], 4000, seed=1)
    shares = np.bincount(ids, minlength=3) / 4000
    np.testing.assert_allclose(shares, [0.5, 0.3, 0.2], atol=0.03)
    cold = np.bincount(A.generate(model, [0], 4000, temperature=0.5), minlength=3) / 4000
    np.testing.assert_allclose(cold, np.array([25, 9, 4]) / 38, atol=0.03)
    two = A.generate(model, [0], 4000, top_k=2)
    np.testing.assert_allclose((two == 0).mean(), 5 / 8, atol=0.03)
    assert set(two.tolist()) == {0, 1}
    assert (
        A.generate(model, [0], 50, seed=7).tolist() == A.generate(model, [0], 50, seed=7).tolist()
    )


def test_writing_with_a_model_that_ends_in_a_softmax() -> None:
    """Its probabilities are scores already: another softmax would make them nearly equal."""
    layers = [L.Embedding(3, 4), L.SimpleRNN(4, return_sequences=True), L.Dense(3, "softmax")]
    model = fw.Sequential([L.Input((1,), dtype="int32"), *layers], seed=0)
    model["dense"].set_weights([np.zeros((4, 3)), np.log([0.9, 0.09, 0.01])])
    shares = np.bincount(A.generate(model, [0], 4000), minlength=3) / 4000
    np.testing.assert_allclose(shares, [0.9, 0.09, 0.01], atol=0.02)


def hindsight() -> fw.Model:
    both = L.Bidirectional(L.SimpleRNN(2, return_sequences=True))
    return fw.Sequential([L.Input((4,), dtype="int32"), L.Embedding(3, 2), both, L.Dense(3)])


ERRORS: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: A.resnet(20),
        "resnet: expected depth to be one of 18, 34, 50, 101, 152, received depth=20. Choose one "
        "of them.",
    ),
    (
        lambda: A.resnet_cifar(21),
        "resnet_cifar: expected depth = 6 n + 2 with n >= 1, received depth=21. Choose 20, 32, 44, "
        "56 or 110.",
    ),
    (
        lambda: A.vgg(16, (16, 16, 3)),
        "vgg: expected input_shape=(rows, columns, channels) with at least 32 rows and columns, "
        "received input_shape=(16, 16, 3). Enlarge the images, or take a network that halves them "
        "less often.",
    ),
    (
        lambda: A.resnet(50, (224, 224)),
        "resnet: expected input_shape=(rows, columns, channels) with at least 32 rows and columns, "
        "received input_shape=(224, 224). Write whole numbers, such as (224, 224, 3); grey images "
        "have one channel.",
    ),
    (
        lambda: A.mlp((4,), 1, ()),
        "mlp: expected units to be a list of whole numbers >= 1, received units=(). Write "
        "units=(128, 64), a number for each layer.",
    ),
    (
        lambda: A.autoencoder((4,), 0),
        "autoencoder: expected code to be a whole number >= 1, received code=0. Pass code=1 or "
        "more.",
    ),
    (
        lambda: A.autoencoder((6, 6, 1), 2, filters=(4, 4)),
        "autoencoder: expected an image (rows, columns, channels) whose rows and columns 4 "
        "divides, received input_shape=(6, 6, 1) with 2 filters. Pad the images (ZeroPadding2D), "
        "or give fewer filters.",
    ),
    (
        lambda: A.char_rnn(5, cell="rnn"),
        "char_rnn: expected cell to be one of 'lstm', 'gru', 'simple', received cell='rnn'. Choose "
        "one of them.",
    ),
    (
        lambda: A.generate(A.mlp((4,), 2, (3,)), [0], 5),
        "generate: expected a model from (context,) ids to (context, vocabulary) scores, received "
        "[(4,)] to [(2,)]. Build one with architectures.char_rnn or transformer_lm.",
    ),
    (
        lambda: A.generate(A.char_rnn(3, (2,), context=2), [0, 3], 5),
        "generate, prompt: expected a row of at least one id from 0 to 2, received [0, 3]. Turn "
        "the text into the ids that the model was trained on.",
    ),
    (
        lambda: A.generate(hindsight(), [0], 5),
        "generate: expected a model whose scores depend on the ids so far alone, received "
        "Bidirectional as layer bidirectional. Use a layer that reads forward only: to write is to "
        "have no future.",
    ),
    (
        lambda: A.generate(A.char_rnn(3, (2,), context=2), [0], 5, temperature=-1.0),
        "generate: expected a finite temperature >= 0, received temperature=-1.0. Pass 1.0, more "
        "for bolder text, 0 for the likeliest.",
    ),
    (
        lambda: A.generate(A.char_rnn(3, (2,), context=2), [0], 5, seed=1.5),  # type: ignore[arg-type]
        "generate: expected seed to be a whole number >= 0, received seed=1.5. Pass seed=0 or "
        "more.",
    ),
    (
        lambda: A.mlp(0, 1),
        "mlp: expected input_shape to be whole numbers >= 1, received input_shape=0. Write "
        "input_shape=(784,), or (28, 28, 1) for images.",
    ),
]


def test_a_number_is_a_shape_as_for_input() -> None:
    assert A.mlp(4, 1, (3,)).count_params() == 4 * 3 + 3 + 3 + 1
    assert A.autoencoder(4, 1).count_params() == 4 + 1 + 4 + 4


@pytest.mark.parametrize(("call", "text"), ERRORS)
def test_errors(call: Callable[[], Any], text: str) -> None:
    with pytest.raises(FitwellError) as found:
        call()
    assert str(found.value) == text
