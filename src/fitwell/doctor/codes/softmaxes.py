"""Codes of the pairing: softmax in the wrong place."""

from __future__ import annotations

from fitwell.doctor.codes.entry import Code, entry
from fitwell.doctor.codes.sources import BOOK_UNITS, KERAS_LOSSES, TAXONOMY

CODES: tuple[Code, ...] = (
    entry(
        "double_softmax",
        "Softmax applied twice",
        what="""The probabilities of a softmax go through another one: in a second layer, or in a
            loss with `from_logits=True`.""",
        equation="""
            inner outputs in [0, 1]  =>  p <= e / (e + C - 1)
            loss >= ln(1 + (C - 1) / e):  0.55 for 3 classes, 1.46 for 10""",
        looks="""
            - The loss stops at that floor although accuracy may be near 1.
            - Learning is slow: the gradient passes two flat functions.
            - The largest predicted probability is 0.23 for 10 classes.""",
        why="The two conventions, logits and probabilities, were both obeyed.",
        unless="""A softmax with its cross-entropy counts once: fitwell computes that pair from
            the logits. Attention layers have softmaxes of their own inside.""",
        cures=[
            (
                "Probabilities, and the loss without from_logits.",
                'model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])',
            ),
            (
                "Or a last layer without activation, and from_logits=True.",
                """
                model = fw.Sequential([Dense(8, activation="relu"), Dense(3)])
                model.compile(loss=fw.losses.SparseCategoricalCrossentropy(from_logits=True))
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, :3].argmax(axis=1)
            model = fw.Sequential([Dense(8, activation="relu"), Dense(3, activation="softmax")])
            twice = fw.losses.SparseCategoricalCrossentropy(from_logits=True)
            model.compile(fw.optimizers.Adam(0.1), loss=twice, metrics=["accuracy"])
            last = model.fit(X, y, epochs=30, verbose=0).last()
            print(f"accuracy {last['accuracy']:.1f}")
            print(f"loss {last['loss']:.2f}, never below {np.log(1 + 2 / np.e):.2f}")
            """,
        prints="""
            accuracy 1.0
            loss 0.56, never below 0.55
            """,
        sources=[KERAS_LOSSES, TAXONOMY],
    ),
    entry(
        "relu_before_softmax",
        "Logits that cannot be negative",
        what="""The last layer has a ReLU, and a softmax or a cross-entropy from logits follows:
            no class can be pushed below logit 0.""",
        equation="""
            z_c = max(0, .): where it is 0, class c gets no gradient
            all z = 0: p = 1 / C and the loss is ln C, for good""",
        looks="""
            - Some classes are never predicted, others always; the loss hangs at ln C.
            - Every start ends elsewhere: which classes die is luck.""",
        why='`activation="relu"` was written on every layer, the last included.',
        unless="Softmax right after a hidden ReLU and a linear `Dense` is the usual network.",
        cures=[
            (
                "No ReLU on the last layer.",
                """
                model = fw.Sequential([Dense(8, activation="relu"), Dense(3, activation="softmax")])
                model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, :3].argmax(axis=1)
            logits = fw.losses.SparseCategoricalCrossentropy(from_logits=True)
            model = fw.Sequential([Dense(8, activation="relu"), Dense(3, activation="relu")])
            model.compile(loss=logits)
            z = model.predict(X)
            print(f"logits without a gradient: {(z == 0).mean():.2f}")
            """,
        prints="logits without a gradient: 0.48",
        sources=[BOOK_UNITS],
    ),
    entry(
        "softmax_single_unit",
        "Softmax of one unit",
        what="The output is a softmax over a single number: always exactly 1.",
        equation="e^z / e^z = 1,  d/dz = 0;  loss = 16.12 times the share of zeros",
        looks="""
            - All predictions are 1.0. Accuracy is the share of ones, and neither it nor the loss
            ever changes.
            - Balanced labels: 8.06 (7.67 in older Keras). `categorical_crossentropy`: exactly 0,
            which fitwell refuses.""",
        why="Yes or no is one number; softmax needs one number per class.",
        unless="Never. A softmax along another axis (attention over time) is another matter.",
        cures=[
            (
                "One unit: sigmoid.",
                """
                model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
                model.compile(loss="binary_crossentropy", metrics=["accuracy"])
                """,
            ),
            (
                "Or two units.",
                """
                model = fw.Sequential([Dense(8, activation="relu"), Dense(2, activation="softmax")])
                model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 0
            model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="softmax")])
            model.compile(loss="binary_crossentropy")
            print("predictions:", *set(model.predict(X)[:, 0].tolist()))
            print(f"loss {model.evaluate(X, y, verbose=0):.2f}")
            print(f"16.12 x share of zeros {16.118 * (1 - y.mean()):.2f}")
            """,
        prints="""
            predictions: 1.0
            loss 8.70
            16.12 x share of zeros 8.70
            """,
        sources=[KERAS_LOSSES, TAXONOMY],
    ),
    entry(
        "softmax_hidden",
        "Softmax in a hidden layer",
        what="A hidden layer's units share one sum: together they are always 1.",
        equation="sum_i h_i = 1:  mean 1 / n, and dh_i/dz_j = h_i (d_ij - h_j) <= 1/4",
        looks="""
            - Activations of about 1 / n each; gradients before the layer a hundred times smaller
            than after it.
            - A slow start: the loss hangs near ln C for many epochs. One unit wins and the rest
            carry nothing.""",
        why="Softmax was taken for just another activation, or a head was left in the middle.",
        unless="""On purpose it is a gate: attention, mixtures of experts, a soft choice that
            multiplies something.""",
        cures=[
            (
                "ReLU in hidden layers, softmax at the end only.",
                """
                model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
                model.compile(loss="binary_crossentropy", metrics=["accuracy"])
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 0
            model = fw.Sequential([Dense(64, activation="softmax"), Dense(1, activation="sigmoid")])
            model.compile(loss="binary_crossentropy")
            loss = model.fit(X, y, epochs=20, verbose=0).last()["loss"]
            h = np.exp(X @ model["dense"].kernel + model["dense"].bias)
            print(f"mean of a unit {(h / h.sum(axis=1, keepdims=True)).mean():.3f} = 1 / 64")
            print(f"loss {loss:.2f}, nothing learned: {np.log(2):.2f}")
            """,
        prints="""
            mean of a unit 0.016 = 1 / 64
            loss 0.68, nothing learned: 0.69
            """,
        sources=[BOOK_UNITS],
    ),
    entry(
        "multilabel_softmax",
        "Softmax where several labels may be true",
        what="""Each row may have none, one or several of the labels, but the outputs are forced
            to share a sum of 1.""",
        equation="k true labels: at best p = 1 / k each, so loss >= k ln k",
        looks="""
            - At most one output above 0.5; rows with two labels never get both.
            - The loss stops at the mean of k ln k over the rows.""",
        why="Multi-hot labels look like one-hot ones; the head of a classifier was kept.",
        unless="""Shares that sum to 1 (mixtures, soft labels) are what a softmax is for. Rows
            with exactly one label are one-hot.""",
        cures=[
            (
                "One sigmoid for each label: each its own question.",
                """
                model = fw.Sequential([Dense(8, activation="relu"), Dense(3, activation="sigmoid")])
                model.compile(loss="binary_crossentropy", metrics=["binary_accuracy"])
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = (X[:, :3] > 0).astype(float)  # none to three of three
            model = fw.Sequential([Dense(8, activation="relu"), Dense(3, activation="softmax")])
            model.compile(fw.optimizers.Adam(0.01), loss="categorical_crossentropy")
            loss = model.fit(X, y, epochs=30, verbose=0).last()["loss"]
            k = np.maximum(y.sum(axis=1), 1)
            floor = (k * np.log(k)).mean()
            print(f"loss {loss:.2f}, never below {floor:.2f}")
            print(f"most labels given at once: {(model.predict(X) > 0.5).sum(axis=1).max()}")
            """,
        prints="""
            loss 0.96, never below 0.84
            most labels given at once: 1
            """,
        sources=[KERAS_LOSSES, BOOK_UNITS],
    ),
)
