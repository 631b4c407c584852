"""Loss, output activation, units, labels and metrics against each other: an exact table."""

from __future__ import annotations

from collections.abc import Iterator

from fitwell.doctor.record import Head, Record
from fitwell.doctor.rules import ranges
from fitwell.doctor.rules.base import CRITICAL, INFO, WARNING, Suspicion, suspect
from fitwell.doctor.rules.ranges import BINARY, CATEGORICAL, CROSSENTROPY

_SPARSE = ("SparseCategoricalCrossentropy",)
_SQUARED = ("MeanSquaredError", "MeanAbsoluteError", "Huber", "LogCosh")
_ACCURACY = (
    "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy",
    "TopKCategoricalAccuracy",
)  # fmt: skip
_BOUNDED = ("sigmoid", "softmax", "tanh", "hard_sigmoid", "softsign", "relu6")
_CLASSES = 50  # more different whole numbers are quantities


def rules(record: Record) -> Iterator[Suspicion]:
    for head in record.heads:
        if head.loss is None:
            continue
        found = [*_units(head), *_loss(head), *_activation(head), *ranges.of(head)]
        yield from found
        yield from _metrics(head)
        if head.reduction == "sum":
            yield suspect(
                "sum_reduction",
                "The loss is a sum over the batch: gradients grow with the batch size, and so does"
                " the step.",
                "loss=fw.losses.MeanSquaredError()  # the mean is the default",
                ("reduction", "sum"),
                strength=0.7,
            )
        if head.refused and not any(one.finding.severity > INFO for one in found):
            yield suspect(
                "label_shape_mismatch",
                f"The loss cannot take these labels: {head.refused}",
                'model.compile(loss="sparse_categorical_crossentropy")'
                if head.loss in CATEGORICAL and head.labels.kind in ("classes", "binary")
                else "Bring y into the form that the message names.",
                ("units of the output", head.units),
                severity=CRITICAL,
            )


def _units(head: Head) -> Iterator[Suspicion]:
    labels = head.labels
    if head.activation == "softmax" and head.units == 1:
        instead = "sigmoid" if labels.discrete else "linear"
        yield suspect(
            "softmax_single_unit",
            "A softmax of one unit is 1 for every input, with gradient 0: the network cannot"
            " learn.",
            _head(head, 1, instead),
            ("units of the softmax", 1),
            severity=CRITICAL,
            layer=head.layer,
        )
    several = labels.kind == "classes" and labels.classes > 2
    if head.loss in BINARY and several and head.units == 1:
        yield suspect(
            "labels_out_of_range",
            f"The labels run from {labels.low:g} to {labels.high:g}; binary cross-entropy knows 0"
            " and 1, and falls without end for others.",
            _head(head, labels.classes, "softmax", "sparse_categorical_crossentropy"),
            ("largest label", labels.high),
            severity=CRITICAL,
            layer=head.layer,
        )
    if several and head.units == 1 and (head.loss in CROSSENTROPY or head.activation == "sigmoid"):
        yield suspect(
            "wrong_output_units",
            f"{labels.classes} classes need {labels.classes} units; one unit tells two apart.",
            _head(head, labels.classes, "softmax", "sparse_categorical_crossentropy"),
            ("classes", labels.classes),
            ("units", head.units),
            severity=CRITICAL,
            layer=head.layer,
        )
    if head.loss in (*CATEGORICAL, *_SPARSE) and head.units == 1 and head.activation != "softmax":
        yield suspect(
            "wrong_output_units",
            "Categorical cross-entropy of a single class is 0 whatever the network says.",
            _head(head, 1, "sigmoid", "binary_crossentropy"),
            ("units", 1),
            severity=CRITICAL,
            layer=head.layer,
        )
    if head.loss in _SPARSE and labels.kind in ("classes", "binary") and labels.high >= head.units:
        yield suspect(
            "labels_out_of_range",
            f"The largest label is {labels.high:g}; {head.units} units stand for the classes 0 to"
            f" {head.units - 1}.",
            f"y = y - {labels.low:g}  # classes 0 to {labels.high - labels.low:g}"
            if 0 < labels.high - labels.low < head.units
            else _head(head, int(labels.high) + 1, "softmax"),
            ("largest label", labels.high),
            ("units", head.units),
            severity=CRITICAL,
            layer=head.layer,
        )
    if head.loss in _SPARSE and not labels.whole:
        yield suspect(
            "labels_not_integer",
            "The labels are no whole numbers, but the loss reads them as numbers of classes.",
            _head(head, 1, "linear", "mse"),
            ("smallest label", labels.low),
            ("largest label", labels.high),
            severity=CRITICAL,
        )


