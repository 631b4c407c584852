"""Words that all studies share: the verdict, how a fit went, how to repeat it."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fitwell.assessment.comparing import Differences, compared, never_predicted, why_first
from fitwell.history import ENDS
from fitwell.machine import versions
from fitwell.progress import digits
from fitwell.report.study import Facts, Judgement

PARTS = (("train", "for training"), ("validation", "for validation"), ("test", "for the test"))


@dataclass(frozen=True)
class Origin:
    """Where model and data come from, as far as the caller knows.

    Attributes:
        data: the name of the data file.
        model: the name of the model file.
        facts: lines for how to repeat it: the command, the hash of the data.
        program: that built the network, of `--model net.py:build`.
    """

    data: str = ""
    model: str = "model.safetensors"
    facts: Mapping[str, str] = field(default_factory=dict)
    program: str = ""


def origin_of(
    known: Mapping[str, Any],
    source: str = "",
    saved: str = "",
    facts: Mapping[str, str] | None = None,
) -> Origin:
    """What the caller says, and what the model file keeps of the run that made it.

    >>> origin_of({"origin": {"command": ["train", "a b.csv"]}}).facts
    {'Command': "fitwell train 'a b.csv'", 'Seed': '0'}
    """
    kept = known.get("origin", {})
    data = kept.get("data", {})
    path, digest = data.get("path", ""), data.get("sha256")
    options = {k: v for k, v in kept.get("options", {}).items() if k != "data"}
    lines = {
        "Command": shlex.join(["fitwell", *kept["command"]]) if "command" in kept else "",
        "Data": f"{path}, SHA-256 {digest}" if digest else path,
        "Options": ", ".join(f"{name} {_option(value)}" for name, value in options.items()),
        "Seed": str(options.get("seed", 0)) if kept else "",
        "Versions": ", ".join(f"{name} {v}" for name, v in kept.get("versions", {}).items()),
    }
    told = {label: text for label, text in lines.items() if text}
    name = source or Path(path).name
    every = {**told, **(facts or {})}
    return Origin(name, saved or "model.safetensors", every, kept.get("program", ""))


def _option(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def verdict(
    judgement: Judgement,
    baselines: Mapping[str, Mapping[str, float]],
    judged: str,
    apart: Differences,
) -> str:
    """The main score with its interval, beside the baselines.

    Args:
        judgement: of the network.
        baselines: name -> scores on the same rows.
        judged: which rows they are, as a clause.
        apart: the network against each, row by row; empty where nobody compared them.
    """
    name, (value, low, high) = next(iter(judgement.scores.items()))
    main = name[:1].upper() + name[1:]
    told = f"{main} {digits(value)} ({digits(low)} to {digits(high)}) on {judged}"
    others = [
        f"{other} reaches {digits(scores[name])}"
        for other, scores in baselines.items()
        if name in scores
    ]
    said = f"{told}{'; ' if others else ''}{', '.join(others)}."
    if any(next(iter(scores), name) != name for scores in baselines.values()):
        apart = {}  # measured by another score, which came first in training
    own = {measure: ends[0] for measure, ends in judgement.scores.items()}
    beside = compared(own, baselines, apart) if others else ""
    missed = (
        "" if judgement.confusion is None
        else never_predicted(judgement.classes, judgement.confusion)
    )  # fmt: skip
    return " ".join(part for part in (said, beside, why_first(name), missed) if part)


def course_words(facts: Mapping[str, Any]) -> str:
    """How the fit or the search went, in a line."""
    if "trials" in facts:
        parts = [f"the best of {facts['trials']} trials"]
    elif "epochs" in facts:
        planned = facts.get("planned_epochs", facts["epochs"])
        parts = [f"{facts['epochs']} of {planned} epochs"]
    else:
        return ""
    end = ENDS.get(str(facts.get("stopped")), facts.get("stopped"))
    best = facts.get("best_epoch")
    if "seconds" in facts:
        parts.append(f"{facts['seconds']:.1f} s")
    parts += [str(end)] if end else []
    if again := facts.get("refit_epochs"):
        parts += [f"epoch {best} was best; then {again} on training and validation rows together"]
    elif best:
        parts += [f"the weights of epoch {best} were kept"]
    return ", ".join(parts)


def parts_words(facts: Mapping[str, Any]) -> str:
    """How many rows are in each part."""
    rows: Mapping[str, int] = facts.get("rows", {})
    return ", ".join(f"{rows[name]:,} {word}" for name, word in PARTS if name in rows)


def listed(names: Sequence[Any]) -> str:
    """The first eight.

    >>> listed(["a", "b"]), listed(range(9))
    ('a, b', '0, 1, 2, 3, 4, 5, 6, 7, …')
    """
    return ", ".join(map(str, names[:8])) + (", …" if len(names) > 8 else "")


def repeat(origin: Origin, facts: Mapping[str, Any]) -> Facts:
    """What is needed to train it again: what the caller knows, the split, the versions."""
    known = dict(origin.facts)
    known.setdefault("Seed", str(facts.get("seed", "")))
    known.setdefault("Split", parts_words(facts))
    known.setdefault("Versions", ", ".join(f"{name} {v}" for name, v in versions().items()))
    known.setdefault("Machine", f"{platform.system()} {platform.machine()}")
    return tuple((label, text) for label, text in known.items() if text)
