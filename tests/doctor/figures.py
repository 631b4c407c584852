"""What the doctor finds and what its cures do: `make doctor`, or `python -m tests.doctor.figures`.

Runs every program of programs.json, prints the confusion matrix and the table of cures, and writes
both to docs/doctor-figures.md. `--budget 10s` is the time of a treatment, `--budget 0` leaves them
out. What watching costs is in benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.doctor.programs import Program, programs
from tests.doctor.test_programs import diagnosis
from tests.doctor.treatments import curable, outcomes

import fitwell as fw

PAGE = Path(__file__).parents[2] / "docs" / "doctor-figures.md"


def matrix(found: Sequence[tuple[Program, fw.doctor.Findings]]) -> list[str]:
    """Totals, and a line for each program."""
    rows, named, right, said, alarms = [], 0, 0, 0, 0
    for program, findings in found:
        codes = findings.above().codes
        good = [code for code in codes if code in program.right_codes]
        named += program.harmful and bool(good)
        said, right = said + len(codes), right + len(good)
        alarms += program.healthy and bool(codes)
        kind = "healthy" if program.healthy else "harmful" if program.harmful else "harmless"
        tags = ", ".join(program.facts["fault_tags"])
        rows.append(f"| {program.id} | {kind} | {tags} | {', '.join(codes) or '-'} |")
    harmful = sum(program.harmful for program, _ in found)
    healthy = sum(program.healthy for program, _ in found)
    return [
        f"- harmful programs whose fault is named: {named} of {harmful}",
        f"- findings above INFO that are right: {right} of {said}",
        f"- healthy programs with a finding above INFO: {alarms} of {healthy}",
        "",
        "| program | it is | faults on record | findings above INFO |",
        "|---|---|---|---|",
        *rows,
    ]


def cures(budget: str) -> Iterator[str]:
    """Totals, and a line for each program with a numeric criterion and a fix on record."""
    found = list(outcomes(curable(), budget))
    held = sum(one.holds for one in found)
    yield f"- programs that succeed after `fw.treat`, budget {budget}: {held} of {len(found)}"
    yield from (
        "",
        "| program | before | after | wanted | seconds | cures |",
        "|---|---|---|---|---|---|",
    )
    for one in found:
        before = one.before if isinstance(one.before, str) else f"{one.before:.3f}"
        what = ", ".join(one.treated.cures) or one.treated.reason
        yield (
            f"| {one.id} | {before} | {one.score:.3f}{'' if one.holds else ' (fails)'} "
            f"| {one.wanted:.3f} | {one.seconds:.0f} | {what} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--budget", default="30s")
    budget = parser.parse_args().budget
    page = [
        "# What the doctor finds, and what its cures do",
        "",
        f"`make doctor ARGS='--budget {budget}'` on {datetime.date.today().isoformat()}, with the "
        "programs of "
        "tests/doctor/programs.json: faulty ones from Stack Overflow, GitHub and the benchmarks of "
        "published tools, and healthy ones. Accuracy, or R2 for numbers.",
        "",
        "## Findings",
        "",
        *matrix([(program, diagnosis(program)) for program in programs()]),
    ]
    print("\n".join(page), flush=True)
    if budget != "0":
        lines = list(cures(budget))
        print("\n".join(lines))
        page += ["", "## Cures", "", *lines]
        PAGE.write_text("\n".join(page) + "\n")


if __name__ == "__main__":
    main()