def _loss(head: Head) -> Iterator[Suspicion]:
    labels = head.labels
    numbers = (labels.kind == "numbers" and not labels.signs) or (
        labels.kind == "classes" and head.loss in CATEGORICAL
    )
    if head.loss in (*BINARY, *CATEGORICAL) and numbers and (labels.high > 1 or labels.low < 0):
        if labels.kind == "numbers":
            yield suspect(
                "loss_mismatch",
                f"{head.loss} compares probabilities; the targets are numbers from {labels.low:.4g}"
                f" to {labels.high:.4g}.",
                _head(head, 1 if labels.width == 1 else labels.width, "linear", "mse"),
                ("largest target", labels.high),
                severity=CRITICAL,
            )
    elif head.loss in CATEGORICAL and head.units == 1:
        yield suspect(
            "loss_mismatch",
            "Categorical cross-entropy is over several units; there is one.",
            _head(head, 1, "sigmoid", "binary_crossentropy"),
            ("units", 1),
            severity=CRITICAL,
        )
    if head.loss in _SQUARED and labels.discrete and head.activation in ("sigmoid", "softmax"):
        binary = head.activation == "sigmoid" or head.units == 1
        right = "binary_crossentropy" if binary else _categorical(head)
        yield suspect(
            "loss_mismatch",
            f"{head.loss} through a {head.activation}: where the output is sure and wrong, the"
            " gradient is almost 0.",
            f'model.compile(loss="{right}")',
            ("labels", labels.kind),
            strength=0.6,
        )
    elif head.loss in _SQUARED and labels.kind in ("one_hot", "multi_hot", "binary"):
        yield suspect(
            "loss_mismatch",
            f"{head.loss} on {labels.kind.replace('_', '-')} labels: classes are compared as"
            " numbers.",
            _head(head, head.units, *_right(head)),
            ("labels", labels.kind),
            strength=0.5,
        )
    if head.activation == "softmax" and labels.kind == "multi_hot" and head.units > 1:
        yield suspect(
            "multilabel_softmax",
            "Rows have several labels, or none, but the outputs of a softmax share a sum of 1.",
            _head(head, head.units, "sigmoid", "binary_crossentropy"),
            ("columns", labels.width),
            severity=WARNING,
            layer=head.layer,
        )
    exclusive = labels.kind == "one_hot" and labels.width > 2
    if head.loss in BINARY and exclusive:
        yield suspect(
            "output_activation_loss_mismatch",
            f"Each row is of one of {labels.width} classes, but every class is asked by itself:"
            f" saying no to all is right in {(labels.width - 1) / labels.width:.1%}.",
            _head(head, head.units, "softmax", "categorical_crossentropy"),
            ("classes", labels.width),
            strength=0.55,
            layer=head.layer,
        )


