"""What is wrong with the data, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fitwell.doctor.mixture import Shift
from fitwell.doctor.record import Features, Head, Record, Run
from fitwell.doctor.rules.base import CRITICAL, FILL, GAP, INFO, WARNING, Suspicion, suspect

_SCALE = (
    "fw.layers.Normalization() as the first layer, which learns mean and spread:"
    " model = finding.apply()"
)
_LARGE = 10.0  # sqrt(mean(x^2)) of a feature: rates and first weights are made for about 1
_HUGE = 100.0
_TINY = 0.01
_JOLT = 5.0  # times the range of all values: images differ by less than they are moved
_UNEVEN = 100.0  # the largest feature over the smallest
_FINE = 0.01  # float32's step over the spread: two digits are left
_FAR = 20.0
_SHUFFLE = (
    "order = numpy.random.default_rng(0).permutation(len(X)); X, y = X[order], y[order]"
    "  # before validation_split"
)


def rules(record: Record) -> Iterator[Suspicion]:
    for features in record.inputs:
        yield from _values(features)
        yield from _outliers(features)
        yield from _scale(features)
    for head in record.heads:
        yield from _labels(head)
        yield from _mix(head, record.run)
        yield from _target_scale(head, record)


def _values(features: Features) -> Iterator[Suspicion]:
    if features.missing:
        yield suspect(
            "nan_in_data",
            f"{features.missing:,} values of {features.name} are NaN or infinite: one of them makes"
            " the loss NaN.",
            FILL,
            ("values that are not finite", features.missing),
            severity=CRITICAL,
        )
    constant = features.constant
    if constant:
        few = len(constant) < features.mean.size
        yield suspect(
            "constant_feature",
            f"{len(constant)} of {features.mean.size} features of {features.name} have the same"
            f" value in every row (first: feature {constant[0]}).",
            "X = X[:, X.std(axis=0) > 0]",
            ("constant features", len(constant)),
            severity=INFO if few else CRITICAL,
            # Large constants drown the others: they are a second bias with a large gradient.
            strength=0.15 if few and features.size[constant].max() > _LARGE else 0.0,
        )
    for feature, value, share in features.sentinels[:1]:
        yield suspect(
            "sentinel_values",
            f"Feature {feature} of {features.name} is {value:g} in {share:.1%} of the rows, far"
            " from all its other values: it looks like a code for a missing value.",
            f"X = numpy.where(X == {value:g}, numpy.nan, X)  # then fill in the median",
            ("features with such a value", len(features.sentinels)),
            ("share of the rows", share),
            severity=WARNING,
        )
    fine = (features.resolution > _FINE) & (features.std > 0)
    if fine.any():
        worst = int(features.resolution.argmax())
        yield suspect(
            "float_precision",
            f"Feature {worst} of {features.name} is so large against its spread that float32 keeps"
            " few of its digits.",
            "X = X.astype('float64'); X = (X - X.mean(0)) / X.std(0)  # before it becomes float32",
            ("step of float32 over the standard deviation", float(features.resolution[worst])),
            ("largest value", float(abs(features.high[worst]))),
            severity=WARNING if features.resolution[worst] > 0.1 else INFO,
            strength=0.5,
        )


def _outliers(features: Features) -> Iterator[Suspicion]:
    if features.outlying is None or not features.outlying.size:
        return
    far = np.nan_to_num(features.outlying, posinf=0.0)  # what is not finite is said elsewhere
    if far.max() < _FAR:
        return
    worst = int(far.argmax())
    yield suspect(
        "outliers",
        f"Feature {worst} of {features.name} has values {far[worst]:,.0f} times as far from its"
        " median as 99 % of the rows.",
        "X = numpy.clip(X, *numpy.quantile(X, [0.005, 0.995], axis=0))",
        ("largest distance over the range of the middle 99 %", float(far[worst])),
        # They set the scale: all the others become one value.
        strength=0.6 if far[worst] > 10 * _FAR else 0.3,
    )


def _scale(features: Features) -> Iterator[Suspicion]:
    if features.normalized or not features.mean.size:
        return
    reach = float(features.high.max() - features.low.min())
    if features.jolt > _JOLT * reach > 0:
        yield _too_bright(features, reach)
    size = features.size
    worst, live = int(np.nanargmax(size)), size[features.std > 0]
    # Of many features a few are nearly constant: they are not what the others are held against.
    small = float(np.sort(live)[len(live) // 4]) if len(live) else 1.0
    uneven = float(live.max() / max(small, 1e-12)) if len(live) else 1.0
    if size[worst] > _LARGE:
        large = size[worst] > _HUGE
        yield suspect(
            "unscaled_inputs",
            f"Feature {worst} of {features.name} has values of size {size[worst]:,.4g}; rates and"
            " first weights are made for values of size 1.",
            _SCALE,
            ("sqrt(mean(x^2)) of the largest feature", float(size[worst])),
            ("largest feature over the lower quartile", uneven),
            strength=0.9 if large else 0.75,
        )
    elif len(live) and (live.max() < 0.05 or uneven > _UNEVEN):
        yield suspect(
            "unscaled_inputs",
            f"A quarter of the features of {features.name} have sizes below {small:.3g}, the"
            f" largest has {live.max():.3g}: the small ones hardly enter the network.",
            _SCALE,
            ("largest feature over the lower quartile", uneven),
            strength=0.5,
        )


def _too_bright(features: Features, reach: float) -> Suspicion:
    """A RandomBrightness for pixels of 0 to 255, of values that were divided by it before."""
    return suspect(
        "unscaled_inputs",
        f"In training RandomBrightness moves the values of {features.name} by up to"
        f" {features.jolt:.3g}; they lie within {reach:.3g}: what is in the images is lost.",
        f"RandomBrightness(0.2, value_range=({features.low.min():g}, {features.high.max():g}))"
        "  # (0, 255) if it is left out",
        ("largest move over the range of the values", features.jolt / reach),
        strength=0.93,
    )


def _labels(head: Head) -> Iterator[Suspicion]:
    labels = head.labels
    if labels.rows > 1 and labels.low == labels.high and labels.width == 1:
        yield suspect(
            "single_class_labels",
            f"Every label is {labels.low:g}: there is nothing to tell apart.",
            "numpy.unique(y, return_counts=True)  # look where the other labels were lost",
            ("different labels", 1),
            severity=CRITICAL,
        )
        return
    if labels.kind in ("binary", "classes", "one_hot") and labels.counts:
        present = [count for count in labels.counts if count]
        if len(present) == 1:
            yield suspect(
                "single_class_labels",
                "Every label is the same class: there is nothing to tell apart.",
                "numpy.unique(y, return_counts=True)  # look where the other labels were lost",
                ("classes with examples", 1),
                severity=CRITICAL,
            )
        elif labels.rare:
            yield suspect(
                "class_imbalance",
                f"{labels.majority:.1%} of the labels are of one class: a network that always says"
                " so is that accurate.",
                'model.fit(X, y, class_weight="balanced")  # and measure metrics=["auc"]',
                ("share of the largest class", labels.majority),
                ("examples of the smallest class", min(present)),
                strength=0.3,
            )


def _mix(head: Head, run: Run | None) -> Iterator[Suspicion]:
    mixture = head.mixture
    if mixture is None or not mixture.differs:
        return
    if isinstance(mixture, Shift):
        yield _shift(head, mixture, run)
        return
    p, q = mixture.shares
    worst = int(np.argmax(q - p))
    whole = np.count_nonzero(q) == 1
    yield suspect(
        "train_val_label_mismatch",
        f"{'All' if whole else f'{q[worst]:.0%} of the'} validation labels are"
        f" {mixture.classes[worst]:g}, of the training labels {p[worst]:.0%}: rows that are sorted"
        " by class were cut in two, and the validation score says nothing.",
        _SHUFFLE,
        ("distance of the shares of the classes, 0 to 1", mixture.distance),
        severity=WARNING,
        layer=head.layer,
    )


def _shift(head: Head, shift: Shift, run: Run | None) -> Suspicion:
    """Harm where the network predicts the training targets alone: a trend may be learned, too."""
    gap = 0.0
    if run is not None and run.score is not None and run.held_out is not None:
        gap = run.score - run.held_out
    (mean, std), (other, spread) = shift.training, shift.held_out
    return suspect(
        "train_val_label_mismatch",
        f"The validation targets are {other:.4g} +- {spread:.2g}, those of training {mean:.4g} +-"
        f" {std:.2g}: rows that are sorted by target (or by time) were cut in two, and the"
        " validation score is of targets that training never saw.",
        _SHUFFLE,
        ("largest difference of the shares below a number, 0 to 1", shift.distance),
        severity=WARNING if gap > GAP else INFO,
        layer=head.layer,
    )


def _target_scale(head: Head, record: Record) -> Iterator[Suspicion]:
    labels = head.labels
    if labels.discrete or head.loss is None or head.activation in ("softmax", "sigmoid"):
        return
    size = float(np.hypot(labels.mean, labels.std))
    several = len(record.heads) > 1
    y, of = (f'y["{head.layer}"]', f" of {head.layer}") if several else ("y", "")
    cure = f"mean, std = {y}.mean(), {y}.std(); " + (
        f"{y} = ({y} - mean) / std  # predictions then * std + mean" if several else
        "model.fit(X, (y - mean) / std)  # then * std + mean"
    )  # fmt: skip
    layer = head.layer if several else None
    if 0 < size < _TINY:
        yield suspect(
            "unscaled_targets",
            f"The targets{of} have size {size:.2g}; the first predictions have size 1: against"
            " their error the targets cannot be seen.",
            cure,
            ("sqrt(mean(y^2))", size),
            strength=0.8,
            layer=layer,
        )
    if size > _LARGE:
        yield suspect(
            "unscaled_targets",
            f"The targets{of} have size {size:,.4g} (mean {labels.mean:,.4g}, spread"
            f" {labels.std:,.4g}); the first predictions have size 1, so errors and gradients are"
            " huge, and the way to the targets is long.",
            cure,
            ("sqrt(mean(y^2))", size),
            strength=_target_strength(size, record),
            layer=layer,
        )


def _target_strength(size: float, record: Record) -> float:
    """Likelier where targets are huge, and where the steps of the plan cannot lead to them."""
    plan = record.plan
    if size <= _HUGE or plan is None:
        return 0.3
    if not plan.per_weight:
        return 0.8
    return 0.86 if plan.reach < 0.3 * size else 0.55
