"""Codes of the pairing: the output for the labels."""

from __future__ import annotations

from fitwell.doctor.codes.entry import Code, entry
from fitwell.doctor.codes.sources import (
    BOOK_UNITS,
    KERAS_LOSSES,
    RECIPE,
    TAXONOMY,
)

CODES: tuple[Code, ...] = (
    entry(
        "output_activation_loss_mismatch",
        "An output that the loss does not take for a probability",
        what="""A cross-entropy gets numbers outside [0, 1] from a linear, tanh or ReLU output and
            clips them; or it is told `from_logits=True` and gets probabilities.""",
        equation="""
            p clipped to [1e-7, 1 - 1e-7]: outside, the gradient is 0
            constant 1 on balanced labels: -ln(1e-7) / 2 = 8.06""",
        looks="""
            - A loss of several units that hardly moves: 16.12 times the share of examples clipped
            on the wrong side. (Older Keras clips otherwise: 7.67 instead of 8.06.)
            - `from_logits=True` behind a sigmoid: never below ln(1 + 1/e) = 0.313.""",
        why="""An example clipped on the wrong side has the largest loss and no gradient: it
            cannot be corrected.""",
        unless="""A linear output with `from_logits=True` is right, and so is tanh with hinge and
            labels -1 and 1. A sigmoid with its cross-entropy needs no logits here: it is computed
            from them anyway.""",
        cures=[
            (
                "Probabilities, and the loss as it is.",
                """
                model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
                model.compile(loss="binary_crossentropy", metrics=["accuracy"])
                """,
            ),
            (
                "Or logits, and a loss that knows it; predict then returns logits.",
                "model.compile(loss=fw.losses.BinaryCrossentropy(from_logits=True))",
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 0
            model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="tanh")])
            model.compile(loss="binary_crossentropy")
            p = model.predict(X)[:, 0]
            wrong = ((p <= 0) & y).mean()
            print(f"negative on yes: {wrong:.2f}, so a loss of at least {16.12 * wrong:.1f}")
            print(f"loss {model.evaluate(X, y, verbose=0):.1f}")
            """,
        prints="""
            negative on yes: 0.14, so a loss of at least 2.3
            loss 2.7
            """,
        sources=[KERAS_LOSSES, TAXONOMY],
    ),
    entry(
        "output_range_mismatch",
        "Targets that the output cannot reach",
        what="""The last activation bounds the output, and targets lie beyond: a sigmoid for
            prices, tanh for 0..10, ReLU for differences that may be negative.""",
        equation="best MSE = mean((y - clip(y, low, high))^2)",
        looks="""
            - The loss hangs at that value, to many digits.
            - Predictions stand at the bound: all 1.00, or all 0.
            - With a ReLU output: constant 0 and no gradient at all.""",
        why="""The activation was copied from a classifier, or the targets were scaled and the
            range of the scaling is not the activation's.""",
        unless="""Targets inside the range, with room at its ends. Softplus or exponential for
            positive targets is a model, not a mistake.""",
        cures=[
            (
                "Numbers: a linear output.",
                """
                model = fw.Sequential([Dense(8, activation="relu"), Dense(1)])
                model.compile(loss="mse")
                """,
            ),
            (
                "Bounds that are real: scale the bounded output to them.",
                """
                low, high = float(y.min()), float(y.max())
                model = fw.Sequential([
                    Dense(8, activation="relu"),
                    Dense(1, activation="sigmoid"),
                    fw.layers.Rescaling(high - low, offset=low),
                ])
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = 5 + 2 * X[:, 0]
            model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(fw.optimizers.Adam(0.1), loss="mse")
            loss = model.fit(X, y, epochs=30, verbose=0).last()["loss"]
            best = ((y - np.clip(y, 0, 1)) ** 2).mean()
            print(f"{(abs(y - 0.5) > 0.5).mean():.0%} out of reach")
            print(f"loss {loss:.1f}, best possible {best:.1f}")
            """,
        prints="""
            98% out of reach
            loss 19.7, best possible 19.7
            """,
        sources=[BOOK_UNITS],
    ),
    entry(
        "missing_output_activation",
        "Logits where probabilities are expected",
        what="""The last layer has no activation, and the cross-entropy is not told that it gets
            logits: negative outputs are clipped, positive ones divided by their sum.""",
        equation="p_c = clip(z_c / sum(z), 1e-7, 1)",
        looks="""
            - A first loss of 5 to 10 where ln C is expected, which jumps or stays.
            - Predictions below 0 or above 1.""",
        why="""PyTorch's losses take logits, Keras' take probabilities unless told; code was
            carried from one to the other.""",
        unless="""`from_logits=True`; hinge losses; regression. What counts is the computation, not
            the name of the last layer: `Activation("softmax")` after it is a softmax.""",
        cures=[
            (
                "Add it: the loss is computed from the logits all the same.",
                """
                model = fw.Sequential([Dense(8, activation="relu"), Dense(3, activation="softmax")])
                model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
                """,
            ),
            (
                "Or tell the loss.",
                "model.compile(loss=fw.losses.SparseCategoricalCrossentropy(from_logits=True))",
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, :3].argmax(axis=1)
            model = fw.Sequential([Dense(8, activation="relu"), Dense(3)])
            model.compile(loss="sparse_categorical_crossentropy")
            loss = model.evaluate(X, y, verbose=0)
            print(f"first loss {loss:.1f}, ln 3 = {np.log(3):.1f}")
            print(f"share of outputs below 0: {(model.predict(X) < 0).mean():.2f}")
            """,
        prints="""
            first loss 9.0, ln 3 = 1.1
            share of outputs below 0: 0.46
            """,
        sources=[KERAS_LOSSES, TAXONOMY],
    ),
    entry(
        "wrong_output_units",
        "Not as many outputs as the labels need",
        what="""One unit for three classes, ten for three, two columns for one number: the head
            has another width than the task.""",
        equation="first loss of a softmax of C units = ln C, however many classes occur",
        looks="""
            - Too few: fit refuses, since a label has no unit.
            - Too many: the first loss is ln 10 = 2.30 where three classes want ln 3 = 1.10, and
            the first epochs go into emptying the surplus units.
            - `categorical_crossentropy` on one column: always 0.""",
        why="A copied head; classes counted from 1; a class that occurs only in later data.",
        unless="""Surplus classes cost little once trained; class numbers from 1 need C + 1 units
            or a shift. Two softmax units for yes or no are the same model as one sigmoid.""",
        cures=[
            (
                "Count the classes.",
                """
                classes = int(y.max()) + 1
                model = fw.Sequential([
                    Dense(8, activation="relu"),
                    Dense(classes, activation="softmax"),
                ])
                model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, :3].argmax(axis=1)
            model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(loss="sparse_categorical_crossentropy")
            try:
                model.fit(X, y, verbose=0)
            except fw.errors.InvalidData as error:
                print(error.expected, "but", error.received)
            """,
        prints="class labels from 0 to 0 (the output has 1 units) but labels from 0 to 2",
        sources=[RECIPE, BOOK_UNITS],
    ),
)
