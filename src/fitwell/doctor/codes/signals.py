"""Codes of the training: what happens to values and gradients inside."""

from __future__ import annotations

from fitwell.doctor.codes.entry import Code, entry
from fitwell.doctor.codes.sources import (
    BATCH_NORM,
    GLOROT,
    GOLDBERG,
    HE,
    RECURRENT,
    RESIDUAL,
)

CODES: tuple[Code, ...] = (
    entry(
        "vanishing_gradient",
        "The gradient fades on its way to the first layers",
        what="The first layers get a gradient that is orders of magnitude smaller than the last.",
        equation="|dL/dW_1| ~ product over layers of |W_l| |f'(z_l)|:  sigmoid <= 1/4 each",
        looks="""
            - Norm of the gradient of the first layer below 1/1000 of the last layer's.
            - The first weights do not move; the loss hangs at the constant prediction's.
            - Recurrent networks forget what is more than some ten steps back.""",
        why="""Saturated or flat activations, initial weights that are too small, a long chain or
            a long sequence, or padding behind a short one. Adam rescales each weight's step, but
            not the noise in it.""",
        unless="""At a minimum all gradients are small: compare layers, and look at the loss. A
            small gradient of a layer with few inputs, or behind a warm start, is not vanishing.""",
        cures=[
            (
                "ReLU with its He start.",
                """
                model = fw.Sequential([
                    *[Dense(8, activation="relu") for _ in range(6)],
                    Dense(1, activation="sigmoid"),
                ])
                model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy")
                """,
            ),
            (
                "Batch normalisation before each activation; shortcuts; fewer layers.",
                """
                block = [Dense(8), fw.layers.BatchNormalization(), fw.layers.Activation("relu")]
                model = fw.Sequential([*block, Dense(1, activation="sigmoid")])
                """,
            ),
            (
                "Sequences: gates keep the gradient, and padding behind the data is left out.",
                "layers = [fw.layers.Embedding(1000, 16, mask_zero=True), fw.layers.LSTM(32)]",
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 0
            chain = [Dense(8, "sigmoid") for _ in range(6)]
            model = fw.Sequential([fw.Input((4,)), *chain, Dense(1, "sigmoid")])
            model.compile(fw.optimizers.SGD(1.0), "binary_crossentropy")
            before = model.get_weights()
            model.fit(X, y, batch_size=200, verbose=0)  # one step of rate 1: minus the gradient
            norms = [np.linalg.norm(a - b) for a, b in zip(before, model.get_weights())]
            print(f"norm of the first gradient / last: {norms[0] / norms[-2]:.5f}")
            """,
        prints="norm of the first gradient / last: 0.00068",
        sources=[GLOROT, RECURRENT, RESIDUAL],
    ),
    entry(
        "exploding_gradient",
        "The gradient grows on its way to the first layers",
        what="""Gradients are so large that a step throws the weights away: the factors of the
            layers, multiplied, are far above 1.""",
        equation="clipping:  g <- g min(1, c / |g|)",
        looks="""
            - Norms of hundreds or more, growing from the last layer to the first, or from the
            last time step to the first.
            - Single steps after which the loss is higher by orders of magnitude, then NaN.""",
        why="""Initial weights that are too large, unscaled inputs or targets, long sequences, a
            cliff in the loss. No number is too high as such: the norm scales with the loss.""",
        unless="""A large norm at the start that falls by itself. Adam's steps do not grow with it,
            so judge by the loss.""",
        cures=[
            (
                "First the cause: scale inputs and targets, leave the initialiser to the library.",
                """
                model = fw.Sequential([
                    fw.layers.Normalization(), Dense(32, activation="relu"), Dense(1)
                ])
                model.compile(loss="mse")
                """,
            ),
            (
                "Then clip all gradients together: the direction stays.",
                'model.compile(fw.optimizers.SGD(0.01, global_clipnorm=1.0), "mse")',
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0]
            large = fw.initializers.RandomNormal(stddev=1.0)
            chain = [Dense(32, "relu", kernel_initializer=large) for _ in range(3)]
            model = fw.Sequential([fw.Input((4,)), *chain, Dense(1, kernel_initializer=large)])
            model.compile(fw.optimizers.SGD(1e-6), "mse")
            before = model["dense"].kernel
            model.fit(X, y, batch_size=200, verbose=0)  # one step
            norm = np.linalg.norm(model["dense"].kernel - before) / 1e-6
            print(f"norm of the first gradient {norm:.0f}")
            """,
        prints="norm of the first gradient 8658",
        sources=[RECURRENT],
    ),
    entry(
        "exploding_activation",
        "Values that grow from layer to layer",
        what="The outputs of the layers become larger and larger on the way through the network.",
        equation="size after L ReLU layers = (fan_in var(w) / 2)^(L / 2) size of the input",
        looks="""
            - sqrt(mean(h^2)) grows by a constant factor per layer.
            - Outputs of thousands for inputs of size 1, a first loss to match, overflow in
            exponentials.""",
        why="""Initial weights too large for their number, sums without division, shortcuts
            without normalisation: adding L independent branches gives sqrt(L).""",
        unless="""A last layer in the units of y may be large. Growth by sqrt(L) in residual
            networks is normal and is met by a normalisation at the end.""",
        cures=[
            (
                "He's spread: the factor becomes 1.",
                """
                model = fw.Sequential([
                    *[Dense(32, activation="relu", kernel_initializer="he_normal")
                      for _ in range(5)],
                    Dense(1),
                ])
                model.compile(loss="mse")
                """,
            ),
            (
                "Layer normalisation between the layers.",
                "layer = fw.layers.LayerNormalization()",
            ),
        ],
        example="""
            X = random.normal(size=(200, 32))
            y = X[:, 0]
            large = fw.initializers.RandomNormal(stddev=1.0)
            chain = [Dense(32, "relu", kernel_initializer=large) for _ in range(5)]
            model = fw.Sequential([fw.Input((32,)), *chain, Dense(1)])
            model.compile(loss="mse")
            h = X
            for layer in model.layers[:5]:
                h = np.maximum(h @ layer.kernel + layer.bias, 0)
            print(f"growth {np.sqrt((h**2).mean()):.0f}, expected about {(32 / 2) ** 2.5:.0f}")
            """,
        prints="growth 1487, expected about 1024",
        sources=[HE, BATCH_NORM],
    ),
    entry(
        "nan",
        "The loss or a weight is no number any more",
        what="""An operation gave NaN or infinity, and one step carried it into every weight. The
            network cannot recover. `fit` ends there with the last good weights, and its finding
            says which step, row, layer and operation made the first such value.""",
        equation="inf - inf, 0 / 0, 0 inf, log(-1), sqrt(-1) = NaN;  float32 ends at 3.4e38",
        looks="""
            - In the first epoch: the data (see `nan_in_data`), or a rate far too high.
            - After a rise: divergence; the last finite losses grow by a factor per step.
            - Out of nothing, after many good epochs: a rare row, log of 0, a division by a
            spread that became 0.""",
        why="""Divergence is the usual cause; next come logarithms, roots and divisions of one's
            own loss or Lambda layer. The gradient of sqrt(x) at 0 is infinite although the
            value is fine.""",
        unless="A diverged member of a search over rates is an answer: that rate is too high.",
        cures=[
            (
                "Rate down, gradients clipped, inputs and targets scaled.",
                """
                model = fw.Sequential([fw.layers.Normalization(), Dense(1)])
                model.compile(fw.optimizers.SGD(0.01, global_clipnorm=1.0), "mse")
                """,
            ),
            (
                'Stop there with `doctor="off"` too, instead of going on with NaN.',
                "stop = fw.callbacks.TerminateOnNaN()\n"
                'model.fit(X, y, callbacks=stop, doctor="off", verbose=0)',
            ),
            (
                "In functions of your own: keep the argument away from 0.",
                """
                import jax.numpy as jnp

                def log_error(y_true, y_pred):
                    return abs(jnp.log(jnp.maximum(y_pred, 1e-6)) - jnp.log(y_true))[..., 0]
                """,
            ),
        ],
        example="""
            X = 100 * random.normal(size=(200, 4))
            y = X[:, 0]
            model = fw.Sequential([Dense(1)])
            model.compile(fw.optimizers.SGD(0.1), "mse")
            losses = model.fit(X, y, epochs=10, verbose=0).history["loss"]
            print(f"not finite in the end: {not np.isfinite(losses[-1])}")
            """,
        prints="not finite in the end: True",
        sources=[GOLDBERG, RECURRENT],
    ),
)
