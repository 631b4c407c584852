"""Codes of the pairing: what loss and metric measure."""

from __future__ import annotations

from fitwell.doctor.codes.entry import Code, entry
from fitwell.doctor.codes.sources import (
    BOOK_UNITS,
    KERAS_LOSSES,
    LARGE_BATCHES,
)

CODES: tuple[Code, ...] = (
    entry(
        "loss_mismatch",
        "A loss for another kind of labels",
        what="""The loss runs, but measures something else than the task: a binary cross-entropy
            on exclusive classes, a cross-entropy on quantities, MAE on 0/1 behind a sigmoid.""",
        equation="""
            one-hot labels, all C outputs near 0: binary accuracy = (C - 1) / C
            MAE or MSE behind a sigmoid: gradient of the logit has the factor p (1 - p)""",
        looks="""
            - "accuracy" 0.90 for 10 classes or 0.99 for 100 with predictions that are useless.
            - A loss that falls while the share of right classes stays at 1 / C.
            - Behind a sigmoid, confident wrong answers hardly move.""",
        why="""Names look alike (`binary_`, `categorical_`), an example for another task was
            copied, and "accuracy" means what the loss means.""",
        unless="""MSE on probabilities (Brier score) and one sigmoid per class are proper losses
            and may learn well. Regression on ordered grades is a choice. Huber, MAE and quantile
            losses are for other questions, not wrong ones.""",
        cures=[
            (
                "Yes or no: the gradient of the logit is then p - y, however sure the network is.",
                'model.compile(loss="binary_crossentropy", metrics=["accuracy"])',
            ),
            (
                "Exclusive classes, one-hot.",
                'model.compile(loss="categorical_crossentropy", metrics=["accuracy"])',
            ),
            (
                "By label: 0/1 -> sigmoid, binary; 0..C-1 -> softmax, sparse; numbers -> mse. "
                "Left out, fit chooses from the last layer and the labels, and says so.",
                "model.compile()",
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 0
            model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(loss="mse")
            p = 1 / (1 + np.exp(5.0))  # a sure no
            print("gradient of the logit where the label is yes:")
            print(f"mse {2 * (p - 1) * p * (1 - p):.3f}, cross-entropy {p - 1:.3f}")
            """,
        prints="""
            gradient of the logit where the label is yes:
            mse -0.013, cross-entropy -0.993
            """,
        sources=[KERAS_LOSSES, BOOK_UNITS],
    ),
    entry(
        "metric_mismatch",
        "A metric that cannot see the task",
        what="""Accuracy of a regression, accuracy per bit of exclusive classes: the number is
            about something else, whatever the network does.""",
        equation="""
            accuracy of numbers: 0 where |y| > 1, as in Keras; else (y > 0.5) == (prediction > 0.5)
            answering no to each of C one-hot classes: (C - 1) / C of the bits are right""",
        looks="""
            - Accuracy 0 from the first epoch to the last for prices, however good the network is.
            - 0.986 for 69 classes that are never recognised: 68 / 69.
            - The loss falls and accuracy does not change, or the reverse.""",
        why="""Accuracy is looked at first, whatever it means: good networks are changed and
            bad ones kept because of it.""",
        unless="The fit itself is not touched: metrics do not enter the loss.",
        cures=[
            (
                "Numbers: R2 says the share of the variance that is explained.",
                'model.compile(loss="mse", metrics=["r2_score", "mae"])',
            ),
            (
                "Exclusive classes: compare the largest output.",
                'model.compile(loss="mse", metrics=["categorical_accuracy"])',
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = 10 + X[:, 0]
            model = fw.Sequential([Dense(1)])
            model.compile(fw.optimizers.Adam(0.1), "mse", metrics=["accuracy", "r2_score"])
            last = model.fit(X, y, epochs=60, verbose=0).last()
            print(f"accuracy {last['accuracy']:.2f}, R2 {last['r2_score']:.2f}")
            """,
        prints="accuracy 0.00, R2 1.00",
        sources=[KERAS_LOSSES],
    ),
    entry(
        "sum_reduction",
        "A loss that is summed over the batch",
        what="The loss adds up its examples instead of taking their mean.",
        equation="sum = n mean:  the gradient, and with SGD the step, is batch size times as large",
        looks="""
            - A loss proportional to the batch size, on no scale one knows.
            - NaN or oscillation with SGD at a rate that is fine for means; the best rate changes
            with the batch size.""",
        why="""A habit from formulas, where the likelihood is a sum. The last, smaller batch then
            takes smaller steps, too.""",
        unless="""Adam divides by the size of the gradient and hardly notices, but clipping
            thresholds and weight penalties are off by the same factor.""",
        cures=[
            (
                "The mean, which is the default.",
                'model.compile(fw.optimizers.SGD(0.1), loss="mse")',
            ),
            (
                "Keep the sum and divide the rate by the batch size.",
                """
                total = fw.losses.MeanSquaredError(reduction="sum")
                model.compile(fw.optimizers.SGD(0.1 / 32), loss=total)
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] + X[:, 1]
            model = fw.Sequential([Dense(1)])
            total = fw.losses.MeanSquaredError(reduction="sum")
            model.compile(fw.optimizers.SGD(0.1), loss=total)
            history = model.fit(X, y, epochs=10, verbose=0)
            print(f"loss {history.last()['loss']:.1f}")
            """,
        prints="loss inf",
        sources=[LARGE_BATCHES, KERAS_LOSSES],
    ),
)
