"""What recurrent layers read, and how much of it reaches the loss."""

from __future__ import annotations

from collections.abc import Iterator

from fitwell.doctor.record import Record
from fitwell.doctor.rules.base import Suspicion, suspect
from fitwell.doctor.sequences import Memory, Padding

_FORGOTTEN = 1e-4  # of the gradient: what is so far back moves no weight
_GROWN = 1e3  # times: one learning rate cannot serve both ends
_LONG = 10  # steps of padding: a state remembers fewer
_LITTLE = 0.3  # of skill: a network that has learned more did not need what is far back


def rules(record: Record) -> Iterator[Suspicion]:
    known = None if record.run is None else record.run.memory
    if record.padding is not None and record.padding.share * record.padding.steps >= 2:
        yield _padded(record.padding, known)
    elif known is not None and known.early < _FORGOTTEN:
        yield suspect(
            "vanishing_gradient",
            f"The gradient at the first steps that {known.layer} reads is"
            f" {_little(known.early)} of the largest over its {known.steps} steps: of what is so"
            " far back it learns nothing.",
            "fw.layers.LSTM(32) or GRU; fewer steps (Conv1D and pooling before it); Bidirectional",
            *_evidence(known),
            strength=0.7 if record.run is not None and (record.run.score or 0) < _LITTLE else 0.25,
            layer=known.layer,
        )
    if known is not None and known.late > 0 and known.early / known.late > _GROWN:
        yield suspect(
            "exploding_gradient",
            f"The gradient grows {known.early / known.late:.0e} times on its way from the last to"
            f" the first of the {known.steps} steps that {known.layer} reads.",
            'activation="tanh"; optimizer=fw.optimizers.Adam(1e-3, global_clipnorm=1.0)',
            *_evidence(known),
            strength=0.6,
            layer=known.layer,
        )


def _little(share: float) -> str:
    return f"{share:.0e}" if share else "0"


def _padded(found: Padding, known: Memory | None) -> Suspicion:
    mask = (
        "fw.layers.Embedding(..., mask_zero=True)  # 0 is for padding alone, words begin at 1"
        if found.ids
        else f"fw.layers.Masking({found.value:g})  # before the recurrent layer"
    )
    behind = found.share * found.steps
    return suspect(
        "vanishing_gradient",
        f"{found.layer} returns its state after {found.steps} steps, of which the last"
        f" {behind:.0f} are padding ({found.value:g}) on average: what it read before has faded.",
        mask,
        ("share of the steps that are padding", found.share),
        *(() if known is None else _evidence(known)),
        strength=0.9 if behind >= _LONG else 0.5,
        layer=found.layer,
    )


def _evidence(known: Memory) -> tuple[tuple[str, float], ...]:
    return (
        ("steps of a sequence", known.steps),
        ("gradient at the first tenth of them over the largest", known.early),
    )
