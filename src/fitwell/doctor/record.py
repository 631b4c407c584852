"""The plain record of numbers that the rules read: no arrays of a device, no model, no JAX."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fitwell.doctor.address import Address
from fitwell.doctor.labels import Labels
from fitwell.doctor.mixture import Mixture, Shift
from fitwell.doctor.pulse import Moment, Pulse
from fitwell.doctor.sequences import Memory, Padding
from fitwell.types import HostArray

_ADADELTA = 0.01  # of its rate is a step, about
_STRONG_DECAY = 5.0  # weights stay below its inverse; first ones have size 0.1 to 1
_FADED = 0.1  # of the largest rate: the mean of a cosine is 0.5, of a fall to 1e-3 of it 0.14


@dataclass(frozen=True)
class Features:
    """One input of numbers, flattened to (n, width). Statistics are per feature.

    Attributes:
        name: of the input.
        rows: examples; `shape`: of one.
        mean, std, low, high: (width,), NaN left out.
        resolution: (width,) the step of float32 at the largest value, over the std.
        outlying: (width,) the largest distance from the median, over the range of the middle 99 %.
        missing: how many values are NaN or infinite.
        by_chance: the share of rows with a copy in training if features were independent.
        sentinels: (feature, value, share): a value such as -999 far from all others.
        duplicates: the share of rows that are copies of an earlier one.
        overlap: the share of validation rows that are training rows.
        beside: the share of validation windows that begin one step beside a training window.
        held_out_mean, held_out_std: (width,) of the validation data, or None.
        normalized: the network itself brings them to a common scale first.
        listed: they look like ids: whole numbers of one list in every column.
        jolt: how far a RandomBrightness moves the values in training; 0 without any.
    """

    name: str
    rows: int
    shape: tuple[int, ...]
    mean: HostArray
    std: HostArray
    low: HostArray
    high: HostArray
    resolution: HostArray
    outlying: HostArray | None = None
    missing: int = 0
    sentinels: tuple[tuple[int, float, float], ...] = ()
    duplicates: float = 0.0
    overlap: float = 0.0
    beside: float = 0.0
    held_out_mean: HostArray | None = None
    held_out_std: HostArray | None = None
    normalized: bool = False
    listed: bool = False
    jolt: float = 0.0
    by_chance: float = 0.0

    @property
    def constant(self) -> list[int]:
        return [int(i) for i in (self.std == 0).nonzero()[0]]

    @property
    def bits(self) -> bool:
        """Whether every feature has two values."""
        spread = (self.mean - self.low) * (self.high - self.mean)
        return bool(np.allclose(self.std**2, spread, rtol=1e-6, atol=1e-12))

    @property
    def size(self) -> HostArray:
        """sqrt(mean(x^2)) of each feature."""
        size: HostArray = (self.mean**2 + self.std**2) ** 0.5
        return size


@dataclass(frozen=True)
class Head:
    """One output: what computes it and what it is compared with.

    Attributes:
        units: of its last axis.
        activation: its name, "linear" for none.
        loss: the class name of the loss, None for none.
        from_logits: of a cross-entropy.
        reduction: of the loss.
        metrics: class names.
        refused: why the loss does not take these labels, in words; "" if it does.
        mixture: of the classes in training and validation data, or where numbers lie in both; None
            of other labels.
    """

    layer: str
    units: int
    activation: str
    loss: str | None
    from_logits: bool
    reduction: str
    metrics: tuple[str, ...]
    labels: Labels
    refused: str = ""
    mixture: Mixture | Shift | None = None

    @property
    def by_sign(self) -> bool:
        """Whether the labels are -1 and 1 (or 0 and 1) of a hinge loss, told by the sign."""
        whole = self.labels.whole and self.labels.high == 1 and self.labels.low in (-1, 0)
        return whole and (self.loss or "") in ("Hinge", "SquaredHinge")

    @property
    def discrete(self) -> bool:
        """Whether the output is judged by the share of wrong labels."""
        if self.labels.kind == "classes" and self.units == 1:  # whole numbers, of a linear unit
            return "Crossentropy" in (self.loss or "") or self.activation == "softmax"
        return self.labels.discrete or self.by_sign


@dataclass(frozen=True)
class Layer:
    """One layer with weights, or dropout.

    Attributes:
        kind: class name.
        units, fan_in: of its kernel; 0 for none.
        activation: name, "linear" for none.
        gain: std of the first kernel times sqrt(fan_in); 1 to 1.4 keeps the size of values.
        constant: all entries of the first kernel are equal; `zero`: to 0.
        twins: its units start equal, and so do the weights that read them.
        rate: of a dropout; `l1`, `l2`: of its kernel regularizer.
        use_bias: it adds one; `bias`: the mean of its first ones.
        momentum: of the moving statistics of a batch normalization.
        hidden: no output of the network.
    """

    name: str
    kind: str
    units: int = 0
    fan_in: int = 0
    activation: str = "linear"
    gain: float = 1.0
    constant: bool = False
    zero: bool = False
    twins: bool = False
    rate: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    use_bias: bool = True
    bias: float = 0.0
    momentum: float = 0.0
    hidden: bool = True


@dataclass(frozen=True)
class Plan:
    """How it is trained.

    Attributes:
        optimizer: class name.
        rate: the largest learning rate of the schedule over the planned steps.
        reach: sum of the rates over all planned steps, and those of fits before.
        momentum, epsilon: of the optimizer, 0 if it has none.
        clip: the norm or value to which it clips gradients, 0 for none.
        steps: of an epoch.
        validated: there are validation data.
        parameters: weights that learn.
        trained: epochs of fits before.
        decay: the decoupled weight decay per unit of rate.
    """

    optimizer: str
    rate: float
    reach: float
    momentum: float
    epsilon: float
    clip: float
    batch_size: int
    epochs: int
    steps: int
    rows: int
    validated: bool
    parameters: int
    trained: int = 0
    decay: float = 0.0

    @property
    def per_weight(self) -> bool:
        """Whether a weight moves about `rate` a step, however large its gradient is."""
        return self.optimizer not in ("SGD", "LBFGS")

    @property
    def way(self) -> float:
        """About how far a weight can go in all steps; of gradient descent if its gradient is 1."""
        if self.optimizer == "Adagrad":  # its steps fall with the square root of their number
            return 2 * self.rate * self.total_steps**0.5
        if self.optimizer == "Adadelta":  # its steps begin near the root of epsilon
            return _ADADELTA * self.reach
        return self.reach * (self.clip if self.clip and not self.per_weight else 1.0)

    @property
    def effective(self) -> float:
        """rate / (1 - momentum): how far a gradient that stays leads a step, in the end."""
        return self.rate / max(1 - self.momentum, 1e-6)

    @property
    def fades(self) -> bool:
        """Whether a schedule is near 0 for most of the fit."""
        return self.reach < _FADED * self.rate * self.total_steps

    @property
    def shrinks(self) -> bool:
        """Whether weight decay keeps weights small, against steps of the same rate."""
        return self.per_weight and self.decay >= _STRONG_DECAY

    @property
    def total_steps(self) -> int:
        return self.steps * (self.epochs + self.trained)


@dataclass(frozen=True)
class Run:
    """A fit that ended.

    Attributes:
        history: name -> a value per epoch.
        constant_loss: the loss of the best constant prediction.
        score, held_out: 1 - error / error of the constant, on training and validation data; the
            error is the share of wrong labels, or the mean squared error; 2 AUC - 1 if `ranked`.
        linear, kernel: the same of a linear model and of a kernel machine, each example predicted
            by a model that has not seen it; None if not asked.
        named: the skill of a linear model that reads whole numbers as names, where only that tells
            anything; None if it does not, or was not asked.
        chance: the probability of a kernel score this good if labels were shuffled; None likewise,
            and where simple models cannot tell what is possible.
        noise: two standard errors of the scores; `held_out_noise`: of `held_out`, no rare classes.
        penalty: the share of weight penalties in the last loss.
        before, after: pulses at the first and at the last weights, in the order of the layers.
        course: the layers at several moments of the fit, in order; empty if nobody looked.
        judged: the head that the scores are of: the worst.
        ranked: one class is usual or rare: scores are those of the order, not of wrong labels.
        address: where the value came from that ended the fit; None if there was none.
        blind: the score with all inputs at 0; None if not asked.
        restored: the weights are those of the epoch that was best on validation data.
        recall: of a rare class: the share of its training rows that the network says to be of it.
        memory: how far back a recurrent layer learns; None if not asked, or without any.
    """

    history: Mapping[str, list[float]]
    constant_loss: float
    score: float | None = None
    held_out: float | None = None
    linear: float | None = None
    kernel: float | None = None
    chance: float | None = None
    noise: float = 0.0
    penalty: float = 0.0
    before: tuple[Pulse, ...] = ()
    after: tuple[Pulse, ...] = ()
    course: tuple[Moment, ...] = ()
    judged: int = 0
    ranked: bool = False
    address: Address | None = None
    blind: float | None = None
    held_out_noise: float = 0.0
    restored: bool = False
    named: float | None = None
    recall: float | None = None
    memory: Memory | None = None

    @property
    def losses(self) -> list[float]:
        return list(self.history.get("loss", []))

    @property
    def diverged(self) -> bool:
        return self.address is not None or not all(abs(v) < float("inf") for v in self.losses)


@dataclass(frozen=True)
class Record:
    """Everything the rules may read.

    Attributes:
        plan: None if nobody said how it is trained.
        run: None before training.
        curvature: the largest eigenvalue of the Hessian at the first weights; None if not asked.
        fresh: the weights are the first ones, so that they tell of initializers.
        padding: what a recurrent layer reads behind the data; None where it reads data alone.
        straight: the network is a linear map, up to the activation of its outputs.
    """

    inputs: tuple[Features, ...]
    heads: tuple[Head, ...]
    layers: tuple[Layer, ...]
    plan: Plan | None
    run: Run | None = None
    fresh: bool = True
    curvature: float | None = None
    padding: Padding | None = None
    straight: bool = False
