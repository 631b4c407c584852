"""Codes of the training: what the curves of loss and score say."""

from __future__ import annotations

from fitwell.doctor.codes.entry import Code, entry
from fitwell.doctor.codes.sources import (
    EDGE,
    KERAS_LOSSES,
    NOISE_SCALE,
    PLAYBOOK,
    RANGE_TEST,
    RECIPE,
    SKLEARN_PITFALLS,
)

CODES: tuple[Code, ...] = (
    entry(
        "oscillating_loss",
        "A loss that swings instead of falling",
        what="The training loss goes up and down from epoch to epoch, without getting lower.",
        equation="SGD hovers at a height that grows with rate / batch size",
        looks="""
            - It rises in a third or more of the epochs, by more than its progress over the whole
            second half.
            - Accuracy swings by several percent.""",
        why="""Steps too long for the noise of the gradient: rate too high, batch too small, too
            much momentum; or rows in an order (`shuffle=False` on sorted labels).""",
        unless="""Swings around a level that still falls. Validation curves of few rows swing by
            2 sqrt(p (1 - p) / n) on their own; dropout adds to training curves.""",
        cures=[
            (
                "A rate that ends at 0: long steps first, quiet at the end.",
                """
                rate = fw.schedules.CosineDecay(0.1, decay_steps=30 * 7)
                model.compile(fw.optimizers.SGD(rate), "mse")
                """,
            ),
            (
                "A tenth of the rate, or a larger batch.",
                'model.compile(fw.optimizers.SGD(0.06), "mse")',
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] + random.normal(size=200)
            model = fw.Sequential([Dense(1)])
            model.compile(fw.optimizers.SGD(0.6), "mse")
            losses = np.array(model.fit(X, y, epochs=30, verbose=0).history["loss"])[15:]
            swing = np.median(abs(np.diff(losses))) / np.median(losses)
            print(f"usual change from epoch to epoch {swing:.2f} of the loss")
            print(f"loss {losses.min():.1f} to {losses.max():.1f}, of the noise alone 1.0")
            """,
        prints="""
            usual change from epoch to epoch 0.17 of the loss
            loss 0.9 to 1.7, of the noise alone 1.0
            """,
        sources=[NOISE_SCALE, RANGE_TEST],
    ),
    entry(
        "slow_convergence",
        "A loss that falls too slowly to arrive",
        what="Every epoch improves the training loss, but by so little that the plan is too short.",
        equation="gradient descent: error_t ~ (1 - 1 / kappa)^t,  kappa = lambda_max / lambda_min",
        looks="""
            - Less than 1 % of the loss per epoch, far from a level that simple models reach.
            - The curve is smooth: there is room for a higher rate.""",
        why="""Rate too low, plain SGD on features of different scales, flat activations, few
            steps per epoch, a bad start.""",
        unless="""Near the best possible loss every curve is flat. Before a drop (grokking, XOR) it
            may be flat, too; then more epochs are the cure.""",
        cures=[
            (
                "Adam at 0.01 or 0.001; or momentum, which is 1 / (1 - m) times as fast.",
                'model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy")',
            ),
            (
                "Find the rate.",
                """
                fresh = fw.Sequential([Dense(8, activation="relu"), Dense(1, "sigmoid")])
                fresh.compile(loss="binary_crossentropy")
                model.learning_rate = float(fw.find_learning_rate(fresh, X, y))
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 0
            model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(fw.optimizers.SGD(0.001), "binary_crossentropy")
            losses = np.array(model.fit(X, y, epochs=20, verbose=0).history["loss"])
            gains = 1 - losses[1:] / losses[:-1]
            print(f"largest gain of an epoch {gains.max():.1%}")
            """,
        prints="largest gain of an epoch 0.3%",
        sources=[PLAYBOOK, RANGE_TEST],
    ),
    entry(
        "loss_increasing",
        "A training loss that rises",
        what="""The loss on the training data is higher at the end than at the beginning, or
            climbs for many epochs.""",
        equation="on curvature lambda each step multiplies the loss by (1 - rate lambda)^2",
        looks="""
            - A steady factor per epoch: the rate is beyond 2 / lambda_max.
            - Towards minus infinity or plus infinity at once: a sign.""",
        why="""Steps too long, or ascent: a loss of one's own with the wrong sign, a metric taken
            as loss. A rising training loss is never overfitting, which lowers it.""",
        unless="""Warm-up, restarts of a cyclic schedule, augmentation or dropout that grows during
            training, a penalty that is phased in.""",
        cures=[
            (
                "A lower rate: half of the limit is safe.",
                'model.compile(fw.optimizers.SGD(rate / 4), "mse")',
            ),
            (
                "What is better when larger needs a minus.",
                """
                import jax.numpy as jnp

                def negative_agreement(y_true, y_pred):
                    return -jnp.mean(y_true * y_pred, axis=-1)
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0]
            ones = np.column_stack([X, np.ones(200)])  # the Hessian of mse is 2 X'X / n
            rate = 2.1 / np.linalg.eigvalsh(2 * ones.T @ ones / 200).max()
            model = fw.Sequential([Dense(1)])
            model.compile(fw.optimizers.SGD(float(rate)), "mse")
            losses = model.fit(X, y, batch_size=200, epochs=60, verbose=0).history["loss"]
            print(f"factor per step {losses[-1] / losses[-2]:.2f}, (1 - 2.1)^2 = {1.1**2:.2f}")
            """,
        prints="factor per step 1.21, (1 - 2.1)^2 = 1.21",
        sources=[PLAYBOOK, EDGE],
    ),
    entry(
        "high_initial_loss",
        "A first loss far above that of a constant",
        what="""Before training, the loss is much larger than that of a network that says the
            same for all inputs.""",
        equation="""
            softmax of C classes: ln C (2.30 for 10);  sigmoid: ln 2 = 0.693
            squared error: mean(y^2)""",
        looks="""
            - Tens where ln C is expected: the network begins by being sure, and wrong.
            - A curve that falls steeply in the first epoch and is flat afterwards: it only undid
            its start.""",
        why="""Unscaled inputs, initial weights too large, outputs that are taken for
            probabilities, targets far from 0, a penalty inside the loss.""",
        unless="""Up to about twice ln C is the ordinary spread of initial logits. Numbers far from
            0 have a large mean(y^2) by nature: see `unscaled_targets`.""",
        cures=[
            (
                "Scale what goes in.",
                """
                model = fw.Sequential([
                    fw.layers.Normalization(), Dense(8, "relu"), Dense(1, "sigmoid")
                ])
                model.compile(loss="binary_crossentropy")
                """,
            ),
            (
                "Measure before training; this is the first number to look at.",
                "print(model.evaluate(X, y, verbose=0), np.log(2))",
            ),
        ],
        example="""
            X = 1000 * random.normal(size=(200, 4))
            y = X[:, 0] > 0
            model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(loss="binary_crossentropy")
            loss = model.evaluate(X, y, verbose=0)
            model.fit(X, y, epochs=5, verbose=0)
            print(f"first loss {loss:.0f}, ln 2 = {np.log(2):.2f}")
            """,
        prints="first loss 142, ln 2 = 0.69",
        sources=[RECIPE],
    ),
    entry(
        "zero_loss",
        "A loss of exactly zero",
        what="The loss is 0, or becomes 0 at once: nothing is measured, or the answer was given.",
        equation="sum(w loss) = 0 if all w = 0;  softmax of one class: -ln 1 = 0",
        looks="""
            - 0.0 from the first step, and weights that never move.
            - Or within an epoch, with perfect scores: the label is among the inputs.""",
        why="""All weights or masks are 0, one class only, a cross-entropy over a single column
            (fitwell refuses it), targets copied into the features.""",
        unless="""Small tables can be fitted to 1e-7. Hinge losses are exactly 0 once every margin
            is kept.""",
        cures=[
            (
                "Look at weights and labels.",
                "print(weights.sum(), *np.unique(y, return_counts=True))",
            ),
            (
                "A feature that predicts alone is the label in disguise.",
                "print(np.corrcoef(X.T, y)[-1].round(3))",
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 0
            weights = np.zeros(200)
            model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(loss="binary_crossentropy")
            last = model.fit(X, y, sample_weight=weights, epochs=3, verbose=0).last()
            print(f"loss {last['loss']}")
            """,
        prints="loss 0.0",
        sources=[SKLEARN_PITFALLS, RECIPE],
    ),
    entry(
        "negative_loss",
        "A loss below zero",
        what="""A loss that cannot be negative on proper input is: labels or predictions are not
            what it takes them for.""",
        equation="""
            cross-entropy >= 0 if y and p are in [0, 1]
            sum(y ln(y / p)) >= 0 only if y and p each sum to 1""",
        looks="""
            - It falls without end while accuracy stays or drops.
            - Labels of 2 or -1 in a binary cross-entropy (fitwell refuses them).""",
        why="""Nothing bounds the loss from below, so training runs to infinity instead of to the
            labels.""",
        unless="""Log densities (p above 1), Poisson without its constant, cosine similarity (-1 is
            best) and what is maximised by its negative are negative by right. Compare with the
            best possible value, not with 0.""",
        cures=[
            (
                "Outputs that sum to 1 for a divergence between distributions.",
                """
                model = fw.Sequential([Dense(8, activation="relu"), Dense(3, activation="softmax")])
                model.compile(loss="kl_divergence")
                """,
            ),
            (
                "0/1 labels for a binary cross-entropy.",
                "y = (y > y.mean()).astype(float)",
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = np.full((200, 3), 1 / 3)  # a distribution
            model = fw.Sequential([Dense(8, activation="relu"), Dense(3, activation="sigmoid")])
            model.compile(fw.optimizers.Adam(0.01), loss="kl_divergence")
            loss = model.fit(X, y, epochs=60, verbose=0).last()["loss"]
            print(f"loss {loss:.1f}, ln(1/3) = {np.log(1 / 3):.1f} if all outputs are 1")
            """,
        prints="loss -1.1, ln(1/3) = -1.1 if all outputs are 1",
        sources=[KERAS_LOSSES],
    ),
)
