"""Codes of the data: how large the numbers are."""

from __future__ import annotations

from fitwell.doctor.codes.entry import Code, entry
from fitwell.doctor.codes.sources import (
    EFFICIENT_BACKPROP,
    GOLDBERG,
    HUBER,
    RECIPE,
)

CODES: tuple[Code, ...] = (
    entry(
        "unscaled_inputs",
        "Inputs far from size 1, or on different scales",
        what="""The size of a feature, sqrt(mean(x^2)), is far from 1, or features differ by
            orders of magnitude: pixels of 0..255, euros beside years, a large offset. Or whole
            numbers that are names (ids, codes, words) are read as sizes.""",
        equation="""
            dL/dw_ij = x_i delta_j
            largest stable rate of gradient descent = 2 / lambda_max,  lambda_max ~ mean(x^2)""",
        looks="""
            - The first loss is far above that of a constant prediction; then it hangs at the
            constant's: ln C for C classes, var(y) for numbers.
            - With SGD: NaN in the first epochs at a rate that is fine for scaled data. Inputs a
            hundred times larger need a rate ten thousand times smaller.
            - The first layer's sigmoid or tanh units are flat, or its ReLU units die in one
            step.""",
        why="""The gradient of a weight is proportional to its input, and the curvature to the
            square: one rate must serve all features and fits only the largest. Initial weights
            also assume inputs of size 1.""",
        unless="""Standardised data exceed [-1, 1]; sizes between 0.1 and 10 need nothing. One-hot
            columns, ids of an `Embedding`, and a network that begins with `Normalization` or
            `BatchNormalization` are in order whatever the raw numbers.""",
        cures=[
            (
                """Standardise inside the model: fit computes mean and variance from the training
                data alone, and raw data go in afterwards, too.""",
                """
                model = fw.Sequential([
                    fw.layers.Normalization(),
                    Dense(8, activation="relu"),
                    Dense(1, activation="sigmoid"),
                ])
                model.compile(loss="binary_crossentropy", metrics=["accuracy"])
                """,
            ),
            (
                "Pixels: one constant for all.",
                "first = fw.layers.Rescaling(1 / 127.5, offset=-1)  # 0..255 to -1..1",
            ),
            (
                "Positive numbers over several decades (prices, counts): logarithms first.",
                "X[:, 3] = np.log1p(abs(X[:, 3]))",
            ),
            (
                """Ids are names, 20 is not twice 10. Rows of nothing else (words, users): a vector
                for each id. Among other columns: bins, which can give each id its own value.""",
                """
                words = [fw.layers.Embedding(1000, 16), fw.layers.GlobalAveragePooling1D()]
                model = fw.Sequential([
                    fw.layers.PiecewiseLinearEmbedding(units=8, bins=32),
                    Dense(8, activation="relu"),
                    Dense(1, activation="sigmoid"),
                ])
                model.compile(loss="binary_crossentropy")
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4)) * [1, 1, 1, 1000]
            y = X[:, 0] > 0
            model = fw.Sequential([Dense(8, activation="tanh"), Dense(1, activation="sigmoid")])
            model.compile(loss="binary_crossentropy")
            loss = model.fit(X, y, epochs=20, verbose=0).last()["loss"]
            z = X @ model["dense"].kernel
            print(f"loss {loss:.2f}, nothing learned: {np.log(2):.2f}")
            print(f"tanh units that are flat: {(abs(z) > 3).mean():.2f}")
            """,
        prints="""
            loss 0.70, nothing learned: 0.69
            tanh units that are flat: 1.00
            """,
        sources=[EFFICIENT_BACKPROP, RECIPE],
    ),
    entry(
        "unscaled_targets",
        "Targets far from mean 0 and spread 1",
        what="""The numbers to be predicted are large, tiny or far from 0, while an untrained
            network's outputs are of size 1 around 0.""",
        equation="""
            first loss = mean(y^2) = mean(y)^2 + var(y)
            steps of Adam to carry a bias to mean(y) >= |mean(y)| / learning rate""",
        looks="""
            - The first loss is mean(y^2); it falls for many epochs and then hangs at var(y): the
            network has learned the mean and nothing else.
            - With SGD: NaN, since gradients are proportional to the error.
            - Targets of 1e-3: a loss of 1e-6 from the first epoch that looks like success; R2
            says that it is none.""",
        why="""Adam moves a weight by about the learning rate per step, however large the error:
            an offset of 500 is far. SGD takes steps in proportion to the error and
            overshoots.""",
        unless="Classes are names, not sizes. Counts with `poisson` and an exponential output.",
        cures=[
            (
                """Let the network work at size 1 and rescale its output inside the model:
                predictions and loss stay in the units of y. Use Adam; SGD's rate would have to
                be divided by var(y).""",
                """
                model = fw.Sequential([
                    Dense(8, activation="relu"),
                    Dense(1),
                    fw.layers.Rescaling(float(y.std()), offset=float(y.mean())),
                ])
                model.compile(fw.optimizers.Adam(0.01), loss="mse")
                """,
            ),
            (
                "Or train on standardised targets, and undo it after predict.",
                """
                mean, std = y.mean(), y.std()
                scaled = (y - mean) / std  # model.predict(X) * std + mean
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = 500 + 100 * X[:, 0]
            model = fw.Sequential([Dense(8, activation="relu"), Dense(1)])
            model.compile(loss="mse")
            history = model.fit(X, y, epochs=20, verbose=0)
            print(f"loss {history.last()['loss']:.0f}, mean(y^2) {(y**2).mean():.0f}")
            print(f"predicting the mean: {y.var():.0f}")
            """,
        prints="""
            loss 257633, mean(y^2) 259031
            predicting the mean: 9468
            """,
        sources=[EFFICIENT_BACKPROP],
    ),
    entry(
        "outliers",
        "A few values that dwarf all others",
        what="""Single values lie so far out that they decide mean, spread and gradient of a
            column or of the loss.""",
        equation="""
            one value among n can be at most (n - 1) / sqrt(n) standard deviations away
            gradient of the squared error = 2 (prediction - y):  grows with the distance""",
        looks="""
            - The largest value is dozens of standard deviations away, the rest within a tenth.
            - The loss jumps by orders of magnitude in the batch that holds the row.
            - Squared error of one row is most of the epoch's loss.""",
        why="""Typing errors, wrong units (grams among kilograms), or truly heavy tails. The mean
            and the squared error have no limit to what one value may do.""",
        unless="""Heavy tails that matter (floods, fraud) must stay in: change the scale or the
            loss, do not delete rows. Trees do not mind them; networks do.""",
        cures=[
            (
                "Clip to quantiles of the training data, if the values are errors.",
                """
                low, high = np.quantile(X, [0.005, 0.995], axis=0)
                X = np.clip(X, low, high)
                """,
            ),
            (
                "Targets: a loss whose gradient is bounded.",
                'model.compile(loss="huber")',
            ),
            (
                "Both signs and many decades: a logarithm that takes 0 and minus.",
                "X = np.arcsinh(X)",
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 0
            X[0, 0] = 10_000
            model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(loss="binary_crossentropy")
            z = (X - X.mean(axis=0)) / X.std(axis=0)
            print(f"row 0 at {z[0, 0]:.2f}, all others within {np.ptp(z[1:, 0]):.3f}")
            """,
        prints="row 0 at 14.11, all others within 0.007",
        sources=[HUBER],
    ),
    entry(
        "float_precision",
        "Differences that float32 cannot hold",
        what="""A feature is so large against its spread that neighbouring values become equal in
            float32, in which networks compute.""",
        equation="distance of neighbours in float32 = 2^(floor(log2 |x|) - 23):  128 at 1.7e9",
        looks="""
            - Far fewer distinct values after `astype("float32")`.
            - Time stamps in seconds, map coordinates in metres, ids: features that should matter
            and do not.""",
        why="""float32 has 24 bits, about 7 digits. A layer inside the model comes too late: it
            gets values that are rounded already.""",
        unless="A large offset whose spread is large, too (1e9 +- 1e8) keeps its digits.",
        cures=[
            (
                "Subtract the mean in float64, before the data become float32.",
                "X = (X - X.mean(axis=0)) / X.std(axis=0)",
            ),
            (
                "Times: age since the first, and the phase of day and week.",
                """
                day = 2 * np.pi * X[:, 0] / 86_400
                X = np.column_stack([X[:, 0] - X[:, 0].min(), np.sin(day), np.cos(day)])
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            X[:, 0] = 1_700_000_000 + np.arange(200)  # seconds
            y = X[:, 0] % 2
            model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(loss="binary_crossentropy")
            kept = X.astype("float32")[:, 0]
            print(f"{len(set(kept))} of 200 values, {np.spacing(kept[0]):.0f} seconds apart")
            """,
        prints="3 of 200 values, 128 seconds apart",
        sources=[GOLDBERG],
    ),
    entry(
        "constant_feature",
        "A feature that never changes",
        what="One column holds the same value in every training row.",
        equation="w x + b with x = c:  (w c) is one more bias",
        looks="""
            - The standard deviation of the column is exactly 0.
            - Standardising by hand gives 0 / 0 = NaN, or a division by 1e-7 that turns the first
            new value into millions.""",
        why="""A failed join, a filter that kept one group, a unit that was filled with a default,
            or a column that varies only in data that are not there yet.""",
        unless="""Border pixels of images and rare words are often constant in a sample. If the
            network learns, it is a remark: the column costs weights and tells nothing. All
            columns constant: nothing can be learned.""",
        cures=[
            (
                "Leave the column out, after asking why it is constant.",
                "X = X[:, X.std(axis=0) > 0]",
            ),
            (
                "`Normalization` turns it into 0 whatever comes later, without a division by 0.",
                "first = fw.layers.Normalization()",
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            X[:, 2] = 7.0
            y = X[:, 0] > 0
            model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(loss="binary_crossentropy")
            print("standard deviations:", *(f"{std:.1f}" for std in X.std(axis=0)))
            """,
        prints="standard deviations: 1.0 0.9 0.0 1.0",
        sources=[EFFICIENT_BACKPROP],
    ),
)
