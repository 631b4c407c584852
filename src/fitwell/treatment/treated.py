"""What `treat` returns: the model, the table of what was tried, and the program."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fitwell import notebook
from fitwell.description import changed_fields
from fitwell.doctor.cure import Cure
from fitwell.doctor.rewriting import is_chain
from fitwell.doctor.setup import Setup
from fitwell.layers.inputs import InputLayer
from fitwell.layers.naming import snake_case
from fitwell.model import Model

if TYPE_CHECKING:
    import polars


UNTRIED = "no time to leave it out alone"
_UNTRIED = "without numbers: kept with the others, there was no time to leave each out alone"


@dataclasses.dataclass(frozen=True)
class Row:
    """One cure in the table: scores without it and with it."""

    cure: Cure
    before: float | None
    after: float | None
    spread: float
    kept: bool
    why: str

    @property
    def untried(self) -> bool:
        """It was never left out: nothing is known of it alone."""
        return self.why == UNTRIED


@dataclasses.dataclass(frozen=True)
class Score:
    """The measure of a model before and after: accuracy for classes, R2 for numbers.

    Attributes:
        name: "accuracy", "R2" or, for several outputs, "mean skill".
        before, after: means over the starts; `before` is None where `fit` refuses the data.
        on: which rows judged.
    """

    name: str
    before: float | None
    after: float | None
    on: str

    def __str__(self) -> str:
        return f"{self.name} {_number(self.before)} -> {_number(self.after)} on {self.on}"


def _number(value: float | None) -> str:
    return "(refused)" if value is None else f"{value:.3f}"


def _known(value: float | None) -> str:
    return "?" if value is None else f"{value:.3f}"


class Treated:
    """A model that was treated.

    Attributes:
        model: compiled and trained; takes raw inputs and returns raw predictions.
        score: before and after.
        reason: why nothing is proposed; "" if something is.
        setup: network, losses, optimizer, batch size and epochs, with the cures that were kept.
        seconds: the time it took.
    """

    def __init__(
        self, model: Model, setup: Setup, rows: Sequence[Row], score: Score, reason: str,
        seconds: float,
    ) -> None:  # fmt: skip
        self.model, self.setup, self.score = model, setup, score
        self.reason, self.seconds = reason, seconds
        self._rows = tuple(rows)

    @property
    def cures(self) -> list[str]:
        """The names of those that were kept."""
        return [row.cure.name for row in self._rows if row.kept]

    @property
    def table(self) -> polars.DataFrame:
        """One row per cure that was tried.

        `before` and `after` are the score without it and with it, everything else being equal;
        `spread` is what their difference must exceed: twice its standard error, and one example.
        """
        import polars as pl

        schema: dict[str, Any] = {
            "cure": pl.String, "codes": pl.List(pl.String), "before": pl.Float64,
            "after": pl.Float64, "spread": pl.Float64, "kept": pl.Boolean, "why": pl.String,
        }  # fmt: skip
        rows = [
            (r.cure.name, list(r.cure.codes), r.before, r.after, r.spread, r.kept, r.why)
            for r in self._rows
        ]
        return pl.DataFrame(rows, schema=schema, orient="row")

    @property
    def code(self) -> str:
        """The treated model as a program to paste."""
        return program(self.setup, (self.model._input_form, self.model._output_form))

    def _repr_html_(self) -> str:
        """A row per cure, in a notebook."""
        text = notebook.text
        rows = [
            (
                text(row.cure.name),
                *(text("" if row.untried else _known(one)) for one in (row.before, row.after)),
                text("yes" if row.kept else "no"), text("" if row.untried else row.why),
            )
            for row in self._rows
        ]  # fmt: skip
        title = f"Treated in {self.seconds:.0f} s: {self.score}"
        title += f"; nothing is proposed: {self.reason}" if self.reason else ""
        table = notebook.table(("cure", "without", "with", "kept", "why"), rows)
        rest = notebook.paragraph(_UNTRIED) if self._untried else ""
        return notebook.paragraph(title) + table + rest

    @property
    def _untried(self) -> bool:
        return any(row.untried for row in self._rows)

    def __repr__(self) -> str:
        lines = [f"<Treated in {self.seconds:.0f} s: {self.score}>"]
        width = max((len(row.cure.name) for row in self._rows), default=0)
        for row in self._rows:
            mark = "+" if row.kept else "-"
            if row.untried:
                lines.append(f"  {mark} {row.cure.name}")
                continue
            scores = f"{_number(row.before) if row.before is not None else '  ?  '} -> "
            scores += _number(row.after) if row.after is not None else "  ?  "
            lines.append(f"  {mark} {row.cure.name:{width}}  {scores}  {row.why}")
        if self._untried:
            lines.append(f"  {_UNTRIED}")
        if self.reason:
            lines.append(f"  nothing is proposed: {self.reason}")
        return "\n".join(lines)


def program(setup: Setup, forms: tuple[Any, Any] = (None, None)) -> str:
    """Layers, compile and fit in the words a user writes.

    `forms`: of a model's inputs and outputs: None, "list", or the names of a dict.
    """
    graph = not is_chain(setup.network) or any(forms)
    layers = _graph(setup, forms) if graph else _chain(setup)
    told = setup.compiled
    compiled = [f"optimizer={_described(setup.optimizer)}"]
    compiled.append(f"loss={_one_or_list([_described(loss) for loss in told.losses])}")
    if any(weight != 1 for weight in told.weights):
        compiled.append(f"loss_weights={_one_or_list([f'{w:g}' for w in told.weights])}")
    if any(told.metrics):
        lists = [f"[{', '.join(map(_described, of))}]" for of in told.metrics]
        compiled.append(f"metrics={_one_or_list(lists)}")
    fitted = [f"batch_size={setup.batch_size}", f"epochs={setup.epochs}"]
    if setup.class_weight is not None:
        fitted.append(f"class_weight={setup.class_weight!r}")
    if setup.patience is not None:
        stop = f"EarlyStopping(patience={setup.patience}, restore_best_weights=True)"
        fitted += ["validation_data=(X_val, y_val)", f"callbacks=[fw.callbacks.{stop}]"]
    return (
        f"import fitwell as fw\n\n{layers}\nmodel.compile({', '.join(compiled)})\n"
        f"model.fit(X, y, {', '.join(fitted)})\n"
    )


def _one_or_list(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"[{', '.join(parts)}]"


def _chain(setup: Setup) -> str:
    body = [f"    {_described(node.layer)}," for node in setup.network.nodes]
    return "\n".join(["model = fw.Sequential([", *body, "])"])


def _graph(setup: Setup, forms: tuple[Any, Any]) -> str:
    """One line per layer, as the functional API is written."""
    lines, network = [], setup.network
    names = [re.sub(r"\W", "_", f"{node.name}_out") for node in network.nodes]
    written: dict[str, str] = {}
    for name, node in zip(names, network.nodes, strict=True):
        read = [names[i] if j is None else f"{names[i]}[{j}]" for i, j in node.inputs]
        given = f"[{', '.join(read)}]" if node.many else "".join(read)
        if isinstance(node.layer, InputLayer):
            lines.append(f"{name} = {_described(node.layer)}")
            continue
        layer = written.get(node.name, _described(node.layer))
        uses = sum(other.name == node.name for other in network.nodes)
        if uses > 1 and node.name not in written:
            written[node.name] = re.sub(r"\W", "_", node.name)
            lines.append(f"{written[node.name]} = {layer}")
            layer = written[node.name]
        lines.append(f"{name} = {layer}({given})")
    inputs = _formed([names[i] for i in network.inputs], forms[0])
    outputs = _formed([names[i] for i, _ in network.outputs], forms[1])
    return "\n".join([*lines, f"model = fw.Model({inputs}, {outputs})"])


def _formed(parts: list[str], form: Any) -> str:
    if isinstance(form, list | tuple):
        return "{" + ", ".join(f"{k!r}: {v}" for k, v in zip(form, parts, strict=True)) + "}"
    return f"[{', '.join(parts)}]" if form == "list" else _one_or_list(parts)


_MODULES = ("layers", "optimizers", "losses", "metrics", "regularizers", "initializers",
            "constraints", "schedules")  # fmt: skip


def _described(value: Any) -> str:
    """A description as a call, with its module; names by position left out."""
    if isinstance(value, InputLayer):
        kind = "" if value.dtype == "float32" else f", dtype={value.dtype!r}"
        return f"fw.layers.Input({tuple(value.shape)!r}{kind})"
    if not hasattr(value, "validate"):
        return (
            f"[{', '.join(map(_described, value))}]" if isinstance(value, tuple) else _plain(value)
        )
    fields = changed_fields(value)
    kind = type(value).__name__
    if re.fullmatch(rf"{snake_case(kind)}(_\d+)?", str(fields.get("name"))):
        del fields["name"]
    arguments = ", ".join(f"{name}={_described(one)}" for name, one in fields.items())
    return f"fw.{_module(type(value))}.{kind}({arguments})"


def _plain(value: Any) -> str:
    return str(getattr(value, "__name__", value)) if callable(value) else repr(value)


def _module(kind: type) -> str:
    module = kind.__module__.split(".")
    if module[:1] == ["fitwell"] and "schedules" in module:
        return "schedules" if module[1] == "schedules" else "optimizers.schedules"
    return module[1] if len(module) > 1 and module[1] in _MODULES else module[0]
