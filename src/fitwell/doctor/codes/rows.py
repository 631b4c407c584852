"""Codes of the data: rows that say too little, or what is not so."""

from __future__ import annotations

from fitwell.doctor.codes.entry import Code, entry
from fitwell.doctor.codes.sources import (
    MEMORIZING,
    NEAR_DUPLICATES,
    SKLEARN_IMPUTE,
    SKLEARN_PITFALLS,
)

CODES: tuple[Code, ...] = (
    entry(
        "nan_in_data",
        "NaN or infinity among the inputs",
        what="Some values are not numbers. fit warns, and refuses labels of this kind.",
        equation="NaN + a = NaN,  0 * NaN = NaN,  max(NaN, a) = NaN",
        looks="""
            - The loss is NaN from the first epoch, at every learning rate.
            - A single bad row is enough: its gradient reaches every weight in one step.""",
        why="""Empty cells, a division by 0, the logarithm of 0 or of a negative number, or a sum
            that left float32 (3.4e38). It is no matter of the rate: look here first.""",
        unless="""Never. Whole steps of padded sequences are left out by `Masking`, with a value
            that is a number.""",
        cures=[
            (
                "Drop the rows, if they are few and not of one kind.",
                """
                good = np.isfinite(X).all(axis=1)
                X, y = X[good], y[good]
                """,
            ),
            (
                "Or fill with the median of the training rows and say so in a column.",
                """
                missing = ~np.isfinite(X)
                middle = np.nanmedian(np.where(missing, np.nan, X), axis=0)
                X = np.column_stack([np.where(missing, middle, X), missing])
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 0
            X[3, 2] = np.nan
            model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(loss="binary_crossentropy")
            history = model.fit(X, y, verbose=0)
            print(f"{np.isnan(X).sum()} of {X.size} values, loss {history.last()['loss']}")
            """,
        prints="1 of 800 values, loss nan",
        sources=[SKLEARN_IMPUTE],
    ),
    entry(
        "sentinel_values",
        'A number that means "missing"',
        what="""A value such as -999, 9999 or -1 stands many times in a column, far from all
            others: a code for "unknown" that the network reads as a size.""",
        looks="""
            - One value makes up 1 to 60 % of a column and lies several ranges away from the rest.
            - After standardising, all real values crowd within a few hundredths of each other.""",
        equation="std with a share s of a value at distance d:  about d sqrt(s (1 - s))",
        why="""Old file formats and sensors have no empty cell. One code decides the mean and the
            standard deviation of the whole column.""",
        unless="""A true spike (no purchases: 0) lies beside its neighbours, not ranges away. An
            end of a scale that a sensor clips to is information.""",
        cures=[
            (
                """Say that it is missing: a column of its own tells the network, and the median
                takes the place. Take the median from the training rows.""",
                """
                missing = X[:, 1] == -999
                X[missing, 1] = np.median(X[~missing, 1])
                X = np.column_stack([X, missing])
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 1] > 0
            X[random.random(200) < 0.1, 1] = -999
            real = X[X[:, 1] > -999, 1]
            model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(loss="binary_crossentropy")
            print(f"share of -999: {(X[:, 1] == -999).mean():.2f}")
            print(f"standard deviation {X[:, 1].std():.0f}, without it {real.std():.1f}")
            """,
        prints="""
            share of -999: 0.12
            standard deviation 319, without it 0.9
            """,
        sources=[SKLEARN_IMPUTE],
    ),
    entry(
        "duplicate_rows",
        "Rows that are copies of each other",
        what="A large share of the training rows repeats earlier ones exactly.",
        looks="""
            - Far fewer distinct rows than rows.
            - A random split puts copies on both sides: validation is as good as training, and
            new data are much worse (see `train_val_overlap`).""",
        why="""A join that multiplied rows, files read twice, oversampling or augmentation before
            the split.""",
        unless="""Oversampling on purpose, after the split; features so coarse that equal rows are
            different cases (a few yes/no answers).""",
        cures=[
            (
                "Keep one of each, before splitting.",
                """
                _, first = np.unique(X, axis=0, return_index=True)
                X, y = X[np.sort(first)], y[np.sort(first)]
                """,
            ),
            (
                "Or split by distinct row, so that copies stay on one side.",
                """
                _, group = np.unique(X, axis=0, return_inverse=True)
                held_out = group % 5 == 0
                X_val, y_val, X, y = X[held_out], y[held_out], X[~held_out], y[~held_out]
                """,
            ),
        ],
        example="""
            X = np.repeat(random.normal(size=(50, 4)), 4, axis=0)
            y = X[:, 0] > 0
            model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(loss="binary_crossentropy")
            print(f"share of copies: {1 - len(np.unique(X, axis=0)) / len(X):.2f}")
            """,
        prints="share of copies: 0.75",
        sources=[NEAR_DUPLICATES, SKLEARN_PITFALLS],
    ),
    entry(
        "too_little_data",
        "Too few examples to learn, or to judge",
        what="""The training set is so small that many networks fit it equally well, and the
            validation set so small that its score is mostly luck.""",
        equation="two standard errors of an accuracy p on n examples = 2 sqrt(p (1 - p) / n)",
        looks="""
            - Training accuracy 1.00, validation near the majority share.
            - Scores change by 0.1 or more with the seed of the split: 20 validation rows at
            p = 0.8 mean +- 0.18.""",
        why="""With more features than rows even a linear model fits any labels: a perfect
            training score says nothing.""",
        unless="""More weights than examples is common and no fault as such: wide networks
            generalise if the labels depend on the inputs simply. Truth tables (XOR) are
            complete.""",
        cures=[
            (
                "Judge by cross-validation: every row is held out once.",
                """
                fresh = fw.Sequential([Dense(8, activation="relu"), Dense(1, "sigmoid")])
                fresh.compile(fw.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
                result = fw.cross_validate(fresh, X, y, folds=5, epochs=20)
                """,
            ),
            (
                "A smaller or tied-down model; fewer, better features.",
                """
                penalty = fw.regularizers.L2(0.01)
                model = fw.Sequential([Dense(1, activation="sigmoid", kernel_regularizer=penalty)])
                """,
            ),
        ],
        example="""
            X, X_val = random.normal(size=(20, 100)), random.normal(size=(200, 100))
            y, y_val = X[:, 0] > 0, X_val[:, 0] > 0
            validation = (X_val, y_val)
            model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
            last = model.fit(X, y, epochs=30, verbose=0, validation_data=validation).last()
            print(f"training {last['accuracy']:.2f}, validation {last['val_accuracy']:.2f}")
            """,
        prints="training 1.00, validation 0.51",
        sources=[MEMORIZING, SKLEARN_PITFALLS],
    ),
)
