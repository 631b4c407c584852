"""Did it learn? A fit against what does not look at the inputs and what simple models reach."""

from __future__ import annotations

from dataclasses import dataclass

from fitwell.doctor.record import Record, Run

_FEW = 50  # examples: below, what simple models reach is a matter of chance
_CLEARLY = 0.08  # of skill: less is no failure
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
    discrete = bool(record.heads) and record.heads[run.judged].labels.discrete
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
        words = f"Its skill is {run.score:.2f} (0 is a constant prediction, 1 is perfect)."
        return Outcome(failing, not failing, True, words)
    judged = run.score if run.held_out is None else run.held_out
    nothing = (run.chance or 0.0) > 0.02 and reach < max(run.noise, 0.1)
    if nothing and judged < max(run.noise, 0.1) and (run.held_out is not None or run.score < 0.5):
        return Outcome(True, run.score > 0.5, False, "Nothing beats a constant prediction.")
    below = _below(judged, reach, run, discrete)
    fits = not _below(run.score, reach, run, discrete)
    model = "linear model" if reach == run.linear else "kernel machine"
    words = (
        f"Its skill is {judged:.2f}; a {model}"
        f" reaches {reach:.2f} (0 is a constant prediction, 1 is perfect)."
    )
    return Outcome(below, fits, True, words)


def _below(skill: float, reach: float, run: Run, discrete: bool) -> bool:
    if discrete:
        return skill < reach - max(run.noise, _CLEARLY)
    return (1 - skill) > 1.3 * (1 - reach) + 0.01


def _loss_words(last: float, run: Run) -> str:
    return f"Its loss is {last:.3g}; that of a constant prediction is {run.constant_loss:.3g}."
