"""What `recipe` returns: the questions, what was tried for each, the model and the advice."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fitwell import notebook
from fitwell.doctor.setup import Setup
from fitwell.model import Model
from fitwell.treatment.treated import program

if TYPE_CHECKING:
    import polars

SIGNAL = "is there a signal?"
TRAINING = "good on the training data?"
VALIDATION = "good on validation data?"
DATA = "do more data help?"


@dataclasses.dataclass(frozen=True)
class Step:
    """One measurement.

    Attributes:
        question: that it belongs to.
        step: what is changed: "as it is", "activation", "learning rate" ...
        tried: the cure, or "".
        training, validation: the score with it, means over the starts; None where there is none.
        spread: what a gain must exceed: twice its standard error, and one example.
        kept: it stays in what follows.
        why: the answer, or why it is kept or not.
    """

    question: str
    step: str
    tried: str
    training: float | None
    validation: float | None
    spread: float | None
    kept: bool
    why: str


class Recipe:
    """The answers to the questions, in their order.

    Attributes:
        answer: "done", "underfits", "overfits", "no signal" or "unknown" (there are no rows that
            could say whether it is good on others).
        advice: what to do, in sentences.
        model: compiled and trained, with what was kept in it.
        measure: the name of the scores: "accuracy", "R2" or, for several outputs, "mean skill".
        training, validation: the scores of the last step that was kept.
        seconds: the time it took.
    """

    def __init__(
        self, answer: str, advice: str, model: Model, setup: Setup, steps: Sequence[Step],
        measure: str, seconds: float,
    ) -> None:  # fmt: skip
        self.answer, self.advice, self.model, self.setup = answer, advice, model, setup
        self.measure, self.seconds = measure, seconds
        self._steps = tuple(steps)
        kept = [one for one in steps if one.kept and one.question != DATA]
        self.training = kept[-1].training if kept else None
        self.validation = kept[-1].validation if kept else None

    @property
    def steps(self) -> polars.DataFrame:
        """One row per measurement; the columns are the attributes of Step."""
        import polars as pl

        kinds = {str: pl.String, float: pl.Float64, bool: pl.Boolean}
        texts = ("question", "step", "tried", "why")
        schema: dict[str, Any] = {
            field.name: kinds[
                str if field.name in texts else bool if field.name == "kept" else float
            ]
            for field in dataclasses.fields(Step)
        }
        return pl.DataFrame(
            [dataclasses.astuple(one) for one in self._steps], schema=schema, orient="row"
        )

    @property
    def code(self) -> str:
        """The model as a program to paste."""
        return program(self.setup, (self.model._input_form, self.model._output_form))

    def __repr__(self) -> str:
        lines = [f"<Recipe: {self.answer}, in {self.seconds:.0f} s>"]
        rows = [("", self.measure, "training", "validation", "")]
        rows += [self._cells(one) for one in self._steps]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        padded = [
            "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        lines.append(f"    {padded[0]}")
        asked = ""
        for one, row in zip(self._steps, padded[1:], strict=True):
            if one.question != asked:
                asked = one.question
                lines.append(f"  {asked}")
            lines.append(f"    {row}")
        return "\n".join([*lines, f"  {self.advice}"])

    def _repr_html_(self) -> str:
        """A row per step, in a notebook."""
        text = notebook.text
        header = ("question", "step", "training", "validation", "kept", "why")
        rows = [
            (
                text(one.question), text(_what(one)), text(number(one.training)),
                text(number(one.validation)), text("yes" if one.kept else "no"), text(one.why),
            )
            for one in self._steps
        ]  # fmt: skip
        title = f"{self.answer} ({self.measure}, {self.seconds:.0f} s). {self.advice}"
        return notebook.paragraph(title) + notebook.table(header, rows)

    def _cells(self, one: Step) -> tuple[str, str, str, str, str]:
        mark = "+" if one.kept else "-"
        return mark, _what(one), number(one.training), number(one.validation), one.why


def _what(one: Step) -> str:
    return f"{one.step}: {one.tried}" if one.tried else one.step


def number(value: float | None) -> str:
    """Three decimals, or a dash.

    >>> number(0.98251), number(None)
    ('0.983', '-')
    """
    return "-" if value is None else f"{value:.3f}"
