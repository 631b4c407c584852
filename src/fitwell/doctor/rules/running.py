"""What a fit showed by its curves, and by its scores on other data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from fitwell.doctor.outcome import outcome
from fitwell.doctor.record import Record, Run
from fitwell.doctor.rules.base import (
    CRITICAL,
    GAP,
    INFO,
    WARNING,
    Suspicion,
    more_epochs,
    suspect,
)
from fitwell.types import HostArray

_STILL = 0.02  # relative change of the loss over the fit
_PENALTY = 0.3  # share of the loss
_USUAL = 2e-3  # factors of a penalty below are harmless: weights that exploded have a large one too
_RISE = 1.25  # last validation loss over the best
_SELDOM, _ORDER = 0.02, 0.3  # of the rows of a rare class that are said to be so; 2 AUC - 1
_OF_RARE = ("AUC", "Precision", "Recall", "F1Score", "FBetaScore", "PrecisionAtRecall")
_FELL = 0.02  # of an accuracy, from its best epoch to the last
_SURE = 2.0  # a loss this far above a constant prediction's: sure of what is wrong
_NEVER_NEGATIVE = (
    "BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy",
    "KLDivergence",
)  # fmt: skip


def rules(record: Record) -> Iterator[Suspicion]:
    run = record.run
    if run is None:
        return
    yield from _curve(record, run)
    if run.named is not None:
        yield from _names(record, run.named)
    if not run.diverged:
        yield from _generalization(record, run)
        yield from _never_said(record, run)
    factor = max((max(layer.l1, layer.l2) for layer in record.layers), default=0.0)
    if run.penalty > _PENALTY and factor >= _USUAL:
        yield suspect(
            "over_regularized",
            f"{run.penalty:.0%} of the loss is the penalty on the weights: the data have the rest.",
            "kernel_regularizer=fw.regularizers.L2(1e-4)",
            ("penalty over loss", run.penalty),
            strength=0.88 if run.penalty > 0.5 else 0.5,
        )


def _names(record: Record, skill: float) -> Iterator[Suspicion]:
    """`skill`: 0 where simple models cannot tell."""
    listed = [one for one in record.inputs if one.listed]  # rows of nothing but ids
    if listed:
        ids = int(max(np.nanmax(one.high) for one in listed)) + 1
        first = f"fw.layers.Embedding({ids}, 16), fw.layers.Flatten()"
    elif not skill:
        return  # pixels may be whole numbers, too
    else:
        first = "fw.layers.PiecewiseLinearEmbedding(units=8, bins=128)"
    known = [("skill of a linear model on the names", skill)] if skill > 0 else []
    yield suspect(
        "unscaled_inputs",
        "Whole numbers among the inputs "
        + ("tell the labels as names, not as quantities" if known else "say nothing as quantities")
        + ": they look like ids, of which a Dense layer takes 20 for twice 10.",
        f"{first} as the first layers of a new model",
        *known,
        strength=0.96 if known else 0.8,
    )


# Curves


def _curve(record: Record, run: Run) -> Iterator[Suspicion]:
    losses = run.losses
    if run.diverged or not losses:
        return
    if run.constant_loss > 0 and losses[0] > 20 * run.constant_loss and len(losses) > 1:
        yield suspect(
            "high_initial_loss",
            f"The loss began at {losses[0]:.3g}; a constant prediction has"
            f" {run.constant_loss:.3g}.",
            "a smaller last kernel, or a bias that begins at the mean of the targets",
            ("mean loss of the first epoch", losses[0]),
            ("loss of a constant prediction", run.constant_loss),
            strength=0.1,
        )
    if losses[-1] < 0 and record.heads and record.heads[0].loss in _NEVER_NEGATIVE:
        yield suspect(
            "negative_loss",
            f"{record.heads[0].loss} is {losses[-1]:.3g}: of labels and outputs that are"
            " probabilities it is never below 0.",
            "Labels in [0, 1]; for several classes sparse_categorical_crossentropy.",
            ("last loss", losses[-1]),
            severity=CRITICAL,
        )
    if losses[0] == 0 == losses[-1]:
        yield suspect(
            "zero_loss",
            "The loss is exactly 0 from the first epoch on: nothing is learned from it.",
            "Look at sample_weight, class_weight and masks (all 0?), and at the units of the loss.",
            ("loss of the first epoch", 0),
            severity=WARNING,
        )
    yield from _progress(record, run, np.array(losses))


def _progress(record: Record, run: Run, losses: HostArray) -> Iterator[Suspicion]:
    half = losses[len(losses) // 2 :] if len(losses) >= 3 else losses
    swings = np.abs(np.diff(half))
    level, against = _scale(losses, float(np.median(half)))
    drop = float(losses[0] - losses[-1])
    slow = record.plan is not None and record.plan.rate < 3e-4
    if (
        len(half) >= 4
        and np.median(swings) > 0.1 * level
        and swings.sum() > 4 * abs(half[0] - half[-1])
    ):
        yield suspect(
            "oscillating_loss",
            f"In the second half of the fit the loss jumped by {np.median(swings) / level:.0%}"
            f"{against and f' of {against}'} from epoch to epoch, without getting lower.",
            "a rate ten times lower, or batch_size=32",
            (
                f"median change between epochs, over {against or 'the loss'}",
                float(np.median(swings) / level),
            ),
            strength=0.62,
        )
    if -drop > 0.1 * _scale(losses, float(losses[0]))[0] and len(losses) > 2:
        yield suspect(
            "loss_increasing",
            f"The training loss rose from {losses[0]:.3g} to {losses[-1]:.3g}: steps are too long,"
            " or the gradient is wrong.",
            "optimizer=fw.optimizers.Adam(1e-3)",
            ("last loss minus the first", -drop),
            strength=0.3,
        )
    tail = losses[-max(len(losses) // 5, 1) - 1 :]
    falling = len(losses) >= 3 and float(tail[0] - tail[-1]) / _scale(losses, float(tail[0]))[0]
    validation = [v for v in run.history.get("val_loss", []) if np.isfinite(v)]
    worse = len(validation) > 2 and risen(validation)  # more epochs would not help
    if (
        falling > 0.02
        and drop > 0
        and not worse
        and np.median(swings) < 2 * (half[0] - half[-1]) / len(swings)
    ):
        yield suspect(
            "lr_too_low" if slow else "too_few_epochs",
            f"The loss was still falling: by {falling:.0%} {_last(len(tail) - 1, len(losses))}.",
            f"{more_epochs(5 * len(losses))}; or a higher rate",
            ("relative fall over the last fifth", float(falling)),
            strength=0.68,
        )
    gains = 1 - losses[1:] / np.where(losses[:-1] == 0, 1, losses[:-1])
    if len(losses) >= 4 and losses[-1] > 0.7 * run.constant_loss > 0 and gains.max() < 2 * _STILL:
        yield suspect(
            "slow_convergence",
            f"No epoch lowered the loss{_by(float(gains.max()))}: it"
            f" {'rose' if drop < 0 else 'went'} from {losses[0]:.4g} to {losses[-1]:.4g}.",
            "fw.find_learning_rate(model, X, y)",
            ("largest relative gain of an epoch", float(gains.max())),
            # A loss that falls all the time was not given the time; it says nothing of the layers.
            strength=0.3 if (gains > 0).all() else 0.25,
        )


def _last(some: int, epochs: int) -> str:
    """
    >>> _last(1, 5), _last(4, 20)
    ('in the last of 5 epochs', 'over the last 4 of 20 epochs')
    """
    return (
        f"in the last of {epochs} epochs"
        if some == 1
        else f"over the last {some} of {epochs} epochs"
    )


def _by(gain: float) -> str:
    """
    >>> _by(0.012), _by(0.0001), _by(-0.3)
    (' by more than 1.2%', ' by more than 0.1%', '')
    """
    return f" by more than {max(gain, 1e-3):.1%}" if gain > 0 else ""


def _scale(losses: HostArray, level: float) -> tuple[float, str]:
    """What changes of a loss are held against: its level; its way where it comes near 0 or below.

    >>> _scale(np.array([2.0, 1.0]), 1.0), _scale(np.array([0.0, -2.0]), -1.0)
    ((1.0, ''), (2.0, 'its way over the whole fit'))
    """
    if losses.min() > 0 and level > 0:
        return level, ""
    return max(float(np.ptp(losses)), 1e-12), "its way over the whole fit"


# Beyond the training data


def _generalization(record: Record, run: Run) -> Iterator[Suspicion]:
    found = outcome(record)
    if not found.signal:
        yield _independent(record, run)
        return
    values = [v for v in run.history.get("val_loss", []) if np.isfinite(v)]
    if run.score is None or run.held_out is None or len(values) < 3:
        return
    best = int(np.argmin(values))
    rise = 1 + (values[-1] - values[best]) / _scale(np.array(values), values[best])[0]
    gap = run.score - run.held_out
    if (
        gap > GAP
        and risen(values)
        and (
            (rise > _RISE and best < 0.8 * len(values) and not run.restored)
            or (found.failing and found.fits)
        )
    ):
        harm = found.failing or _worse(run, values, rise)
        yield suspect(
            "overfitting",
            f"The validation loss was best in epoch {best + 1} ({values[best]:.3g}) and is"
            f" {values[-1]:.3g} now, while the training data are fitted.",
            "callbacks=[fw.callbacks.EarlyStopping(patience=5, restore_best_weights=True)]",
            ("epoch of the best validation loss", best + 1),
            ("last validation loss over the best", float(rise)),
            ("skill on training data", run.score),
            ("skill on validation data", run.held_out),
            severity=WARNING if harm else INFO,
        )


def _never_said(record: Record, run: Run) -> Iterator[Suspicion]:
    """A rare class that the network tells by order, but never says: its accuracy hides that."""
    if run.recall is None or run.score is None or not record.heads:
        return
    head = record.heads[run.judged]
    told = any(metric in _OF_RARE for metric in head.metrics)
    if run.recall > _SELDOM or told or run.score < max(_ORDER, run.noise):
        return
    yield suspect(
        "class_imbalance",
        f"The network says the rare class of {run.recall:.0%} of its training rows: an accuracy of"
        f" {head.labels.majority:.1%} is that of always saying the other. It does rank the rare"
        f" rows higher (2 AUC - 1 = {run.score:.2f}).",
        'model.fit(X, y, class_weight="balanced")  # or a threshold below 0.5; metrics=["auc"]',
        ("share of the rare rows that are said to be so", run.recall),
        ("ranking, 2 AUC - 1", run.score),
        severity=WARNING,
        strength=0.3,
    )


def _independent(record: Record, run: Run) -> Suspicion:
    sorted_alone = record.heads[run.judged].labels.ordered
    if run.held_out is None and (run.score or 0.0) >= 0.5:
        cause = (
            "Neither a linear model nor a kernel machine predicts labels that it has not seen"
            " better than a constant; the network knows its training rows, perhaps by heart: no"
            " rows were held out to tell."
        )
    else:
        cause = (
            "Neither this network nor a linear model nor a kernel machine predicts unseen labels"
            " better than a constant: the inputs do not tell the labels."
        )
    if sorted_alone:
        cause += " The targets stand in order, and the inputs do not: y was sorted without X."
    return suspect(
        "labels_independent_of_inputs",
        cause,
        "Look at how X and y were put together (order of the rows?); no change of the network"
        " will help.",
        ("skill of a kernel machine on unseen examples", run.kernel or 0.0),
        ("how often shuffled labels do as well", run.chance or 0.0),
        severity=WARNING,
    )


def risen(values: Sequence[float]) -> bool:
    """Whether a curve rose after its least value, by more than it jumps from epoch to epoch.

    >>> risen([3.0, 2.0, 1.0]), risen([3.0, 1.0, 1.3, 0.9, 1.2, 1.0]), risen([3.0, 1.0, 1.2, 1.4])
    (False, False, True)
    """
    best = int(np.argmin(values))
    after = np.array(values[best + 1 :])
    if len(after) < 2:
        return False
    level = float(np.median(after[len(after) // 2 :])) - values[best]
    jumps = float(np.median(np.abs(np.diff(values[len(values) // 2 :]))))
    return level > max(1.5 * jumps, 0.02 * abs(values[best]))


def _worse(run: Run, values: Sequence[float], rise: float) -> bool:
    """Whether the last epochs did harm on validation data, and not to their loss alone."""
    if rise < 1.5 or values[-1] < run.constant_loss:
        return False
    scores = [
        [v for v in found if np.isfinite(v)]
        for name, found in run.history.items()
        if name.startswith("val_") and "acc" in name
    ]
    fell = all(max(found) - found[-1] > _FELL for found in scores if found)
    return fell or values[-1] > _SURE * run.constant_loss
