"""Codes of the structure: how weights begin, and what holds them back."""

from __future__ import annotations

from fitwell.doctor.codes.entry import Code, entry
from fitwell.doctor.codes.sources import (
    ADAMW,
    BOOK_REGULARIZATION,
    BOOK_UNITS,
    DROPOUT,
    GLOROT,
    HE,
    LINEAR_NETS,
    RECIPE,
)

CODES: tuple[Code, ...] = (
    entry(
        "zero_init",
        "All weights begin at zero",
        what="Kernels of several layers start at 0: no signal goes forward, no gradient back.",
        equation="dL/dW_1 = x (W_2 delta)^T = 0 if W_2 = 0;  dL/dW_2 = h delta^T = 0 if h = 0",
        looks="""
            - One prediction for all inputs; only the last bias learns.
            - The loss falls to the constant prediction's (ln C, entropy of the shares, var(y)) and
            stays there to the last digit.""",
        why="""Zero is a fine start for a linear model and for biases, and a stationary point, a
            saddle, for a network.""",
        unless="""Biases at 0 are the standard. The last layer alone, or the last of a residual
            block, may start at 0: its inputs differ, so it learns from the first step.""",
        cures=[
            (
                "Leave the initialiser out: it follows the activation.",
                """
                model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
                model.compile(loss="binary_crossentropy", metrics=["accuracy"])
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 0
            layers = [Dense(8, "relu", kernel_initializer="zeros")]
            layers += [Dense(1, "sigmoid", kernel_initializer="zeros")]
            model = fw.Sequential(layers)
            model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy")
            loss = model.fit(X, y, epochs=20, verbose=0).last()["loss"]
            print(f"spread of the predictions {model.predict(X).std():.1f}")
            print(f"loss {loss:.2f}, ln 2 = {np.log(2):.2f}")
            """,
        prints="""
            spread of the predictions 0.0
            loss 0.69, ln 2 = 0.69
            """,
        sources=[BOOK_UNITS, LINEAR_NETS],
    ),
    entry(
        "symmetric_init",
        "All units of a layer begin equal",
        what="""The units of a layer start with the same weights and are read with the same
            weights: they get the same gradient and stay copies for ever.""",
        equation="w_i = w_j and v_i = v_j  =>  dL/dw_i = dL/dw_j at every step",
        looks="""
            - Columns of the kernel are equal after training, to rounding.
            - A layer of 64 units is as good as one of 1.""",
        why="A constant initialiser (0.1, ones) on two layers in a row.",
        unless="""Constant in one of the two layers breaks nothing: the other one tells the units
            apart. Dropout breaks the tie, slowly. One unit has no twin.""",
        cures=[
            (
                "A random start; the default follows the activation.",
                """
                model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
                model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] * X[:, 1] > 0
            same = fw.initializers.Constant(0.1)
            layers = [Dense(8, "relu", kernel_initializer=same)]
            layers += [Dense(1, "sigmoid", kernel_initializer=same)]
            model = fw.Sequential(layers)
            model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy")
            model.fit(X, y, epochs=20, verbose=0)
            print(f"spread among the 8 units {model['dense'].kernel.std(axis=1).max():.4f}")
            """,
        prints="spread among the 8 units 0.0000",
        sources=[BOOK_UNITS],
    ),
    entry(
        "bad_init",
        "Weights that begin too large or too small",
        what="""The spread of the initial weights does not fit their number: values grow or shrink
            by the same factor in every layer.""",
        equation="""
            var(out) / var(in) = fan_in var(w) (/ 2 with ReLU)
            He: var(w) = 2 / fan_in;  Glorot: 2 / (fan_in + fan_out)""",
        looks="""
            - Too large: a first loss of tens or thousands where ln C is expected; flat sigmoids;
            NaN. Too small: equal outputs, gradients of 1e-6, a loss that hangs.
            - Another seed does not help.""",
        why="""A fixed standard deviation (1.0, 0.05) is right for one width only. 32 inputs of
            weights N(0, 2^2) make 11 times the size per linear layer.""",
        unless="""Recurrent kernels are orthogonal; embeddings have a size of their own; before
            batch normalisation the size hardly matters.""",
        cures=[
            (
                "The default, or by name for a function of your own.",
                """
                he = "he_normal"  # "glorot_uniform" for tanh, "lecun_normal" for selu
                model = fw.Sequential([
                    Dense(32, activation="relu", kernel_initializer=he),
                    Dense(32, activation="relu", kernel_initializer=he),
                    Dense(1, activation="sigmoid"),
                ])
                model.compile(loss="binary_crossentropy")
                """,
            ),
            (
                "Normalise after the layer: the size is set anew at every step.",
                "layer = fw.layers.BatchNormalization()",
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 0
            large = fw.initializers.RandomNormal(stddev=5.0)
            layers = [Dense(8, "relu", kernel_initializer=large)]
            layers += [Dense(1, "sigmoid", kernel_initializer=large)]
            model = fw.Sequential(layers)
            model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy")
            loss = model.evaluate(X, y, verbose=0)
            print(f"first loss {loss:.0f}, ln 2 = {np.log(2):.2f}")
            """,
        prints="first loss 8, ln 2 = 0.69",
        sources=[HE, GLOROT],
    ),
    entry(
        "high_dropout",
        "Dropout that leaves too little",
        what="""So many units are silenced in each step that what is left cannot carry the
            task.""",
        equation="kept units are divided by 1 - p:  their variance grows by h^2 p / (1 - p)",
        looks="""
            - Training scores far below validation scores: dropout acts in training only.
            - A training loss near the constant prediction's, with noise.""",
        why="""A rate of 0.9 keeps one unit of ten at ten times its size. Dropout cures
            overfitting; on a network that does not fit yet it makes things worse.""",
        unless="""Rates up to 0.5 in wide hidden layers and 0.2 on inputs are usual, and a slightly
            worse training than validation score is their sign, not a fault.""",
        cures=[
            (
                "None until the training score is good; then 0.1 to 0.5, never after the last "
                "hidden layer has become narrow.",
                """
                model = fw.Sequential([
                    Dense(8, activation="relu"),
                    fw.layers.Dropout(0.2),
                    Dense(1, activation="sigmoid"),
                ])
                model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy")
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 0
            drop = fw.layers.Dropout(0.95)
            model = fw.Sequential([Dense(8, "relu"), drop, Dense(1, "sigmoid")])
            model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy")
            loss = model.fit(X, y, epochs=20, verbose=0).last()["loss"]
            print(f"loss {loss:.2f}, without the mask {model.evaluate(X, y, verbose=0):.2f}")
            """,
        prints="loss 0.70, without the mask 0.62",
        sources=[DROPOUT],
    ),
    entry(
        "over_regularized",
        "Penalties that outweigh the data",
        what="""The L1 or L2 penalty, or weight decay, is so strong that small weights pay more
            than right answers.""",
        equation="""
            gradient = dL/dw + 2 a w:  w settles where they cancel
            L1 of strength a: a weight stays 0 while |dL/dw| < a""",
        looks="""
            - Predictions are nearly constant, weights near 0.
            - The loss starts high, because the penalty is part of it, falls, and hangs at the
            constant prediction's.
            - Training and validation are equally bad: no gap to close.""",
        why="""Penalties add up over layers and units, while the loss is a mean. A strength of 1 is
            huge; 1e-4 to 1e-2 is usual.""",
        unless="""If validation is best with it, it is right, however bad training looks. In front
            of batch normalisation L2 changes the rate, not the fit.""",
        cures=[
            (
                "A hundredth of it, or none until training fits.",
                """
                weak = {"kernel_regularizer": fw.regularizers.L2(1e-3)}
                model = fw.Sequential([
                    Dense(8, activation="relu", **weak), Dense(1, activation="sigmoid", **weak)
                ])
                model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy")
                """,
            ),
            (
                "Decoupled decay: a strength that does not depend on the gradient's size.",
                "model.compile(fw.optimizers.AdamW(0.01, weight_decay=0.01), "
                '"binary_crossentropy")',
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 0
            strong = fw.regularizers.L2(1.0)
            layers = [Dense(8, "relu", kernel_regularizer=strong)]
            layers += [Dense(1, "sigmoid", kernel_regularizer=strong)]
            model = fw.Sequential(layers)
            model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy")
            loss = model.fit(X, y, epochs=60, verbose=0).last()["loss"]
            print(f"loss {loss:.2f}, ln 2 = {np.log(2):.2f}")
            print(f"largest weight {abs(model['dense'].kernel).max():.3f}")
            """,
        prints="""
            loss 0.69, ln 2 = 0.69
            largest weight 0.004
            """,
        sources=[BOOK_REGULARIZATION, ADAMW, RECIPE],
    ),
)