def _activation(head: Head) -> Iterator[Suspicion]:
    if head.loss not in CROSSENTROPY or (head.units == 1 and head.activation == "softmax"):
        return
    if head.labels.kind == "numbers" and (head.labels.low < 0 or head.labels.high > 1):
        return  # the loss is wrong, not the activation
    right = "sigmoid" if head.loss in BINARY else "softmax"
    if head.from_logits:
        if head.activation in ("softmax", "sigmoid"):
            yield suspect(
                "double_softmax",
                f"The loss takes logits and applies its own {right}; the layer has applied"
                f" {head.activation} before.",
                _head(head, head.units, "linear"),
                ("activation of the output", head.activation),
                ("from_logits", "True"),
                severity=WARNING,
                layer=head.layer,
            )
        elif head.activation not in ("linear",) and head.activation:
            yield suspect(
                "relu_before_softmax",
                f"The logits pass through {head.activation}: none can be below"
                f" {'-1' if head.activation == 'tanh' else '0'}, and a class whose logit is 0 for"
                " all rows is lost.",
                _head(head, head.units, "linear"),
                ("activation of the output", head.activation),
                severity=WARNING,
                layer=head.layer,
            )
        return
    if head.activation == "linear":
        yield suspect(
            "missing_output_activation",
            f"{head.loss} takes probabilities; a layer without activation gives any number.",
            _head(head, head.units, right),
            ("activation of the output", "none"),
            severity=CRITICAL,
            layer=head.layer,
        )
    elif head.activation not in ("sigmoid", "softmax", "hard_sigmoid"):
        yield suspect(
            "output_activation_loss_mismatch",
            f"{head.loss} takes probabilities; {head.activation} gives "
            + ("values above 1, and 0 without a gradient." if "relu" in head.activation
               else "values outside [0, 1]."),
            _head(head, head.units, right),
            ("activation of the output", head.activation),
            severity=CRITICAL,
            layer=head.layer,
        )  # fmt: skip
    elif head.activation == "sigmoid" and right == "softmax":
        yield suspect(
            "output_activation_loss_mismatch",
            "Categorical cross-entropy of sigmoids: the outputs are no distribution over classes.",
            _head(head, head.units, "softmax"),
            ("activation of the output", "sigmoid"),
            strength=0.6,
            layer=head.layer,
        )


def _metrics(head: Head) -> Iterator[Suspicion]:
    labels = head.labels
    for metric in head.metrics:
        if metric in _ACCURACY and labels.kind == "numbers" and head.loss not in CROSSENTROPY:
            yield suspect(
                "metric_mismatch",
                "Accuracy counts predictions that equal the target; targets that are numbers are"
                " never met exactly.",
                'metrics=["mae", fw.metrics.R2Score()]',
                ("metric", metric),
                severity=WARNING,
            )
        elif metric in _ACCURACY and _as_quantity(head):
            yield suspect(
                "metric_mismatch",
                f"Accuracy tells two classes apart by one output; the labels are {labels.classes}"
                f" whole numbers, of which {head.loss} makes quantities.",
                _head(head, labels.classes, "softmax", "sparse_categorical_crossentropy")
                + '  # or, of quantities, metrics=["mae"]',
                ("metric", metric),
                ("different labels", labels.classes),
                severity=WARNING,
            )
        elif metric == "BinaryAccuracy" and labels.kind == "one_hot" and labels.width > 2:
            yield suspect(
                "metric_mismatch",
                f"Binary accuracy of {labels.width} exclusive classes is"
                f" {(labels.width - 1) / labels.width:.1%} for a network that says no to all.",
                'metrics=["categorical_accuracy"]',
                ("its value for no to all", (labels.width - 1) / labels.width),
                severity=WARNING,
            )


def _as_quantity(head: Head) -> bool:
    """Whether numbers of classes are compared with one linear output."""
    few = head.labels.kind == "classes" and 3 <= head.labels.classes <= _CLASSES
    return few and head.units == 1 and head.loss in _SQUARED


def _categorical(head: Head) -> str:
    sparse = head.labels.width == 1 and head.units > 1
    return "sparse_categorical_crossentropy" if sparse else "categorical_crossentropy"


def _right(head: Head) -> tuple[str, str]:
    """The activation and the loss that the labels ask for."""
    if head.labels.kind in ("binary", "multi_hot"):
        return "sigmoid", "binary_crossentropy"
    return "softmax", _categorical(head)


def _head(head: Head, units: int, activation: str, loss: str | None = None) -> str:
    """The last layer as it should be, as code."""
    given = "" if activation == "linear" else f', activation="{activation}"'
    code = f"fw.layers.Dense({units}{given})  # the last layer"
    return code if loss is None else f'{code}\nmodel.compile(loss="{loss}")'
