"""Codes of the training: units that have stopped learning."""

from __future__ import annotations

from fitwell.doctor.codes.entry import Code, entry
from fitwell.doctor.codes.sources import (
    DYING,
    EFFICIENT_BACKPROP,
    GLOROT,
    HE,
)

CODES: tuple[Code, ...] = (
    entry(
        "dying_relu",
        "ReLU units that never answer",
        what="""A unit's pre-activation is negative for every training example: its output is 0,
            its gradient is 0, and it stays so.""",
        equation="z = w x + b <= 0 for all x  =>  dL/dw = 0, dL/db = 0",
        looks="""
            - Units whose largest output over the whole training set is 0. A layer of them makes
            the output constant.
            - The loss stops at the constant prediction's after a promising start.
            - "2 of 5 seeds die": bad luck that has a cause.""",
        why="""A step too long (rate, unscaled inputs) that threw the bias far down, a negative
            initial bias, or a narrow and deep chain: the chance to be born dead grows with depth
            and shrinks with width.""",
        unless="""Many zeros are not dead units: half of all activations are 0 in a healthy layer,
            and 90 % may be. Ask for each unit whether any example wakes it. A few dead ones among
            many cost capacity only.""",
        cures=[
            (
                "Take the cause away: scaled inputs, a tenth of the rate, biases at 0.",
                """
                model = fw.Sequential([
                    fw.layers.Normalization(),
                    Dense(8, activation="relu"),
                    Dense(1, activation="sigmoid"),
                ])
                model.compile(fw.optimizers.Adam(1e-3), "binary_crossentropy")
                """,
            ),
            (
                "A slope below 0: units come back.",
                """
                model = fw.Sequential([
                    Dense(8), fw.layers.LeakyReLU(0.1), Dense(1, activation="sigmoid")
                ])
                model.compile(loss="binary_crossentropy")
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 0
            low = fw.initializers.Constant(-10.0)
            model = fw.Sequential([Dense(8, "relu", bias_initializer=low), Dense(1, "sigmoid")])
            model.compile(loss="binary_crossentropy")
            loss = model.fit(X, y, epochs=20, verbose=0).last()["loss"]
            z = X @ model["dense"].kernel + model["dense"].bias
            print(f"dead {(z.max(axis=0) <= 0).mean():.0%}")
            print(f"loss {loss:.2f}, ln 2 = {np.log(2):.2f}")
            """,
        prints="""
            dead 100%
            loss 0.69, ln 2 = 0.69
            """,
        sources=[DYING, HE],
    ),
    entry(
        "saturation",
        "Units in the flat part of their activation",
        what="""Pre-activations of sigmoid or tanh lie so far out that the derivative is nearly
            0: the units answer yes or no and no longer learn.""",
        equation="tanh'(3) = 0.0099;  sigmoid'(5) = 0.0066;  sigmoid'(10) = 0.000045",
        looks="""
            - More than half of a layer's pre-activations beyond 3 (tanh) or 5 (sigmoid).
            - Outputs heaped at the ends, gradients before the layer near 0, a loss that hangs.""",
        why="""Unscaled inputs, initial weights too large, or a rate that threw the weights far
            out.""",
        unless="""The output unit of a good classifier is saturated: it is sure, and with its
            cross-entropy the gradient is p - y all the same. Gates of recurrent layers are
            often open or shut. Look at pre-activations of hidden layers.""",
        cures=[
            (
                "Scale the inputs inside the model.",
                """
                model = fw.Sequential([
                    fw.layers.Normalization(),
                    Dense(8, activation="tanh"),
                    Dense(1, activation="sigmoid"),
                ])
                model.compile(loss="binary_crossentropy")
                """,
            ),
            (
                "Normalise the pre-activations.",
                """
                model = fw.Sequential([
                    Dense(8), fw.layers.BatchNormalization(), fw.layers.Activation("tanh"),
                    Dense(1, activation="sigmoid"),
                ])
                model.compile(loss="binary_crossentropy")
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 0
            large = fw.initializers.RandomNormal(stddev=10.0)
            hidden = Dense(8, activation="tanh", kernel_initializer=large)
            model = fw.Sequential([hidden, Dense(1, activation="sigmoid")])
            model.compile(loss="binary_crossentropy")
            model.fit(X, y, epochs=5, verbose=0)
            z = X @ model["dense"].kernel + model["dense"].bias
            print(f"flat (|z| > 3): {(abs(z) > 3).mean():.1f}")
            """,
        prints="flat (|z| > 3): 0.9",
        sources=[EFFICIENT_BACKPROP, GLOROT],
    ),
)
