"""Did it learn? A fit against what does not look at the inputs and what simple models reach."""

from __future__ import annotations

from dataclasses import dataclass

from fitwell.doctor.record import Record, Run
from fitwell.doctor.simple import BY_LOT, LEAST

_FEW = 50  # examples: below, what simple models reach is a matter of chance
_CLEARLY = 0.08  # of skill: less is no failure
_ORDERED = 0.15  # the same of the order, 2 AUC - 1
_VAGUE = 0.25  # two standard errors of an order: what is below may still be a signal
_IGNORED = 0.02  # of skill: what a network that looks at its inputs gains by them
_HARDLY = 0.3  # of skill, where examples are that few
_HANDFUL, _BY_HEART = 20, 0.6  # so few examples a network can learn by heart


@dataclass(frozen=True)
class Outcome:
    """What came of a fit.

    Attributes:
        failing: it learned clearly less than simple models show to be possible, or diverged.
        fits: it is good on the training data, whatever it is on others.
        signal: False where nothing, the network included, does better than a constant.
        words: the comparison, for people.
    """

    failing: bool
    fits: bool
    signal: bool
    words: str


def outcome(record: Record) -> Outcome:
    """The outcome of a record with a run."""
    run = record.run
    assert run is not None
    discrete = bool(record.heads) and record.heads[run.judged].discrete
    if run.diverged:
        return Outcome(True, False, True, "The loss became NaN or infinite.")
    if run.score is None:
        last = run.losses[-1] if run.losses else float("nan")
        failing = last > 0.97 * run.constant_loss > 0
        return Outcome(failing, not failing, True, _loss_words(last, run))
    known = [skill for skill in (run.linear, run.kernel) if skill is not None]
    reach = max(known, default=None)
    rows = record.plan.rows if record.plan else 0
    if reach is None or rows < _FEW:
        failing = run.score < (_HARDLY if rows >= _HANDFUL else _BY_HEART)
        name, scale = _skill_words(run)
        words = f"Its {name} is {_number(run.score)} {scale}.{_ignored(run)}"
        return Outcome(failing, not failing, True, words)
    held_out = run.held_out
    mixture = record.heads[run.judged].mixture if record.heads else None
    if mixture is not None and mixture.differs:
        held_out = None  # rows of other classes say nothing of what was learned
    judged = run.score if held_out is None else held_out
    nothing = (run.chance or 0.0) > BY_LOT and reach < max(run.noise, LEAST)
    if nothing and held_out is None and run.score >= 0.5 and _by_heart(record):
        return Outcome(
            True, True, False, "What it knows of the training rows it may know by heart."
        )
    if nothing and judged < max(run.noise, LEAST) and (held_out is not None or run.score < 0.5):
        if run.ranked and run.noise > _VAGUE:
            return Outcome(False, True, True, "The rare class has too few examples to tell.")
        return Outcome(True, run.score > 0.5, False, "Nothing beats a constant prediction.")
    if run.chance is None and run.score is not None and reach < max(run.noise, LEAST):
        failing = judged < max(run.noise, LEAST)
        name, scale = _skill_words(run)
        words = f"Its {name} is {_number(judged)} {scale}; of ids, simple models cannot tell what"
        return Outcome(failing, run.score > 0.5, True, f"{words} is possible.{_ignored(run)}")
    noise = run.noise if held_out is None else max(run.noise, run.held_out_noise)
    failing = falls_short(judged, reach, noise, discrete, run.ranked)
    fits = not falls_short(run.score, reach, run.noise, discrete, run.ranked)
    model = "linear model" if reach == run.linear else "kernel machine"
    model += " that reads whole numbers as names" if run.named is not None else ""
    name, scale = _skill_words(run)
    numbers = f"{_number(judged)}; a {model} reaches {_number(reach)}"
    words = f"Its {name} is {numbers} {scale}.{_ignored(run)}"
    return Outcome(failing, fits, True, words)


def _by_heart(record: Record) -> bool:
    """Whether a score on the training rows alone proves nothing where simple models find nothing.

    As many weights as rows hold any labels; numbers that stand in order beside inputs that do not
    were sorted alone. Of bits simple models do not find what networks find (parity).
    """
    plan, labels = record.plan, record.heads[0].labels
    if plan is None or any(one.bits for one in record.inputs):
        return False
    return labels.ordered or plan.parameters >= plan.rows * labels.width


def falls_short(
    skill: float, reach: float, noise: float, discrete: bool, ranked: bool = False
) -> bool:
    """Whether a skill is clearly less than what was reached otherwise.

    >>> [falls_short(skill, 0.9, 0.05, discrete=True) for skill in (0.5, 0.85)]
    [True, False]
    """
    if discrete:
        return skill < reach - max(noise, _ORDERED if ranked else _CLEARLY)
    return (1 - skill) > 1.3 * (1 - reach) + 0.01


def _number(skill: float) -> str:
    return f"{skill:.2f}" if skill > -100 else f"{skill:.1e}"


def _skill_words(run: Run) -> tuple[str, str]:
    """What the numbers are called, and their scale."""
    if run.ranked:
        return "ranking (2 AUC - 1)", "(0 is chance, 1 is perfect)"
    return "skill", "(0 is a constant prediction, 1 is perfect)"


def _ignored(run: Run) -> str:
    if run.blind is None or run.score is None or run.score > run.blind + _IGNORED:
        return ""
    return " It does as well with its inputs at 0: it ignores them."


def _loss_words(last: float, run: Run) -> str:
    return f"Its loss is {last:.3g}; that of a constant prediction is {run.constant_loss:.3g}."
