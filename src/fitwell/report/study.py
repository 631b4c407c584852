"""What a report is about, as plain numbers and words: everything on the page, before the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fitwell.assessment.dependence import Dependence
from fitwell.assessment.ranking import Curve, Reliability
from fitwell.assessment.shuffling import Importance
from fitwell.types import HostArray

Facts = tuple[tuple[str, str], ...]
"""Label and text, line by line."""


@dataclass(frozen=True)
class Listing:
    """A table of rows for people.

    Attributes:
        header: names of the columns.
        rows: cells as text.
        images: a picture for each row, PNG, or nothing.
        figures: the places of columns that hold numbers: they are set to the right.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    images: tuple[bytes, ...] = ()
    figures: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Judgement:
    """How good it is on rows whose truth is known.

    Attributes:
        task: as in `assessment.Subject`.
        target: what is predicted.
        classes: their names.
        rows: how many examples.
        scores: name -> value, lower and upper end of the 95 % interval.
        confusion: counts, for two classes or more.
        roc, precision_recall: by class.
        calibration: what the probability is of, and the bins.
        residuals: truth and prediction of numbers.
    """

    task: str
    target: str
    classes: tuple[str, ...]
    rows: int
    scores: Mapping[str, tuple[float, float, float]]
    confusion: HostArray | None = None
    roc: Mapping[str, Curve] = field(default_factory=dict)
    precision_recall: Mapping[str, Curve] = field(default_factory=dict)
    calibration: tuple[str, Reliability] | None = None
    residuals: tuple[HostArray, HostArray] | None = None


@dataclass(frozen=True)
class Reliance:
    """What the predictions rest on.

    Attributes:
        importances: of all features, the most important first.
        loss: what they are measured in.
        rows, repeats: how many rows were shuffled, and how often.
        missing: why there are none, as a sentence.
        dependences: of the most important ones.
    """

    importances: tuple[Importance, ...]
    loss: str
    rows: int
    repeats: int
    missing: str = ""
    dependences: tuple[Dependence, ...] = ()


@dataclass(frozen=True)
class Course:
    """How the fit went.

    Attributes:
        curves: name -> epochs from 0, and values.
        best: the epoch whose weights were kept, from 1, or None.
        words: how many epochs, how long, what ended them.
        layers: numbers of layers at moments of the fit: records with `epoch`, `step`, `layer`.
        findings: what the doctor saw.
        examined: whether there was a doctor.
    """

    curves: Mapping[str, tuple[list[int], list[float]]] = field(default_factory=dict)
    best: int | None = None
    words: str = ""
    layers: tuple[Mapping[str, Any], ...] = ()
    findings: tuple[Any, ...] = ()
    examined: bool = False


@dataclass(frozen=True)
class Study:
    """All of a report.

    Attributes:
        title: what is predicted from what.
        verdict: the main result in a sentence.
        facts: what was trained on what.
        notes: what a reader should know, in sentences.
        columns: what each column was taken for.
        judged: which rows the scores are of, as a clause.
        numbering: how rows are numbered, as a sentence.
        judgement, reliance, course: see there.
        baselines: name -> scores, of what the network is compared with.
        worst: the examples with the largest loss.
        suspects: rows whose label may be wrong, and how they were found.
        suspicion: the method, in sentences.
        model: the network, for its picture.
        python, shell: how to load it and predict.
        repeat: what is needed to train it again.
        program: that makes and trains the network, or builds it for the command; "" where no
            program of the user did.
    """

    title: str
    verdict: str
    facts: Facts
    notes: tuple[str, ...]
    columns: Listing | None
    judged: str
    numbering: str
    judgement: Judgement
    baselines: Mapping[str, Mapping[str, float]]
    reliance: Reliance
    course: Course
    worst: Listing
    suspects: Listing
    suspicion: str
    model: Any
    python: str
    shell: str
    repeat: Facts
    program: str = ""
