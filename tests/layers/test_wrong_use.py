"""Wrong uses of layers: each is answered with a sentence that names the layer and its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import FitwellError, InvalidArgument, NotReady, ShapeMismatch, UnknownArgument


def chain(shape: tuple[int, ...], *layers: Any, dtype: str = "float32") -> fw.Sequential:
    return fw.Sequential([L.Input(shape, dtype=dtype), *layers], seed=0)


def image(*layers: Any) -> fw.Sequential:
    """Layers behind an array of (4, 4, 3)."""
    return chain((8, 8, 1), L.Conv2D(3, 3, padding="same"), L.MaxPooling2D(), *layers)


def series(*layers: Any) -> fw.Sequential:
    """Layers behind an array of (5, 6)."""
    return chain((5, 4), L.Dense(6), *layers)


def symbols(*shapes: Any) -> list[Any]:
    return [L.Input(shape) for shape in shapes]


def repeated(count: int) -> Any:
    x = L.Input((8, 8, 1))
    for _ in range(count):
        x = L.MaxPooling2D()(L.Conv2D(4, 3, padding="same")(x))
    return x


WRONG: dict[str, tuple[Callable[[], Any], type[FitwellError], str]] = {
    # Ranks
    "a vector to a convolution": (
        lambda: image(L.Flatten(), L.Conv2D(4, 3)),
        ShapeMismatch,
        "layer 4 of 4, conv2d_1 (Conv2D) after flatten (Flatten): expected an input of shape "
        "(rows, columns, channels), received shape (48,). Put Reshape((rows, columns, "
        "channels)) before it.",
    ),
    "an image to a convolution of series": (
        lambda: image(L.SeparableConv1D(4, 3)),
        ShapeMismatch,
        "layer 3 of 3, separable_conv1d (SeparableConv1D) after max_pooling2d (MaxPooling2D): "
        "expected an input of shape (steps, channels), received shape (4, 4, 3). Put Reshape "
        "before it, or use a layer for inputs with 3 axes.",
    ),
    "no channels": (
        lambda: chain((8, 8), L.LocallyConnected2D(4, 3)),
        ShapeMismatch,
        "layer 1 of 1, locally_connected2d (LocallyConnected2D) after input (InputLayer): "
        "expected an input of shape (rows, columns, channels), received shape (8, 8). If the "
        "channel axis is missing, put Reshape((8, 8, 1)) before it.",
    ),
    "a vector to a transposed convolution": (
        lambda: chain((8,), L.Dense(4), L.Conv1DTranspose(4, 3)),
        ShapeMismatch,
        "layer 2 of 2, conv1d_transpose (Conv1DTranspose) after dense (Dense): expected an "
        "input of shape (steps, channels), received shape (4,). If the channel axis is missing,"
        " put Reshape((4, 1)) before it.",
    ),
    "an image to pooling of volumes": (
        lambda: image(L.GlobalMaxPooling3D()),
        ShapeMismatch,
        "layer 3 of 3, global_max_pooling3d (GlobalMaxPooling3D) after max_pooling2d "
        "(MaxPooling2D): expected an input of shape (depth, rows, columns, channels), received "
        "shape (4, 4, 3). If the channel axis is missing, put Reshape((4, 4, 3, 1)) before it.",
    ),
    "a vector to upsampling": (
        lambda: chain((8,), L.UpSampling2D()),
        ShapeMismatch,
        "layer 1 of 1, up_sampling2d (UpSampling2D) after input (InputLayer): expected an input"
        " of shape (rows, columns, channels), received shape (8,). Put Reshape((rows, columns, "
        "channels)) before it.",
    ),
    "a vector to a recurrent layer": (
        lambda: series(L.GRU(6), L.LSTM(6)),
        ShapeMismatch,
        "layer 3 of 3, lstm (LSTM) after gru (GRU): expected a sequence per example, shape "
        "(time, features), received shape (6,). After a recurrent layer: give that one "
        "return_sequences=True. For one feature per step put Reshape((-1, 1)) before it; for ids "
        "an Embedding.",
    ),
    "an image to a recurrent layer": (
        lambda: image(L.SimpleRNN(6)),
        ShapeMismatch,
        "layer 3 of 3, simple_rnn (SimpleRNN) after max_pooling2d (MaxPooling2D), SimpleRNNCell"
        " inside: expected one vector per step, shape (features,), received shape (4, 3). Put "
        "TimeDistributed(Flatten()) before it.",
    ),
    "an image to a cell": (
        lambda: image(L.RNN(L.GRUCell(6))),
        ShapeMismatch,
        "layer 3 of 3, rnn (RNN) after max_pooling2d (MaxPooling2D), GRUCell inside: expected "
        "one vector per step, shape (features,), received shape (4, 3). Put "
        "TimeDistributed(Flatten()) before it.",
    ),
    "a vector to a recurrent layer in a wrapper": (
        lambda: chain((4,), L.Bidirectional(L.GRU(6))),
        ShapeMismatch,
        "layer 1 of 1, bidirectional (Bidirectional) after input (InputLayer), GRU inside: "
        "expected a sequence per example, shape (time, features), received shape (4,). After a "
        "recurrent layer: give that one return_sequences=True. For one feature per step put "
        "Reshape((-1, 1)) before it; for ids an Embedding.",
    ),
    "images without channels at every step": (
        lambda: chain((5, 8, 8), L.TimeDistributed(L.Conv2D(4, 3))),
        ShapeMismatch,
        "layer 1 of 1, time_distributed (TimeDistributed) after input (InputLayer), Conv2D "
        "inside: expected an input of shape (rows, columns, channels), received shape (8, 8). "
        "If the channel axis is missing, put Reshape((8, 8, 1)) before it.",
    ),
    "a vector to attention": (
        lambda: chain((4,), L.MultiHeadAttention(2, 3)),
        ShapeMismatch,
        "layer 1 of 1, multi_head_attention (MultiHeadAttention) after input (InputLayer): "
        "expected a query of shape (time, features), received shape (4,). Put Embedding before "
        "it for whole numbers, or Reshape((time, features)).",
    ),
    "a vector to Masking": (
        lambda: chain((4,), L.Dense(3), L.Masking()),
        ShapeMismatch,
        "layer 2 of 2, masking (Masking) after dense (Dense): expected a sequence per example, "
        "shape (time, features), received shape (3,). For ids use Embedding(..., "
        "mask_zero=True).",
    ),
    "a vector to an augmentation": (
        lambda: chain((4,), L.RandomZoom(0.1)),
        ShapeMismatch,
        "layer 1 of 1, random_zoom (RandomZoom) after input (InputLayer): expected images of "
        "shape (height, width, channels), received shape (4,). For one channel put "
        "Reshape((height, width, 1)) before it.",
    ),
    # Channels
    "channels that groups do not divide": (
        lambda: image(L.Conv2D(4, 3, groups=2)),
        ShapeMismatch,
        "layer 3 of 3, conv2d_1 (Conv2D) after max_pooling2d (MaxPooling2D): expected a number "
        "of channels that groups=2 divides, received 3 in shape (4, 4, 3). Choose groups among "
        "the divisors of the channels.",
    ),
    "channels that groups of a norm do not divide": (
        lambda: image(L.GroupNormalization(2)),
        ShapeMismatch,
        "layer 3 of 3, group_normalization (GroupNormalization) after max_pooling2d "
        "(MaxPooling2D): expected a number of channels that 2 groups divide, received 3 "
        "channels in shape (4, 4, 3). Choose groups among the divisors of the number of "
        "channels.",
    ),
    "features that heads do not divide": (
        lambda: series(L.TransformerEncoder(8, 4)),
        ShapeMismatch,
        "layer 2 of 2, transformer_encoder (TransformerEncoder) after dense (Dense): expected a"
        " number of features that num_heads=4 divides, received 6. Choose another num_heads, or"
        " put a Dense before the block.",
    ),
    "query heads of groups": (
        lambda: series(L.GroupQueryAttention(4, 3, 2)),
        InvalidArgument,
        "GroupQueryAttention: expected num_query_heads to be a multiple of num_key_value_heads,"
        " received num_query_heads=3, num_key_value_heads=2. Every head of key and value serves"
        " the same number of the query's heads.",
    ),
    "features of query and key": (
        lambda: L.Attention()(symbols((4, 3), (5, 2))),
        ShapeMismatch,
        "attention (Attention) after input (InputLayer) and input_1 (InputLayer): expected a "
        "query and a key of as many features, received 3 and 2. Put a Dense before one of them,"
        " or use MultiHeadAttention.",
    ),
    # Sizes
    "a kernel larger than its input": (
        lambda: image(L.Conv2D(4, 3), L.DepthwiseConv2D(3)),
        ShapeMismatch,
        "layer 4 of 4, depthwise_conv2d (DepthwiseConv2D) after conv2d_1 (Conv2D): expected an "
        "input at least as large as kernel_size, 3 along axis 1, received 2 in shape (2, 2, 4)."
        ' Make kernel_size smaller, write padding="same", or shrink the input less before.',
    ),
    "a dilated kernel larger than its input": (
        lambda: chain((8, 1), L.Conv1D(4, 3, dilation_rate=4)),
        ShapeMismatch,
        "layer 1 of 1, conv1d (Conv1D) after input (InputLayer): expected an input at least as "
        "large as kernel_size, 3 (dilated: 9) along axis 1, received 8 in shape (8, 1). Make "
        'kernel_size smaller, write padding="same", or shrink the input less before.',
    ),
    "a window larger than its input": (
        lambda: image(L.AveragePooling2D(5)),
        ShapeMismatch,
        "layer 3 of 3, average_pooling2d (AveragePooling2D) after max_pooling2d (MaxPooling2D):"
        " expected an input at least as large as pool_size, 5 along axis 1, received 4 in shape"
        ' (4, 4, 3). Make pool_size smaller, write padding="same", or shrink the input less '
        "before.",
    ),
    "more adaptive windows than places": (
        lambda: image(L.AdaptiveMaxPooling2D(5)),
        ShapeMismatch,
        "layer 3 of 3, adaptive_max_pooling2d (AdaptiveMaxPooling2D) after max_pooling2d "
        "(MaxPooling2D): expected an input at least as large as output_size, 5 along axis 1, "
        "received 4 in shape (4, 4, 3). Make output_size smaller, or put an UpSampling layer "
        "before it.",
    ),
    "a crop larger than its input": (
        lambda: image(L.Cropping2D(2)),
        ShapeMismatch,
        "layer 3 of 3, cropping2d (Cropping2D) after max_pooling2d (MaxPooling2D): expected an "
        "input longer than the 2 + 2 cut off along axis 1, received 4 in shape (4, 4, 3). Cut "
        "off less.",
    ),
    "a random crop larger than its input": (
        lambda: image(L.RandomCrop(5, 4)),
        ShapeMismatch,
        "layer 3 of 3, random_crop (RandomCrop) after max_pooling2d (MaxPooling2D): expected "
        "images of at least 5 x 4 pixels, received shape (4, 4, 3). Put ZeroPadding2D before "
        "it, or crop less.",
    ),
    "more positions than a table has": (
        lambda: series(L.PositionEmbedding(3)),
        ShapeMismatch,
        "layer 2 of 2, position_embedding (PositionEmbedding) after dense (Dense): expected a "
        "sequence of at most sequence_length=3 positions, received 5. Make it "
        "PositionEmbedding(5), or cut the sequences.",
    ),
    "numbers that do not fit a shape": (
        lambda: image(L.Flatten(), L.Reshape((7, 7))),
        ShapeMismatch,
        "layer 4 of 4, reshape (Reshape) after flatten (Flatten): expected an input of 49 "
        "numbers for target_shape=(7, 7), received 48 in shape (48,). Choose a target_shape "
        "whose product is the input's size.",
    ),
    "axes that are not there": (
        lambda: image(L.Permute((2, 1))),
        ShapeMismatch,
        "layer 3 of 3, permute (Permute) after max_pooling2d (MaxPooling2D): expected an input "
        "with 2 axes for dims=(2, 1), received shape (4, 4, 3). Give dims 3 entries.",
    ),
    "an axis that is not there": (
        lambda: series(L.BatchNormalization(axis=3)),
        ShapeMismatch,
        "layer 2 of 2, batch_normalization (BatchNormalization) after dense (Dense): expected "
        "an input with the axis 3, besides the batch axis, received shape (5, 6). Choose axis "
        "from 1 to 2, or -1.",
    ),
    "an axis of shared slopes that is not there": (
        lambda: series(L.PReLU(shared_axes=[3])),
        ShapeMismatch,
        "layer 2 of 2, p_re_lu (PReLU) after dense (Dense): expected an input with the axes "
        "(3,) besides the batch axis, received shape (5, 6). Choose shared_axes from 1 to 2.",
    ),
    "unequal shapes to join": (
        lambda: L.Concatenate()(symbols((4, 3), (5, 3))),
        ShapeMismatch,
        "concatenate (Concatenate) after input (InputLayer) and input_1 (InputLayer): expected "
        "inputs with the axis -1 and equal sizes on all other axes, received shapes (4, 3) and "
        "(5, 3). Reshape or crop them first.",
    ),
    "unequal shapes to add": (
        lambda: L.add(symbols((4,), (5,))),
        ShapeMismatch,
        "add (Add) after input (InputLayer) and input_1 (InputLayer): expected inputs whose "
        "shapes broadcast to each other, received shapes (4,) and (5,). Give both branches the "
        "same sizes, or 1 where one is to be repeated.",
    ),
    "an odd number to halve": (
        lambda: chain((4,), L.Dense(3, activation="glu")),
        ShapeMismatch,
        "layer 1 of 1, dense (Dense) after input (InputLayer), glu inside: expected an even "
        "size on axis -1, to split into two halves, received shape (1, 3). Give the layer "
        "before it twice the number of outputs you want.",
    ),
    # Inputs
    "several inputs where one is expected": (
        lambda: L.Dense(3)(symbols((4,), (4,))),
        InvalidArgument,
        "dense (Dense) after input (InputLayer) and input_1 (InputLayer): expected one input, "
        "received a list of 2. Take one of them, or concatenate them first.",
    ),
    "several outputs to a layer of one input": (
        lambda: series(L.LSTM(6, return_state=True), L.Dense(3)),
        InvalidArgument,
        "layer 3 of 3, dense_1 (Dense) after lstm (LSTM): expected one input, received a list "
        "of 3. Take one of them, or concatenate them first.",
    ),
    "several outputs at the end of a chain": (
        lambda: series(L.LSTM(6, return_state=True)),
        InvalidArgument,
        "layer 2 of 2, lstm (LSTM) after dense (Dense): expected one output at the end of a "
        "Sequential, received 3. Leave return_state and the like out, or write Model(x, "
        "layer(x)).",
    ),
    "one input where several are expected": (
        lambda: series(L.Add()),
        InvalidArgument,
        "layer 2 of 2, add (Add) after dense (Dense): expected a list of inputs, received one. "
        "Write layer([a, b]).",
    ),
    "a dict": (
        lambda: L.Dense(3)({"a": L.Input((4,))}),
        InvalidArgument,
        "Dense: expected symbols, such as what Input(shape=...) returns, received dict. To run "
        "a layer on arrays, put it into a model and call model.predict.",
    ),
    "too few initial states": (
        lambda: L.LSTM(3)(L.Input((4, 2)), initial_state=symbols((3,))),
        ShapeMismatch,
        "lstm (LSTM) after input (InputLayer) and input_1 (InputLayer): expected 2 states after"
        " the input, of the shapes [(3,), (3,)], received 1 of the shapes [(3,)]. Pass what the"
        " layer before returned as its states (return_state=True).",
    ),
    "an initial state of another size": (
        lambda: L.GRU(3)(L.Input((4, 2)), initial_state=symbols((4,))),
        ShapeMismatch,
        "gru (GRU) after input (InputLayer) and input_1 (InputLayer): expected 1 state after "
        "the input, of the shapes [(3,)], received 1 of the shapes [(4,)]. Pass what the layer "
        "before returned as its states (return_state=True).",
    ),
    "a mask of another shape": (
        lambda: L.MultiHeadAttention(2, 3)(
            *symbols((4, 3), (5, 3)), attention_mask=L.Input((5, 4))
        ),
        ShapeMismatch,
        "multi_head_attention (MultiHeadAttention) after input (InputLayer) and input_1 "
        "(InputLayer) and input_2 (InputLayer): expected a mask of shape (4, 5) or (2, 4, 5), "
        "or with 1 in place of a size, received shape (5, 4). Its rows are the queries, its "
        "columns the keys; for padding give it shape (1, 5).",
    ),
    "a mask of text": (
        lambda: L.MultiHeadAttention(2, 3)(
            L.Input((4, 3)), attention_mask=L.Input((4, 4), dtype="string")
        ),
        InvalidArgument,
        "multi_head_attention (MultiHeadAttention) after input (InputLayer) and input_1 "
        "(InputLayer): expected numbers of at most 32 bits, received an input of dtype string. "
        "Put StringLookup or TextVectorization between.",
    ),
    "text to a layer of numbers": (
        lambda: chain((3,), L.Dense(3), dtype="string"),
        InvalidArgument,
        "layer 1 of 1, dense (Dense) after input (InputLayer): expected numbers of at most 32 "
        "bits, received an input of dtype string. Put StringLookup or TextVectorization "
        "between.",
    ),
    "numbers to a vocabulary": (
        lambda: chain((3,), L.StringLookup(vocabulary=["a"])),
        InvalidArgument,
        "layer 1 of 1, string_lookup (StringLookup) after input (InputLayer): expected an input"
        ' of text, received dtype float32. Write Input(shape=(1,), dtype="string"), or use '
        "IntegerLookup.",
    ),
    "a vocabulary of indicators that is not known": (
        lambda: chain((3,), L.StringLookup(output_mode="count"), dtype="string"),
        NotReady,
        "layer 1 of 1, string_lookup (StringLookup) after input (InputLayer): expected a "
        "vocabulary, received none so far. Call adapt(data) of the layer first, or pass "
        "vocabulary=[...].",
    ),
    "Masking where a layer is called": (
        lambda: L.LSTM(3)(L.Input((4, 2)), mask=L.Input((4,))),
        UnknownArgument,
        "LSTM: expected an argument it knows, received mask=<Symbol shape=(None, 4) "
        "dtype=float32 from InputLayer>. Masking and Embedding(mask_zero=True) make masks, "
        "which go with the values: leave it out.",
    ),
    "noise where a layer is called": (
        lambda: L.Dropout(0.5)(L.Input((4,)), training=True),
        UnknownArgument,
        "Dropout: expected an argument it knows, received training=True. Dropout and noise are "
        "on in fit, off in predict; model(x, training=True) has them on. Leave it out.",
    ),
    "scores where a layer is called": (
        lambda: L.MultiHeadAttention(2, 3)(L.Input((4, 3)), return_attention_scores=True),
        UnknownArgument,
        "MultiHeadAttention: expected an argument it knows, received "
        "return_attention_scores=True. Write it where the layer is made, not where it is "
        "called.",
    ),
    # Formulas
    "a formula without the batch axis": (
        lambda: chain((4,), L.Lambda(lambda x: x.ravel())),
        ShapeMismatch,
        "layer 1 of 1, lambda (Lambda) after input (InputLayer): expected an output that keeps "
        "the first axis, which is the batch, of size 1, received shape (4,). Keep it: x.sum(-1)"
        " in place of x.sum(), x.reshape(len(x), -1) for x.ravel().",
    ),
    "a formula that sums the batch": (
        lambda: chain((4,), L.Dense(3, activation=lambda x: x.sum())),
        ShapeMismatch,
        "layer 1 of 1, dense (Dense) after input (InputLayer): expected an output that keeps "
        "the first axis, which is the batch, of size 1, received shape (). Keep it: x.sum(-1) "
        "in place of x.sum(), x.reshape(len(x), -1) for x.ravel().",
    ),
    "a formula that returns nothing": (
        lambda: chain((4,), L.Dense(3), L.Lambda(lambda x: None)),
        InvalidArgument,
        "layer 2 of 2, lambda (Lambda) after dense (Dense): expected its formula to return an "
        "array, or a list of arrays, received NoneType. Return what it computed, as an array of"
        " jax.numpy.",
    ),
    "a formula of another library": (
        lambda: chain((4,), L.Lambda(lambda x: x.numpy())),
        InvalidArgument,
        "layer 1 of 1, lambda (Lambda) after input (InputLayer): expected operations of JAX, "
        "received x.numpy, which arrays of JAX do not have. See jax.numpy for what there is.",
    ),
    "a formula of numpy": (
        lambda: chain((4,), L.Lambda(lambda x: np.sin(x))),
        InvalidArgument,
        "layer 1 of 1, lambda (Lambda) after input (InputLayer): expected operations of JAX, "
        "received a function of numpy, which cannot be compiled. Use jax.numpy (jnp.mean for "
        "np.mean).",
    ),
    # Arithmetic on symbols
    **{
        received: (
            call,
            InvalidArgument,
            "Symbol: expected layers for arithmetic on what Input and layers return, received "
            f"{received}. Write {instead}.",
        )
        for received, call, instead in [
            ("a + b", lambda: 1 + L.Input((2,)), "Add()([a, b])"),
            ("a - b", lambda: L.Input((2,)) - L.Input((2,)), "Subtract()([a, b])"),
            (
                "a * b",
                lambda: 2 * L.Input((2,)),
                "Multiply()([a, b]), or Rescaling(2.0)(a) for a number",
            ),
            ("a / b", lambda: L.Input((2,)) / 255, "Rescaling(1 / 2)(a) for a number"),
            ("a @ b", lambda: L.Input((2, 3)) @ L.Input((3, 2)), "Dot(axes=(2, 1))([a, b])"),
            ("1 / a", lambda: 1 / L.Input((2,)), "Lambda(lambda x: 1 / x)(a)"),
            (
                "a // b or a % b",
                lambda: L.Input((2,)) % 2,
                "Lambda(lambda x: x // 2)(a) for a number",
            ),
            ("a ** b", lambda: L.Input((2,)) ** 2, "Lambda(lambda x: x**2)(a) for a number"),
            ("-a", lambda: -L.Input((2,)), "Rescaling(-1.0)(a)"),
            ("abs(a)", lambda: abs(L.Input((2,))), "Lambda(jnp.abs)(a)"),
            ("a comparison", lambda: L.Input((2,)) > 0, "Lambda(lambda x: x > 0)(a) for a number"),
            ("a[...]", lambda: L.Input((2, 3))[:, 0], "Lambda(lambda x: x[:, 0])(a)"),
            (
                "a function of numpy",
                lambda: np.sin(L.Input((2,))),  # type: ignore[call-overload]
                "Lambda(jnp.sin)(a) for np.sin(a)",
            ),
        ]
    },
    # Where the names come from
    "the place in a graph that a loop makes": (
        lambda: L.Conv2D(4, 3)(repeated(2)),
        ShapeMismatch,
        "conv2d_2 (Conv2D) after max_pooling2d_1 (MaxPooling2D): expected an input at least as "
        "large as kernel_size, 3 along axis 1, received 2 in shape (2, 2, 4). Make kernel_size "
        'smaller, write padding="same", or shrink the input less before.',
    ),
    "the place in a model inside a model": (
        lambda: chain((8, 8, 1), fw.Sequential([L.Conv2D(2, 3), L.Conv2D(2, 7)])),
        ShapeMismatch,
        "layer 1 of 1, sequential, layer 2 of 2, conv2d_1 (Conv2D) after conv2d (Conv2D): "
        "expected an input at least as large as kernel_size, 7 along axis 1, received 6 in "
        'shape (6, 6, 2). Make kernel_size smaller, write padding="same", or shrink the input '
        "less before.",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_use_is_answered_in_words(name: str) -> None:
    call, kind, text = WRONG[name]
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    assert str(caught.value) == text
