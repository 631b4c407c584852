"""Programs of others: each harmful fault is named, and nothing else; healthy ones are left alone.

`make doctor` prints the table of all. What is measured here can only rise: no program is left out.
"""

from __future__ import annotations

import pytest
from tests.doctor.programs import Program, programs

import fitwell as fw

ALL = programs()
LONG = "at_digits_dying_relu_34x128"  # trains for longer than it takes to compile it well


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(one, id=one.id, marks=[pytest.mark.optimized] if one.id == LONG else [])
        for one in ALL
    ],
)
def test_the_fault_is_named_and_nothing_else(program: Program) -> None:
    found = diagnosis(program)
    codes = set(found.above().codes)
    if program.harmful:
        assert codes & program.right_codes, found
    assert codes <= (set() if program.healthy else program.right_codes), found


def test_the_file_is_whole() -> None:
    assert len(ALL) == 58
    assert sum(program.healthy for program in ALL) == 7
    assert sum(program.harmful for program in ALL) == 50


def diagnosis(program: Program) -> fw.doctor.Findings:
    """What the doctor says of a fit; of a checkup, where fit refuses the data."""
    data, model = program.data(), program.model()
    try:
        found: fw.doctor.Findings = program.fit(model, data).findings
    except fw.errors.FitwellError:
        found = model.checkup(data.x, data.y)
    return found
