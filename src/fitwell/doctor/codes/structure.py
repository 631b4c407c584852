"""Codes of the structure: layers, depth and width."""

from __future__ import annotations

from fitwell.doctor.codes.entry import Code, entry
from fitwell.doctor.codes.sources import (
    BOOK_UNITS,
    GLOROT,
    LINEAR_NETS,
    PLAYBOOK,
    RESIDUAL,
    WIDTH,
)

CODES: tuple[Code, ...] = (
    entry(
        "linear_hidden",
        "A hidden layer without activation",
        what="""Two layers with nothing nonlinear between them compute what one layer can: the
            network draws a straight line, however deep it is.""",
        equation="W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2)",
        looks="""
            - No better than a linear or logistic regression; XOR stays at one half.
            - Width and depth change nothing.""",
        why="`Dense(64)` has no activation unless one is given.",
        unless="""A narrow linear layer is a bottleneck on purpose (low rank, a projection, an
            embedding). An `Activation`, normalisation or gate after it counts as its activation;
            what is computed matters, not the layer's name.""",
        cures=[
            (
                "Give hidden layers an activation.",
                """
                model = fw.Sequential([Dense(16, "relu"), Dense(1, "sigmoid")])
                model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
                """,
            ),
            (
                "If linear is what you want, one layer is faster and the same.",
                'model = fw.Sequential([Dense(1, activation="sigmoid")])',
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] * X[:, 1] > 0
            model = fw.Sequential([Dense(16), Dense(1, activation="sigmoid")])
            model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
            p = model.predict(X)
            first, last = model["dense"], model["dense_1"]
            w, b = first.kernel @ last.kernel, first.bias @ last.kernel + last.bias
            print(f"{first.kernel.size + last.kernel.size} weights do what {w.size} can: "
                  f"{np.allclose(p, 1 / (1 + np.exp(-X @ w - b)), atol=1e-5)}")
            """,
        prints="80 weights do what 4 can: True",
        sources=[BOOK_UNITS, LINEAR_NETS],
    ),
    entry(
        "hidden_sigmoid",
        "Sigmoids in hidden layers",
        what="""Every sigmoid layer shrinks the gradient that passes and sends only positive
            numbers on.""",
        equation="sigmoid'(z) = s (1 - s) <= 1/4:  L layers pass 4^-L at most, times the weights",
        looks="""
            - Gradients of the first layer a thousand times smaller than of the last.
            - The loss hangs at the constant prediction, then falls at once, or never.
            - Outputs around 0.5, whatever goes in.""",
        why="""The derivative is at most 1/4, and outputs around 1/2 push all weights of the next
            unit in one direction.""",
        unless="""One hidden sigmoid layer learns well with Adam; gates of LSTM and GRU need
            sigmoids; an output sigmoid is right for yes or no. If the network learns, it is a
            remark.""",
        cures=[
            (
                "ReLU; He initialisation comes with it.",
                """
                model = fw.Sequential([
                    *[Dense(8, activation="relu") for _ in range(6)],
                    Dense(1, activation="sigmoid"),
                ])
                model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
                """,
            ),
            (
                "Where it is to be bounded: tanh, symmetric and four times as steep.",
                'layer = Dense(8, activation="tanh")',
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 0
            chain = [Dense(8, "sigmoid") for _ in range(6)]
            model = fw.Sequential([fw.Input((4,)), *chain, Dense(1, "sigmoid")])
            model.compile(fw.optimizers.SGD(0.1), "binary_crossentropy")
            loss = model.fit(X, y, batch_size=200, epochs=100, verbose=0).last()["loss"]
            print(f"loss {loss:.2f}, nothing learned: {np.log(2):.2f}")
            print(f"spread of the outputs {model.predict(X).std():.3f}")
            """,
        prints="""
            loss 0.69, nothing learned: 0.69
            spread of the outputs 0.000
            """,
        sources=[GLOROT],
    ),
    entry(
        "too_deep",
        "A long chain of layers without shortcuts",
        what="""The signal and its gradient are products over many layers: they vanish or explode,
            and the first layers learn last.""",
        equation="dL/dh_1 = J_2^T J_3^T ... J_L^T dL/dh_L;  with shortcuts each factor is 1 + J",
        looks="""
            - Training error rises when layers are added: so it is no overfitting.
            - Outputs of a fresh network are equal for all inputs.
            - Some starts learn and others never do.""",
        why="""Each layer changes the size by its own factor, and rotates nearby inputs onto each
            other. Few tables need more than three hidden layers.""",
        unless="Residual, highway and normalised networks are deep by design.",
        cures=[
            (
                "Fewer layers.",
                """
                model = fw.Sequential([
                    Dense(32, activation="relu"),
                    Dense(32, activation="relu"),
                    Dense(1, activation="sigmoid"),
                ])
                model.compile(loss="binary_crossentropy", metrics=["accuracy"])
                """,
            ),
            (
                "Shortcuts: a block then starts near the identity.",
                """
                x = start = fw.Input((4,))
                x = Dense(16)(x)
                for _ in range(10):
                    x = fw.layers.Add()([x, Dense(16, activation="relu")(x)])
                model = fw.Model(start, Dense(1, activation="sigmoid")(x))
                model.compile(loss="binary_crossentropy", metrics=["accuracy"])
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 0
            chain = [Dense(16, "relu") for _ in range(12)]
            model = fw.Sequential([fw.Input((4,)), *chain, Dense(1, "sigmoid")])
            model.compile(loss="binary_crossentropy")
            h, alike = X, []
            for layer in model.layers[:12]:
                h = np.maximum(h @ layer.kernel + layer.bias, 0)
                alike.append(np.corrcoef(h).mean())
            print(f"two inputs correlate {alike[0]:.1f} after 1 layer, {alike[-1]:.1f} after 12")
            """,
        prints="two inputs correlate 0.1 after 1 layer, 0.7 after 12",
        sources=[RESIDUAL, GLOROT],
    ),
    entry(
        "too_narrow",
        "A layer narrower than what must pass",
        what="""A hidden layer has so few units that different inputs, or classes, become one
            there; no later layer can tell them apart again.""",
        equation="rank of the logits after a layer of k units <= k (+ 1 with a bias)",
        looks="""
            - Underfitting that more epochs and later layers do not cure.
            - ReLU layers of one to three units die as a whole: constant output.""",
        why="""ReLU networks need at least one unit more than there are inputs to approximate any
            function. A unit of a wide layer may die; the only one may not.""",
        unless="""The code of an autoencoder is narrow on purpose, and so is a low-rank layer. If
            validation is good, the layer is wide enough.""",
        cures=[
            (
                "Wider: 16 to 128 units cost nothing on tables; regularise by other means.",
                """
                model = fw.Sequential([Dense(32, "relu"), Dense(1, "sigmoid")])
                model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
                """,
            ),
            (
                "Try widths side by side.",
                """
                model = fw.Sequential([Dense(32, "relu"), Dense(1, "sigmoid")])
                model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy")
                result = fw.fit_many(model, X, y, width=[4, 8, 16, 32], epochs=20)
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = (X**2).sum(axis=1) > 3.4  # outside a sphere
            model = fw.Sequential([Dense(1, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
            accuracy = model.fit(X, y, epochs=60, verbose=0).last()["accuracy"]
            print(f"accuracy {accuracy:.2f}")
            """,
        prints="accuracy 0.66",
        sources=[WIDTH, PLAYBOOK],
    ),
    entry(
        "no_hidden_layer",
        "No hidden layer where the task is not linear",
        what="""One layer is linear or logistic regression: it cannot see that the effect of one
            feature depends on another.""",
        equation="y = f(w x + b):  one plane between the classes",
        looks="""
            - A kernel machine or a tree does much better on the same rows; a linear model is the
            network's equal.
            - XOR at 0.5, circles at the majority share, for any rate and any number of epochs.""",
        why="The simplest model was tried first, which is right, and then kept.",
        unless="""If the linear model is as good as the flexible ones, this is the best network
            there is: small, convex, readable.""",
        cures=[
            (
                "One hidden layer.",
                """
                model = fw.Sequential([Dense(16, "relu"), Dense(1, "sigmoid")])
                model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
                """,
            ),
            (
                "Or the feature that was missing.",
                "X = np.column_stack([X, X[:, 0] * X[:, 1]])",
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] * X[:, 1] > 0
            model = fw.Sequential([Dense(1, activation="sigmoid")])
            model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
            last = model.fit(X, y, epochs=60, verbose=0).last()
            print(f"accuracy {last['accuracy']:.2f}")
            """,
        prints="accuracy 0.58",
        sources=[BOOK_UNITS],
    ),
)
