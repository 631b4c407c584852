"""`treat`: from a model that does not learn to one that does, with the proof."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable
from typing import Any

from fitwell.arguments import named
from fitwell.compiling import in_words
from fitwell.model import Model
from fitwell.treatment.asking import asked
from fitwell.treatment.searching import Hunt
from fitwell.treatment.treated import Score, Treated
from fitwell.treatment.trials import Trial, run


@named
@in_words
def treat(
    model: Model,
    x: Any = None,
    y: Any = None,
    validation_data: Any = None,
    budget: float | str = "30s",
    *,
    epochs: int | None = None,
    batch_size: int | str | None = None,
    class_weight: Any = None,
    findings: Iterable[Any] | None = None,
) -> Treated:
    """Finds what makes a model learn, proves it by short trainings, and trains the result.

    gain of a cure = score with it - score without it, mean over three starts

    The model is trained as it is; then with every cure for which data, labels, layers or plan show
    a need; then each of these is left out in turn, and goes if the score is as good without it.
    While the score leaves room, more cures are tried on top, and kept if they gain more than twice
    the standard error over the starts. The score is accuracy for classes and R2 for numbers, on the
    validation data; without any on a fifth of the rows that is kept out, and on the training rows
    if they are fewer than 40. The model that is passed stays as it is, and so do the data: whatever
    scaling helps goes into the model, so that raw data go in and raw predictions come out.

    Args:
        model: compiled.
        x, y: as in `fit`; arrays, not iterables of batches. Labels that `fit` refuses are part of
            what is treated.
        validation_data: `(x, y)`.
        budget: seconds, or "30s", "2m"; a trial that is compiling is not interrupted.
        epochs, batch_size, class_weight: what `fit` was told; those of the last fit by default,
            or 20 epochs in batches of 32.
        findings: of the doctor, those of the last fit by default; cures that answer them are tried
            first.

    Returns:
        a Treated: `.model`, `.table`, `.score`, `.code`, `.reason`.

    Raises:
        NotReady: the model is not compiled.
        InvalidArgument: an iterable of batches, no y, a budget that is no time.

    >>> import numpy as np
    >>> import fitwell as fw
    >>> x = np.linspace(0, 1000, 60)[:, None]
    >>> y = 3 * x + 500
    >>> model = fw.Sequential([fw.layers.Dense(1)], seed=0)
    >>> model.compile("sgd", loss="mse")
    >>> treated = treat(model, x, y, epochs=50, budget="10s")
    >>> treated.score.after > 0.99, treated.model.predict(x, verbose=0).shape
    (True, (60, 1))
    """
    case = asked("treat", model, x, y, validation_data, budget, epochs, batch_size, class_weight)
    if findings is None and model.history is not None:
        findings = model.history.findings
    codes = [str(getattr(one, "code", one)) for one in findings or ()]
    hunt = Hunt(
        model, case.setup, case.facts, case.data, case.judge, case.possible,
        case.seconds, case.began, codes,
    )  # fmt: skip
    return _result(hunt, hunt.run())


def _result(hunt: Hunt, found: Trial) -> Treated:
    data, judge = hunt.data, hunt.judge
    final = found
    again = found.skills and (not hunt.exact or (data.held is not None and not data.given))
    if again and (hunt.left > 1.2 * found.training or not hunt.exact):
        setup = hunt.exact_setup()
        whole = run(
            setup, hunt.model, data, judge,
            [hunt.model.seed + i for i in range(len(found.skills))],
            limit=max(hunt.left, 1.5 * found.training), rows=data.all,
            subject="treat",
        )  # fmt: skip
        final = whole if whole.fitted >= found.fitted - 0.02 else found
    model = final.best if final.skills else hunt.model
    on = f"{len(data.judge)} " + (
        "training rows" if data.held is None else "validation rows" if data.given else
        "rows that were kept out"
    )  # fmt: skip

    def shown(value: float | None) -> float | None:
        return None if value is None else judge.shown(value, data.judge)

    before = hunt.before.mean if hunt.before is not None and hunt.before.skills else None
    score = Score(judge.name, shown(before), shown(found.mean if found.skills else None), on)
    rows = [dataclasses.replace(r, before=shown(r.before), after=shown(r.after)) for r in hunt.rows]
    seconds = time.perf_counter() - hunt.began
    trained = model.epochs_trained or final.setup.epochs
    setup = dataclasses.replace(final.setup, epochs=min(trained, final.setup.epochs))
    return Treated(model, setup, rows, score, hunt.reason, seconds)
