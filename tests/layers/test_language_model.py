"""A tiny language model, end to end: tokens and positions, causal blocks, a fit, the next token."""

from __future__ import annotations

import numpy as np

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line

TEXT = "the cat sat on the mat and the dog ran after the cat"
LENGTH = 16


def model_of(vocabulary: int) -> fw.Model:
    tokens = L.Input((LENGTH,), dtype="int32")
    x = L.Embedding(vocabulary, 32)(tokens)
    x = L.Add()([x, L.PositionEmbedding(LENGTH)(x)])
    for _ in range(2):
        x = L.TransformerDecoder(64, 4, activation="gelu", normalize_first=True)(x)
    return fw.Model(tokens, L.Dense(vocabulary)(L.LayerNormalization(epsilon=1e-5)(x)))


def test_a_stack_of_blocks_learns_a_text_by_heart() -> None:
    letters = sorted(set(TEXT))
    ids = np.array([letters.index(c) for c in TEXT], np.int32)
    starts = np.arange(len(ids) - LENGTH)
    x = np.stack([ids[s : s + LENGTH] for s in starts])
    y = np.stack([ids[s + 1 : s + LENGTH + 1] for s in starts])
    model = model_of(len(letters))
    loss = fw.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=fw.optimizers.Adam(1e-2), loss=loss)
    history = model.fit(x, y, epochs=60, batch_size=12)
    # "the cat" or "the mat"? The first letters of a window leave that open, the later ones do not.
    assert history.history["loss"][-1] < 0.35
    written = list(ids[:LENGTH])
    for _ in range(len(ids) - LENGTH):
        logits = model.predict(np.array([written[-LENGTH:]], np.int32), verbose=0)
        written.append(int(np.argmax(logits[0, -1])))
    assert "".join(letters[i] for i in written) == TEXT
