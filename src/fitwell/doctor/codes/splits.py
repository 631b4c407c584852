"""Codes of the data: what is held out."""

from __future__ import annotations

from fitwell.doctor.codes.entry import Code, entry
from fitwell.doctor.codes.sources import (
    LEAKAGE,
    NEAR_DUPLICATES,
    PLAYBOOK,
    RECIPE,
    SKLEARN_PITFALLS,
)

CODES: tuple[Code, ...] = (
    entry(
        "train_val_overlap",
        "Validation rows that were trained on",
        what="Rows of the validation data are also rows of the training data.",
        equation="measured = (1 - s) score of new rows + s score of known rows,  s the share seen",
        looks="""
            - Validation follows training to the digit, also where the network memorises.
            - The score falls on data that are really new.""",
        why="""The whole set was passed as validation data, rows were duplicated or augmented
            before the split, windows of one series were shuffled, or several rows of one person or
            one film went to both sides.""",
        unless="""A few equal rows among coarse features happen by chance. Truth tables (XOR) have
            no other rows: then it is a check of the fit, not of generalisation.""",
        cures=[
            (
                "Drop from training what is held out.",
                """
                held_out = {row.tobytes() for row in X_val}
                new = np.array([row.tobytes() not in held_out for row in X])
                X, y = X[new], y[new]
                """,
            ),
            (
                "Rows that belong together go to one side; here `group` holds whose row it is.",
                """
                group = np.arange(len(X)) // 4
                held_out = group % 5 == 0
                X_val, y_val, X, y = X[held_out], y[held_out], X[~held_out], y[~held_out]
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 0
            X_val, y_val = X[:50], y[:50]
            validation = (X_val, y_val)
            model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(loss="binary_crossentropy")
            seen = {row.tobytes() for row in X}
            print(f"share seen: {np.mean([row.tobytes() in seen for row in X_val]):.2f}")
            """,
        prints="share seen: 1.00",
        sources=[NEAR_DUPLICATES, LEAKAGE],
    ),
    entry(
        "train_val_scale_mismatch",
        "Training and validation data on different scales",
        what="""A feature has another mean or spread in the validation data: they were scaled
            apart, one of them was not scaled, or they come from elsewhere.""",
        equation="shift of a feature = |mean_val - mean_train| / std_train",
        looks="""
            - Validation loss is large from the first epoch, while training is good: it was never
            good, so it is no overfitting.
            - Validation predictions are all of one class.""",
        why="""The scaler was fitted twice, or applied to one part only (0..255 against 0..1); a
            split in time where the world changed.""",
        unless="""Small parts differ by chance: means by about std / sqrt(n). A split in time that
            shows a real drift is worth knowing and not to be scaled away.""",
        cures=[
            (
                "Scale inside the model: the same numbers for whatever comes in.",
                """
                model = fw.Sequential([
                    fw.layers.Normalization(),
                    Dense(8, activation="relu"),
                    Dense(1, activation="sigmoid"),
                ])
                """,
            ),
            (
                "Or by hand, with the training data's mean and spread for both.",
                """
                mean, std = X.mean(axis=0), X.std(axis=0)
                X, X_val = (X - mean) / std, (X_val - mean) / std
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 0
            X_val = 100 + 20 * random.normal(size=(200, 4))  # not scaled
            y_val = X_val[:, 0] > 100
            validation = (X_val, y_val)
            model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy")
            model.fit(X, y, epochs=20, verbose=0)
            right = [((model.predict(a)[:, 0] > 0.5) == b).mean() for a, b in ((X, y), validation)]
            print(f"training {right[0]:.2f}, validation {right[1]:.2f}")
            """,
        prints="training 0.99, validation 0.52",
        sources=[SKLEARN_PITFALLS],
    ),
    entry(
        "train_val_label_mismatch",
        "Validation labels unlike those of training",
        what="""The classes are mixed differently in the validation data: one of them is missing
            there, or in training, or is far more frequent. Of numbers, hardly any is in the range
            of the training targets.""",
        equation="distance = sum |share_train - share_val| / 2, over the classes",
        looks="""
            - Validation accuracy is near 0, or 1.00, from the first epoch on, while training is
            ordinary.
            - The last rows of y are all of one class.""",
        why="""`validation_split` holds out the last rows, and files are often sorted by class,
            or by the target: the network is asked for what it has seldom or never seen.""",
        unless="""Rare classes are missing in a small part by chance. A split in time, or by
            person, may truly have another mix: then it is the world that changed. A trend
            that the network follows into the validation rows is only a fact.""",
        cures=[
            (
                "Shuffle before the split.",
                """
                order = np.random.default_rng(0).permutation(len(X))
                model.fit(X[order], y[order], validation_split=0.2, epochs=20, verbose=0)
                """,
            ),
            (
                "Or hold out a fifth of every class.",
                """
                held_out = np.zeros(len(y), bool)
                held_out[np.argsort(y, kind="stable")[::5]] = True
                validation = (X[held_out], y[held_out])
                model.fit(X[~held_out], y[~held_out], validation_data=validation, verbose=0)
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            X = X[np.argsort(X[:, 0])]
            y = X[:, 0] > 0  # False first, then True
            validation = (X[160:], y[160:])
            model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy")
            model.fit(X, y, validation_split=0.2, epochs=5, verbose=0)
            print(f"ones in training {y[:160].mean():.2f}, in validation {y[160:].mean():.2f}")
            """,
        prints="ones in training 0.33, in validation 1.00",
        sources=[SKLEARN_PITFALLS],
    ),
    entry(
        "missing_validation",
        "Nothing is held out",
        what="""fit gets no validation data: whether the network learned or memorised cannot be
            told, and nothing can stop it at the best epoch.""",
        looks="""
            - Training scores only.
            - 100 % on labels that were drawn at random, given enough weights and epochs.""",
        why="Training error is measured on rows the weights were chosen for.",
        unless="""Learning a table by heart (XOR, a toy), a smoke test, or the last training on
            all data after the choices were made by cross-validation.""",
        cures=[
            (
                "Hold out the last fifth; the rows should be in no order.",
                "model.fit(X, y, validation_split=0.2, epochs=20, verbose=0)",
            ),
            (
                "And keep the best epoch.",
                """
                keep = fw.callbacks.EarlyStopping(patience=10, restore_best_weights=True)
                model.fit(X, y, validation_split=0.2, epochs=200, callbacks=keep, verbose=0)
                """,
            ),
            (
                "Few rows: cross-validate.",
                """
                fresh = fw.Sequential([Dense(8, activation="relu"), Dense(1, "sigmoid")])
                fresh.compile(fw.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
                result = fw.cross_validate(fresh, X, y, folds=5, epochs=20)
                """,
            ),
        ],
        example="""
            X = random.normal(size=(100, 40))
            y = random.random(100) > 0.5
            model = fw.Sequential([Dense(64, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
            history = model.fit(X, y, epochs=60, verbose=0)
            print(f"accuracy on coin flips {history.last()['accuracy']:.2f}")
            """,
        prints="accuracy on coin flips 1.00",
        sources=[RECIPE, PLAYBOOK],
    ),
)
