"""`recipe`: is it good on the training data, and if so, on others?"""

from __future__ import annotations

import time
from typing import Any

from fitwell.arguments import named
from fitwell.compiling import in_words
from fitwell.model import Model
from fitwell.recipes.course import Course
from fitwell.recipes.result import Recipe
from fitwell.treatment.asking import asked


@named
@in_words
def recipe(
    model: Model,
    x: Any = None,
    y: Any = None,
    validation_data: Any = None,
    budget: float | str = "60s",
    *,
    epochs: int | None = None,
    batch_size: int | str | None = None,
) -> Recipe:
    """The recipe of deep learning: what to change next, in an order that does not mislead.

    1. good on the training data? If not: scales, activation, learning rate, capacity, epochs.
    2. good on validation data? If not: early stopping, regularisation, dropout, more data.

    Each thing is tried as a short training from a few starts and kept if it gains more than twice
    its standard error: on the training rows for the first question, on the validation rows for the
    second. Good means: no worse than simple models (linear, kernel) show to be possible on rows
    they have not seen. The second question is not asked before the first is answered with yes: what
    is bad on its training data does not overfit, and dropout makes it worse. If neither these
    models nor the network beat a constant, that is said, and nothing is tried.

    Args:
        model: compiled; it stays as it is.
        x, y: as in `fit`; arrays, not iterables of batches.
        validation_data: `(x, y)`; without, a fifth of the rows is kept out, and of fewer than 40
            rows none, which leaves the second question open.
        budget: seconds, or "60s", "2m"; a trial that is compiling is not interrupted.
        epochs, batch_size: what `fit` is told; those of the last fit by default, or 20 epochs in
            batches of 32.

    Source: Hung-yi Lee, Machine Learning (2017), the recipe of deep learning.

    Returns:
        a Recipe: `.answer`, `.advice`, `.steps` (a frame), `.model` (trained, with what helped),
        `.code`.

    Raises:
        NotReady: the model is not compiled.
        InvalidArgument: an iterable of batches, no y, a budget that is no time.

    >>> import numpy as np
    >>> import fitwell as fw
    >>> x = np.random.default_rng(0).normal(size=(200, 2))
    >>> model = fw.Sequential([fw.layers.Dense(16, "relu"), fw.layers.Dense(1)], seed=0)
    >>> model.compile(fw.optimizers.Adam(0.01), loss="mse")
    >>> fw.recipe(model, x, x[:, 0] - x[:, 1], epochs=100).answer
    'done'
    """
    case = asked("recipe", model, x, y, validation_data, budget, epochs, batch_size)
    judge = case.judge
    course = Course(
        model, case.setup, case.facts, case.data, judge, case.possible, case.seconds, case.began,
    )  # fmt: skip
    answer = course.run()
    return Recipe(
        answer, advice(course, answer), model if course.now.refused else course.now.model,
        course.setup, course.steps, judge.name, time.perf_counter() - case.began,
    )  # fmt: skip


def advice(course: Course, answer: str) -> str:
    """What to do now."""
    kept = [one.tried for one in course.steps if one.kept and one.tried]
    taken = f" What helped is in recipe.model and recipe.code: {'; '.join(kept)}." if kept else ""
    if answer == "no signal":
        return (
            "No signal: neither the network nor simple models predict other rows better than a"
            " constant. No change of the network helps; look at how X and y belong together."
        )
    if answer == "underfits":
        return (
            "It is not good on the training data yet, so that is what to work on: another"
            f" architecture, other features, or more time (budget).{taken}"
        )
    if answer == "unknown":
        return (
            "It is good on the training data; whether on others, no rows are left to say: pass"
            f" validation_data.{taken}"
        )
    if answer == "done":
        return f"Done: it is good on the training data and on validation data.{taken}"
    tried = any(one.tried for one in course.steps)
    unseen = "whether more data would help" if tried else "what helps"
    more = {
        True: " More data help.",
        False: " More data of this kind would change little: a smaller or better fitting"
        " architecture or other features come next.",
        None: f" There was no time to see {unseen} (budget).",
    }[course.more_data]
    return f"It overfits: good on the training data, less so on others.{more}{taken}"
