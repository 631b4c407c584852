"""Codes of the training: learning rate and batch size."""

from __future__ import annotations

from fitwell.doctor.codes.entry import Code, entry
from fitwell.doctor.codes.sources import (
    ADAM,
    BATCH_NORM,
    EDGE,
    EFFICIENT_BACKPROP,
    LARGE_BATCHES,
    NOISE_SCALE,
    PLAYBOOK,
    RANGE_TEST,
    SMALL_BATCHES,
)

CODES: tuple[Code, ...] = (
    entry(
        "lr_too_high",
        "Learning rate too high",
        what="The steps are longer than the valley is wide: they climb its other side.",
        equation="""
            gradient descent on curvature lambda:  error_t = (1 - rate lambda)^t error_0
            it converges if rate < 2 / lambda_max""",
        looks="""
            - The training loss rises, jumps, or becomes NaN in the first epochs.
            - With Adam: the loss settles at a high level with noise; ReLU units die in the first
            steps; outputs become constant.
            - A tenth of the rate cures it at once.""",
        why="""The limit belongs to data and network, not to the optimiser: inputs of size 100
            lower it 10,000 times. So no fixed number is too high: 0.1 is usual for SGD on
            normalised images, 1.0 for Adadelta.""",
        unless="""A loss that is not monotonic may still be the fastest: networks train at the edge
            of stability, where 2 / lambda_max comes to meet the rate. A rise in warm-up or at a
            restart is planned.""",
        cures=[
            (
                "Try many at once, from several starts.",
                """
                fresh = fw.Sequential([Dense(1)])
                fresh.compile(fw.optimizers.SGD(), "mse")
                model.learning_rate = float(fw.find_learning_rate(fresh, X, y))
                """,
            ),
            (
                "Ask the curvature for the limit of gradient descent.",
                """
                largest = model.curvature(X, y).eigenvalues.max()
                model.compile(fw.optimizers.SGD(1 / float(largest)), loss="mse")
                """,
            ),
            (
                "Clip: one bad batch cannot throw the weights away.",
                'model.compile(fw.optimizers.SGD(0.1, global_clipnorm=1.0), loss="mse")',
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X @ [1.0, -2.0, 3.0, 0.0]
            model = fw.Sequential([Dense(1)])
            model.compile(fw.optimizers.SGD(1.5), loss="mse")
            loss = model.fit(X, y, batch_size=200, epochs=10, verbose=0).last()["loss"]
            ones = np.column_stack([X, np.ones(200)])  # the Hessian of mse is 2 X'X / n
            limit = 2 / np.linalg.eigvalsh(2 * ones.T @ ones / 200).max()
            print(f"rate 1.5, stable below {limit:.2f}; loss above 10,000: {loss > 1e4}")
            """,
        prints="rate 1.5, stable below 0.83; loss above 10,000: True",
        sources=[EFFICIENT_BACKPROP, EDGE, RANGE_TEST],
    ),
    entry(
        "lr_too_low",
        "Learning rate too low",
        what="""The planned steps, all added up, are too short to carry the weights anywhere.""",
        equation="""
            Adam, RMSprop: |w_end - w_begin| <= about rate x steps
            steps = epochs x ceil(n / batch size)""",
        looks="""
            - A loss that falls in a straight line, hardly, to the end.
            - Weights move by less than 1 % of their size.
            - Ten times the rate is better without any noise.
            - A schedule whose mean rate is below a tenth of its first.""",
        why="""A rate for fine-tuning (1e-5), a decay that reaches 0 early, or SGD at Adam's 0.001.
            Weights are of size 0.1 to 1: the sum of the rates must be at least that.""",
        unless="""Fine-tuning moves little on purpose. With few steps the cure may be more epochs:
            see `too_few_epochs`.""",
        cures=[
            (
                "Adam's usual 1e-3, or up to 1e-2 on tables.",
                'model.compile(fw.optimizers.Adam(1e-2), "binary_crossentropy")',
            ),
            (
                "Find it.",
                """
                fresh = fw.Sequential([Dense(8, activation="relu"), Dense(1, "sigmoid")])
                fresh.compile(loss="binary_crossentropy")
                model.learning_rate = float(fw.find_learning_rate(fresh, X, y))
                """,
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 0
            start = fw.Input((4,))
            model = fw.Sequential([start, Dense(8, "relu"), Dense(1, "sigmoid")])
            model.compile(fw.optimizers.Adam(1e-6), "binary_crossentropy")
            before = model["dense"].kernel
            losses = model.fit(X, y, epochs=20, verbose=0).history["loss"]
            moved = abs(model["dense"].kernel - before).max()
            print(f"20 x 7 steps of 1e-6: at most 0.00014, moved {moved:.5f}")
            print(f"loss {losses[0]:.2f} -> {losses[-1]:.2f}")
            """,
        prints="""
            20 x 7 steps of 1e-6: at most 0.00014, moved 0.00013
            loss 0.58 -> 0.58
            """,
        sources=[ADAM, PLAYBOOK],
    ),
    entry(
        "negative_lr",
        "Negative learning rate",
        what="The sign turns descent into ascent: every step makes the loss larger.",
        equation="w - rate g with rate < 0:  dL = + |rate| |g|^2",
        looks="""
            - fitwell refuses it. Elsewhere the loss grows from the first step and ends in NaN; a
            cross-entropy with a sigmoid runs to 16.
            - A schedule that passes 0, or a rate that was typed as -1e3 for 1e-3.""",
        why="A slip of the keyboard (`-3` for `1e-3`), or a sign that was meant for the loss.",
        unless="To maximise something, minimise its negative: see `negative_loss`.",
        cures=[
            (
                "A positive one.",
                'model = fw.Sequential([Dense(1)])\nmodel.compile(fw.optimizers.SGD(1e-3), "mse")',
            ),
        ],
        example="""
            try:
                fw.optimizers.SGD(-0.1)
            except fw.errors.InvalidArgument as error:
                print(error.expected, "but", error.received)
            """,
        prints="learning_rate to be a number in [0, inf) but learning_rate=-0.1",
        sources=[PLAYBOOK],
    ),
    entry(
        "adam_epsilon",
        "Adam's epsilon out of scale",
        what="""The constant that keeps Adam from dividing by 0 is larger than the gradients, so
            that it, and not they, sets the length of the steps.""",
        equation="step = rate m / (sqrt(v) + eps);  eps >> |g|:  about (rate / eps) g",
        looks="""
            - Slow learning at every usual rate, as with SGD at rate / eps.
            - A scale of the loss that matters although Adam should not care.
            - The other side: an eps of 0 or 1e-30 gives NaN for weights without a gradient, such
            as unused embeddings; 1e-8 is 0 in float16.""",
        why="""Defaults differ (1e-7 here and in Keras, 1e-8 elsewhere), and papers on large
            images use 0.1 or 1.0 together with a rate tuned for it.""",
        unless="""A large epsilon that was tuned together with the rate is as good as any. What
            counts is eps against the size of the gradients.""",
        cures=[
            (
                "The default.",
                'model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy")',
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] > 0
            for epsilon in (1e-7, 10.0):
                model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
                model.compile(fw.optimizers.Adam(0.01, epsilon=epsilon), "binary_crossentropy")
                loss = model.fit(X, y, epochs=20, verbose=0).last()["loss"]
                print(f"epsilon {epsilon:g}: loss {loss:.2f}")
            """,
        prints="""
            epsilon 1e-07: loss 0.07
            epsilon 10: loss 0.79
            """,
        sources=[ADAM],
    ),
    entry(
        "batch_too_large",
        "Batch so large that too few steps are left",
        what="""Most rows go into one batch, so an epoch is one or a few steps, and the planned
            epochs end before anything is learned.""",
        equation="steps = epochs x ceil(n / batch size)",
        looks="""
            - A smooth, slow loss curve that is still falling at the end.
            - The same number of epochs at batch size 32 learns.""",
        why="""Beyond the noise scale of the gradient, a larger batch makes a step no better, only
            dearer. Full batches also lose the noise that leads out of saddles.""",
        unless="""With enough steps a full batch is a fair choice on small tables, and L-BFGS needs
            it. On a GPU large batches save time; scale rate and epochs along.""",
        cures=[
            (
                "32, or leave it out.",
                "model.fit(X, y, batch_size=32, epochs=20, verbose=0)",
            ),
            (
                "Keep it, with as many steps as before and a higher rate (at most in proportion).",
                """
                model.learning_rate = 0.01
                model.fit(X, y, batch_size=600, epochs=380, verbose=0)
                """,
            ),
        ],
        example="""
            X = random.normal(size=(600, 4))
            y = X[:, 0] > 0
            for size in (32, 600):
                model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
                model.compile(fw.optimizers.Adam(0.005), "binary_crossentropy")
                loss = model.fit(X, y, batch_size=size, epochs=20, verbose=0).last()["loss"]
                print(f"{20 * -(-600 // size)} steps: loss {loss:.2f}")
            """,
        prints="""
            380 steps: loss 0.06
            20 steps: loss 0.61
            """,
        sources=[NOISE_SCALE, LARGE_BATCHES, PLAYBOOK],
    ),
    entry(
        "batch_too_small",
        "Batch so small that steps are mostly noise",
        what="""Each step follows the gradient of one or a few rows, at a rate that is too high
            for so much noise.""",
        equation="variance of the gradient ~ 1 / batch size;  noise of SGD ~ rate / batch size",
        looks="""
            - The loss jumps from epoch to epoch and stops at a high level; momentum makes it
            worse by 1 / (1 - m).
            - Epochs take long: the work per step is tiny.
            - Batch normalisation with one row: the variance is 0, and so is the signal.""",
        why="""A rate tuned for 32 rows, used for one. Rate and batch size belong together:
            linearly for SGD, with the square root for Adam.""",
        unless="""Batch size 1 with a small rate learns, and often generalises best. Judge by the
            loss, not by the number.""",
        cures=[
            (
                "16 to 64.",
                "model.fit(X, y, batch_size=32, epochs=20, verbose=0)",
            ),
            (
                "Memory allows no more: add up the gradients of several batches.",
                "optimizer = fw.optimizers.SGD(0.01, gradient_accumulation_steps=32)\n"
                'model.compile(optimizer, "binary_crossentropy")',
            ),
        ],
        example="""
            X = random.normal(size=(200, 4))
            y = X[:, 0] + random.normal(size=200) > 0
            for size in (32, 1):
                model = fw.Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
                model.compile(fw.optimizers.SGD(0.1, momentum=0.9), "binary_crossentropy")
                losses = model.fit(X, y, batch_size=size, epochs=10, verbose=0).history["loss"]
                print(f"batch {size}: last loss below 0.6: {losses[-1] < 0.6}")
            """,
        prints="""
            batch 32: last loss below 0.6: True
            batch 1: last loss below 0.6: False
            """,
        sources=[SMALL_BATCHES, NOISE_SCALE, BATCH_NORM],
    ),
)
