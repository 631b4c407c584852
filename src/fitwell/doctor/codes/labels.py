"""Codes of the data: what is to be learned."""

from __future__ import annotations

from fitwell.doctor.codes.entry import Code, entry
from fitwell.doctor.codes.sources import (
    BOOK_UNITS,
    KERAS_IMBALANCED,
    KERAS_LOSSES,
    MEMORIZING,
    RECIPE,
    TAXONOMY,
)

CODES: tuple[Code, ...] = (
    entry(
        "class_imbalance",
        "One class makes up nearly all rows",
        what="""The network answers the frequent class for everything and is right so often that
            accuracy looks good.""",
        equation="""
            accuracy of always answering the majority = its share
            weight of class c in "balanced" = n / (C n_c)""",
        looks="""
            - Accuracy equals the majority share to the third digit, from the first epochs on.
            - Recall of the rare class is 0; balanced accuracy is 1 / C.
            - The loss hangs at the entropy of the shares: 0.199 for 5 % against 95 %.""",
        why="""The loss is a mean over rows. Until the features separate the classes, the best
            answer is the share itself, below 0.5 for every row.""",
        unless="""Imbalance as such is no fault: where the classes separate, the network learns
            them. If ranking or probabilities are wanted (AUC, log loss), reweighting does not
            help, and it spoils the probabilities.""",
        cures=[
            (
                "Measure what matters first: accuracy cannot.",
                """
                model.compile(
                    loss="binary_crossentropy", metrics=["balanced_accuracy", "auc", "recall"]
                )
                """,
            ),
            (
                "Let classes count equally.",
                'model.fit(X, y, class_weight="balanced", epochs=20, verbose=0)',
            ),
            (
                "Start at the shares, so that the first epochs are not spent on the bias.",
                """
                share = y.mean()
                start = fw.initializers.Constant(float(np.log(share / (1 - share))))
                last = Dense(1, activation="sigmoid", bias_initializer=start)
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] + 2 * random.normal(size=200) > 4
            model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy")
            model.fit(X, y, epochs=5, verbose=0)
            said = model.predict(X)[:, 0] > 0.5
            print(f"majority share {1 - y.mean():.2f}, accuracy {(said == y).mean():.2f}")
            print(f"{y.sum()} rare rows, {said[y].sum()} found")
            """,
        prints="""
            majority share 0.98, accuracy 0.98
            4 rare rows, 0 found
            """,
        sources=[KERAS_IMBALANCED, RECIPE],
    ),
    entry(
        "single_class_labels",
        "All labels are the same",
        what="Only one class occurs in the training labels: there is nothing to tell apart.",
        equation="entropy of the labels = 0, so the best loss is 0 without looking at x",
        looks="""
            - Loss towards 0 and accuracy 1.0 within a few epochs, for any network.
            - New data of the other class are all answered wrong.""",
        why="""Rows sorted by label and cut (`validation_split` takes the last rows), a filter, a
            comparison that is never true, or labels read from the wrong column.""",
        unless="One-class methods (autoencoders) have the inputs as their targets.",
        cures=[
            (
                "Shuffle before any split that takes the first or last rows.",
                """
                order = random.permutation(len(X))
                X, y = X[order], y[order]
                """,
            ),
            (
                "See what was read.",
                "print(*np.unique(y, return_counts=True))",
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 5  # never
            model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy")
            loss = model.fit(X, y, epochs=30, verbose=0).last()["loss"]
            print(f"{len(set(y))} class, loss {loss:.2f}")
            """,
        prints="1 class, loss 0.00",
        sources=[TAXONOMY],
    ),
    entry(
        "labels_not_integer",
        "Class labels with fractions",
        what="""A loss that takes class numbers 0, 1, ..., C - 1 gets numbers such as 0.5: they
            are a quantity, a probability, or classes that were scaled along with the inputs.""",
        looks="""
            - fit refuses with "whole-number class labels". Other libraries round down in silence,
            and classes merge.""",
        why="""The scaler was applied to the whole table, label column included; or the task is a
            regression with the head of a classifier.""",
        unless="""Shares that sum to 1 are right for `categorical_crossentropy`, and numbers in
            [0, 1] for `binary_crossentropy`: soft labels.""",
        cures=[
            (
                "Class names or scaled classes: number them by their order.",
                "names, y = np.unique(y, return_inverse=True)",
            ),
            (
                "A quantity: a linear unit and a regression loss.",
                """
                model = fw.Sequential([Dense(8, activation="relu"), Dense(1)])
                model.compile(loss="mse")
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = random.integers(0, 3, size=200) / 2  # scaled with the inputs
            model = fw.Sequential([Dense(8, activation="relu"), Dense(3, activation="softmax")])
            model.compile(loss="sparse_categorical_crossentropy")
            try:
                model.fit(X, y, verbose=0)
            except fw.errors.InvalidData as error:
                print(error.expected, "but", error.received)
            """,
        prints="whole-number class labels but 0.5",
        sources=[KERAS_LOSSES, TAXONOMY],
    ),
    entry(
        "labels_out_of_range",
        "Labels that the loss has no place for",
        what="""Class numbers at or above the number of output units, classes that begin at 1,
            or -1 and 1 (or 0, 1, 2) with a binary cross-entropy.""",
        equation="-y log p - (1 - y) log(1 - p) with y = 2:  falls without end as p -> 1",
        looks="""
            - fit refuses and says the range. Elsewhere: a loss far below 0 with a binary
            cross-entropy, NaN or a silent wrong class with a sparse one.""",
        why="""Classes counted from 1, a class missing from the count of units, three classes
            where two were meant, the signs of a support vector machine.""",
        unless="`ignore_class=-1` of the sparse loss gives -1 a meaning: leave out.",
        cures=[
            (
                "Number the classes from 0, and give each a unit.",
                """
                names, y = np.unique(y, return_inverse=True)
                model = fw.Sequential([
                    Dense(8, activation="relu"),
                    Dense(len(names), activation="softmax"),
                ])
                model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
                """,
            ),
            (
                "Labels -1 and 1: shift them, or use the loss they belong to.",
                'model.compile(loss="hinge")  # after a last layer of Dense(1), or y = (y + 1) / 2',
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = random.integers(0, 3, size=200)
            model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(loss="binary_crossentropy")
            try:
                model.fit(X, y, verbose=0)
            except fw.errors.InvalidData as error:
                print(error.expected, "but", error.received)
            """,
        prints="labels in [0, 1] but from 0 to 2",
        sources=[KERAS_LOSSES, TAXONOMY],
    ),
    entry(
        "label_shape_mismatch",
        "Labels and outputs of different shapes",
        what="""The labels do not have the shape of the output: one-hot against class numbers,
            one column against three. Elsewhere (n,) against (n, 1) is the classic.""",
        equation="(n, 1) - (n,) broadcasts to (n, n):  the mean over it is least at mean(y)",
        looks="""
            - fit refuses with both shapes. (n,) against (n, 1) is aligned, so it does no harm.
            - In a loss of your own or another library: the loss hangs at var(y) and all
            predictions are the mean, without an error.""",
        why="Array arithmetic stretches axes of length 1 instead of complaining.",
        unless="(n,) and (n, 1) for an output of one unit are the same to fit, evaluate and loss.",
        cures=[
            (
                "Class numbers with one unit per class: the sparse loss.",
                'model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])',
            ),
            (
                "In numpy of your own: give both the same shape.",
                "residual = model.predict(X, verbose=0) - y.reshape(len(y), -1)",
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = random.integers(0, 3, size=200)
            model = fw.Sequential([Dense(8, activation="relu"), Dense(3, activation="softmax")])
            model.compile(loss="categorical_crossentropy")
            try:
                model.fit(X, y, verbose=0)
            except fw.errors.ShapeMismatch as error:
                print(error.expected, "but", error.received)
            print("elsewhere, silently:", (np.zeros((200, 1)) - y).shape)
            """,
        prints="""
            one-hot labels of shape (n, 3) for CategoricalCrossentropy but shape (200,)
            elsewhere, silently: (200, 200)
            """,
        sources=[KERAS_LOSSES, TAXONOMY],
    ),
    entry(
        "labels_independent_of_inputs",
        "Labels that the inputs say nothing about",
        what="""No model predicts the labels of unseen rows better than a constant does: rows and
            labels are out of step, or the features do not hold the answer.""",
        equation="best loss on new rows = entropy of the labels:  ln 2 = 0.693 for a coin",
        looks="""
            - Training loss falls (the network memorises), validation loss stays at the entropy
            and then rises above it.
            - Linear model, kernel machine and network all have a skill of 0 within its error;
            shuffled labels do as well as the true ones.
            - Without validation rows: a good training score of as many weights as rows, where both
            simple models have a skill of 0.""",
        why="""X was shuffled, sorted or filtered and y was not; a join on the wrong key; noise. No
            rate, width or regulariser helps, and a falling training loss is no evidence.""",
        unless="""A code that linear and kernel models miss may be learnable (parity, images that
            need convolution). On 50 rows a skill of 0 cannot be told from 0.2.""",
        cures=[
            (
                "One order for both.",
                """
                order = random.permutation(len(X))
                X, y = X[order], y[order]
                """,
            ),
            (
                "Look at rows beside their labels; then look for better features.",
                "print(np.column_stack([X, y])[:10])",
            ),
        ],
        example="""
            X = random.normal(size=(200, 20))
            y = random.permutation(X[:, 0] > 0)  # the labels only
            X, X_val, y, y_val = X[:60], X[60:], y[:60], y[60:]
            validation = (X_val, y_val)
            model = fw.Sequential([Dense(64, activation="relu"), Dense(1, activation="sigmoid")])
            model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
            last = model.fit(X, y, validation_data=validation, epochs=60, verbose=0).last()
            print(f"training accuracy {last['accuracy']:.2f}")
            print(f"validation loss {last['val_loss']:.2f}, ln 2 = {np.log(2):.2f}")
            """,
        prints="""
            training accuracy 1.00
            validation loss 2.50, ln 2 = 0.69
            """,
        sources=[MEMORIZING, BOOK_UNITS],
    ),
)
