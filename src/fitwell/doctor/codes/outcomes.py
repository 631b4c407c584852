"""Codes of the training: what came of it."""

from __future__ import annotations

from fitwell.doctor.codes.entry import Code, entry
from fitwell.doctor.codes.sources import (
    BOOK_REGULARIZATION,
    MEMORIZING,
    PLAYBOOK,
    RECIPE,
)

CODES: tuple[Code, ...] = (
    entry(
        "too_few_epochs",
        "Training ends while the loss still falls",
        what="The network is on a good way and is stopped before it arrives.",
        equation="steps = epochs x ceil(n / batch size):  small tables make few",
        looks="""
            - The last epochs bring as much as those before them.
            - Training and validation fall together, without a gap.""",
        why="""`epochs` is 1 by default, and ten passes over 200 rows are only 70 steps. Epochs do
            not count, steps do.""",
        unless="""Early stopping ended it, or validation has risen for a while: then it is
            `overfitting`. A rate that is too low looks the same and costs more: try ten times
            the rate first.""",
        cures=[
            (
                "More than enough, and stop at the best.",
                """
                keep = fw.callbacks.EarlyStopping(patience=20, restore_best_weights=True)
                model.fit(X, y, epochs=500, validation_split=0.2, callbacks=keep, verbose=0)
                """,
            ),
            (
                "fit goes on where it was.",
                "model.fit(X, y, epochs=100, verbose=0)",
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 0
            for epochs in (60, 5):
                model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
                model.compile(loss="binary_crossentropy")
                losses = model.fit(X, y, epochs=epochs, verbose=0).history["loss"]
                print(f"{epochs} epochs: loss {losses[-1]:.2f}")
            print(f"falls in every epoch: {bool((np.diff(losses) < 0).all())}")
            """,
        prints="""
            60 epochs: loss 0.26
            5 epochs: loss 0.73
            falls in every epoch: True
            """,
        sources=[PLAYBOOK],
    ),
    entry(
        "underfitting",
        "Not even the training data are learned",
        what="""The training score stays below what simple models reach on rows they have not
            seen: there is more to learn than the network learns.""",
        equation="skill = 1 - error / error of the constant prediction",
        looks="""
            - Training and validation equally bad, without a gap.
            - A linear model or a kernel machine does better.""",
        why="""Too small, too strongly regularised, badly trained (rate, epochs, start), fed with
            unscaled data, or all layers frozen: ask training first, then the structure.""",
        unless="""If nothing beats the constant, the labels carry no signal
            (`labels_independent_of_inputs`). Dropout and augmentation lower the training score;
            evaluate without them.""",
        cures=[
            (
                "First train properly, then make it larger.",
                """
                model = fw.Sequential([
                    fw.layers.Normalization(),
                    Dense(64, activation="relu"),
                    Dense(64, activation="relu"),
                    Dense(1, activation="sigmoid"),
                ])
                model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
                """,
            ),
            (
                "Test the machinery: 16 rows must be learned to the last.",
                "model.fit(X[:16], y[:16], epochs=300, verbose=0)",
            ),
        ],
        example="""
            X = random.normal(size=(200, 2))
            y = np.sin(3 * X[:, 0]) * X[:, 1] > 0
            model = fw.Sequential([Dense(2, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
            last = model.fit(X, y, epochs=30, verbose=0).last()
            print(f"training accuracy {last['accuracy']:.2f}")
            """,
        prints="training accuracy 0.56",
        sources=[RECIPE, PLAYBOOK],
    ),
    entry(
        "overfitting",
        "Training goes on improving, validation gets worse",
        what="""The network has begun to learn the training rows by heart: its score on them is
            good, and on others it falls behind and becomes worse.""",
        equation="gap = validation loss - training loss, growing while training loss falls",
        looks="""
            - Validation loss reaches its least and rises for many epochs, training goes to 0.
            - A gap beyond two standard errors of the validation score.""",
        why="""More freedom than the rows can pin down, and time enough to use it; noise in the
            labels is learned last.""",
        unless="""A training score that is not good yet: then it is underfitting, whatever the gap.
            One or two bad epochs are noise. A rising validation loss at steady accuracy means
            overconfidence. From the first epoch on: `train_val_scale_mismatch`.""",
        cures=[
            (
                "Stop at the best epoch.",
                """
                keep = fw.callbacks.EarlyStopping(patience=10, restore_best_weights=True)
                model.fit(X, y, validation_data=validation, epochs=100, callbacks=keep, verbose=0)
                """,
            ),
            (
                "Weight decay, dropout, or both.",
                """
                model = fw.Sequential([
                    Dense(64, activation="relu"),
                    fw.layers.Dropout(0.3),
                    Dense(1, activation="sigmoid"),
                ])
                model.compile(fw.optimizers.AdamW(0.01, weight_decay=0.1), "binary_crossentropy")
                """,
            ),
            (
                "More rows beat all of it; for images, random shifts and flips make some.",
                "layer = fw.layers.RandomTranslation(0.1, 0.1)",
            ),
        ],
        example="""
            X = random.normal(size=(200, 20))
            y = X[:, 0] + random.normal(size=200) > 0
            X, X_val, y, y_val = X[:60], X[60:], y[:60], y[60:]
            validation = (X_val, y_val)
            model = fw.Sequential([Dense(64, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
            history = model.fit(X, y, validation_data=validation, epochs=60, verbose=0)
            last, best = history.last(), min(history.history["val_loss"])
            print(f"training accuracy {last['accuracy']:.2f}")
            print(f"validation loss {best:.2f} at best, {last['val_loss']:.2f} at the end")
            """,
        prints="""
            training accuracy 1.00
            validation loss 0.78 at best, 1.20 at the end
            """,
        sources=[MEMORIZING, BOOK_REGULARIZATION],
    ),
)
