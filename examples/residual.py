"""Why deep networks have shortcuts: 20 layers learn less than 8, unless pairs add their input.

python examples/residual.py
"""

import numpy as np
from _data import digits

import fitwell as fw
from fitwell.layers import Add, Dense, Input, ReLU

WIDTH, EPOCHS, BATCH, SEEDS = 32, 20, 32, 3


def network(
    depth: int, seed: int, shortcut: bool = False, start: str = "glorot_uniform"
) -> fw.Model:
    """`depth` dense layers of one width: the first, pairs of hidden ones, the softmax.

    A plain pair computes relu(F(x)), a residual one relu(x + F(x)), with the same
    F(x) = W2 relu(W1 x + b1) + b2. The sum has no weights, and neither has normalisation: nothing
    but "x +" is different. `start` is the initializer of W2: Glorot's, for He's keeps the size of
    relu(F(x)) as it is and would make sums larger with every pair.
    """
    images = Input((64,))
    x = Dense(WIDTH, activation="relu")(images)
    for _ in range((depth - 2) // 2):
        y = Dense(WIDTH, activation="relu")(x)
        y = Dense(WIDTH, kernel_initializer=start)(y)
        x = ReLU()(Add()([x, y]) if shortcut else y)
    return fw.Model(images, Dense(10, activation="softmax")(x), seed=seed)


def training_loss(**how: object) -> float:
    """Of the last epoch, with SGD; the median over the seeds."""
    pixels, labels = digits()
    found = []
    for seed in range(SEEDS):
        rate = fw.schedules.CosineDecay(0.01, decay_steps=EPOCHS * len(pixels) // BATCH)
        model = network(seed=seed, **how)
        model.compile(fw.optimizers.SGD(rate, momentum=0.9))
        history = model.fit(pixels, labels, batch_size=BATCH, epochs=EPOCHS, verbose=0)
        found.append(history.history["loss"][-1])
    return float(np.median(found))


def main() -> dict[str, float]:
    """The training loss of each kind of network.

    Degradation: the 20 plain layers could do whatever the 8 do, by repeating their input in the
    other 12, but gradient descent does not find that. It is no overfitting, for this is the loss on
    the images they are trained on.

    Its cure: with shortcuts a pair that has nothing to add need only make F small, and the gradient
    reaches every pair along the sums, not through the product of all matrices in between. With
    W2 = 0 at the start each pair begins by repeating its input, and depth becomes an advantage.

    Sources: He et al. 2016, arXiv:1512.03385; W2 = 0: Zhang, Dauphin & Ma 2019, arXiv:1901.09321.
    """
    found = {
        "8 layers, plain": training_loss(depth=8),
        "20 layers, plain": training_loss(depth=20),
        "20 layers, residual": training_loss(depth=20, shortcut=True),
        "20 layers, residual, W2 = 0": training_loss(depth=20, shortcut=True, start="zeros"),
    }
    print(f"training loss after {EPOCHS} epochs, median of {SEEDS} seeds:")
    for name, loss in found.items():
        print(f"  {name:<28} {loss:.4f}")
    return found


if __name__ == "__main__":
    main()
