"""A recurrent network learns to write like Shakespeare, character by character.

python examples/shakespeare_rnn.py [steps]
"""

import sys
import time
from typing import NamedTuple

from _data import shakespeare, windows

import fitwell as fw

CONTEXT, BATCH = 64, 32


class Findings(NamedTuple):
    loss: float  # on the last tenth of the text, nats per character
    written: str  # by the network, after "ROMEO:"


def main(steps: int = 1000) -> Findings:
    """Trains on the first nine tenths of the text, measures on the last, and writes.

    A GRU reads one character after the other and keeps what it needs in 128 numbers; from them a
    dense layer scores every character that may be next. Gradients pass back through 64 steps; now
    and then one of them is large, and clipping keeps it from throwing the weights away.
    """
    text = shakespeare()
    first, last = text.parts()
    vocabulary = len(text.characters)
    model = fw.architectures.char_rnn(vocabulary, (128,), context=CONTEXT, cell="gru", seed=0)
    rate = fw.schedules.CosineDecay(1e-2, decay_steps=steps)
    # The outputs are scores, so the loss takes the softmax: -log softmax(scores)[next character].
    loss = fw.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(fw.optimizers.Adam(rate, global_clipnorm=1.0), loss=loss)

    # A tenth of the steps makes an "epoch", for the lines that fit prints.
    began = time.perf_counter()
    x, y = windows(first, CONTEXT)
    model.fit(x, y, batch_size=BATCH, epochs=10, steps_per_epoch=steps // 10, verbose=2)
    seconds = time.perf_counter() - began

    x, y = windows(last, CONTEXT, step=CONTEXT)  # every character once
    held_out = model.evaluate(x, y, batch_size=64, verbose=0)
    print(f"{steps} steps in {seconds:.1f} s of wall time")
    print(f"loss {held_out:.3f} nats per character, on {y.size:,} characters of the last tenth")

    prompt = text.encode("ROMEO:")
    written = text.decode(fw.architectures.generate(model, prompt, 300, temperature=0.8))
    print(f"ROMEO:{written}")
    return Findings(held_out, written)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
