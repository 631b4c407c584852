"""What the columns of a table are taken for, and which task a target is."""

from __future__ import annotations

import datetime
import re

import numpy as np
import polars as pl
import pytest

from fitwell.data.columns import infer_columns
from fitwell.data.labels import Target, fit_target, infer_task, target_column
from fitwell.errors import InvalidArgument, InvalidData, UnknownName

N = 40
DAYS = [datetime.date(2020, 1, 1) + datetime.timedelta(days=i) for i in range(N)]

KINDS = {
    "real numbers, all different": ([i + 0.5 for i in range(N)], "number", ""),
    "few whole numbers": ([1, 2, 3, 3] * 10, "number", ""),
    "numbers written as text": ([f" {i % 7}.5" for i in range(N)], "number", ""),
    "one number or none": ([1, None] * 20, "number", ""),
    "whole numbers with gaps, all different": ([i * i for i in range(N)], "number", ""),
    "counts the rows": (
        list(range(100, 100 + N)),
        "id",
        "x is left out: an id, different in every row.",
    ),
    "codes, all different": (
        [f"c{i}" for i in range(N)],
        "id",
        "x is left out: an id, different in every row.",
    ),
    "truth values": ([True, False] * 20, "boolean", ""),
    "truth values written as text": (["True", "FALSE"] * 20, "boolean", ""),
    "days": (DAYS, "date", ""),
    "days written as text": (list(map(str, DAYS)), "date", ""),
    "words": (["a", "b", "c", None] * 10, "category", ""),
    "half of the values different": ([f"v{i % 20}" for i in range(N)], "category", ""),
    "sentences": (
        [f"word {i}" for i in range(N)],
        "id",
        "x is left out: free text or names (40 different in 40 rows).",
    ),
    "sentences whose words come again": (
        [f"word {i} {('good', 'bad', 'fair')[i % 3]}" for i in range(N)],
        "text",
        "",
    ),
    "sentences or none": (
        [f"word {i}" if i % 2 else None for i in range(N)],
        "id",
        "x is used only as present or missing: free text or names (20 different in 20 rows).",
    ),
    "always the same": (["a"] * N, "constant", "x is left out: its value is always 'a'."),
    "nothing": ([None] * N, "constant", "x is left out: it has no values."),
    "only words for nothing": (["NA", "?"] * 20, "constant", "x is left out: it has no values."),
    "numbers, all different, and a word": (
        [*(f"{i}.5" for i in range(N - 1)), "unknown"],
        "number",
        "x: 39 of 40 values are numbers; row 40 holds 'unknown', read as missing.",
    ),
    "numbers and two words": (
        ["-", None, *(str(i) for i in range(N - 4)), "1O", None],
        "number",
        "x: 36 of 38 values are numbers; row 1 holds '-', read as missing like one other row.",
    ),
    "numbers and the same word thrice": (
        ["none", *(str(i) for i in range(N - 3)), "none", "none"],
        "number",
        "x: 37 of 40 values are numbers; row 1 holds 'none', read as missing like 2 other rows.",
    ),
    "more words than a tenth": (
        [*(str(i % 5) for i in range(N - 5)), *["low"] * 5],
        "category",
        "",
    ),
    "a code that is nearly always a number": ([*["0"] * (N - 2), "a", "b"], "category", ""),
    "numbers with separators, all different": (
        [f"{i},250" for i in range(1, N + 1)],
        "id",
        "x is left out: it looks like numbers, but '1,250' is not read as one.",
    ),
    "more numbers than words, all different": (
        [*(f"n{i}" for i in range(10)), *(str(i) for i in range(N - 10))],
        "text",  # pieces of the codes come again
        "",
    ),
    "lists": ([[1, 2]] * N, "other", "x is left out: List(Int64) is no kind of feature."),
    "times": (
        [datetime.time(i % 24) for i in range(N)],
        "other",
        "x is left out: Time is no kind of feature.",
    ),
}


@pytest.mark.parametrize("case", KINDS)
def test_kind_and_reason(case: str) -> None:
    values, kind, note = KINDS[case]
    frame = pl.DataFrame({"x": values, "other": [i / 7 for i in range(N)]})
    column = infer_columns(frame)[0]
    assert (column.name, column.kind, column.note) == ("x", kind, note)
    assert column.used is (kind in ("number", "category", "boolean", "date", "text"))
    assert column.why


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("PassengerId", "id"),
        ("user_id", "id"),
        ("ID", "id"),
        ("width", "number"),
        ("paid", "number"),
    ],
)
def test_the_name_decides_whether_different_whole_numbers_are_an_id(name: str, kind: str) -> None:
    frame = pl.DataFrame({name: [5, 2, 11], "y": [1.5, 2.5, 0.5]})
    assert infer_columns(frame)[0].kind == kind


def test_an_id_that_repeats_is_a_number() -> None:
    frame = pl.DataFrame({"shop_id": [5, 5, 11]})
    assert infer_columns(frame)[0].kind == "number"


def test_an_id_is_one_though_rows_are_written_twice() -> None:
    rows = [*range(N), 3, 5, 5]
    frame = pl.DataFrame({"n": [100 + i for i in rows], "x": [i / 7 for i in rows]})
    column, _ = infer_columns(frame)
    assert column.kind == "id"
    assert column.note == "n is left out: an id, different in every row that is no copy of another."
    codes = frame.with_columns(n=pl.Series([f"c{i}" for i in rows]))
    assert infer_columns(codes)[0].kind == "id"
    other = frame.with_columns(x=pl.Series([*frame["x"][:-1], 0.5]))  # n = 105 with two values of x
    assert infer_columns(other)[0].kind == "number"
    many = pl.concat([frame] * 3)  # a scale of 40 steps, each with its result, again and again
    assert infer_columns(many)[0].kind == "number"


def test_target_and_overrides() -> None:
    frame = pl.DataFrame({"a": [1, 2, 2], "b": [1, 2, 1], "y": [0, 1, 0]})
    assert [c.name for c in infer_columns(frame, "y")] == ["a", "b"]
    assert infer_columns(frame, "y", {"a": "category"})[0].kind == "category"
    with pytest.raises(UnknownName, match=r"received 'Y2'\. Did you mean y\?"):
        infer_columns(frame, "Y2")
    with pytest.raises(UnknownName, match=r"received 'zzz'\. The choices are a, b, y\."):
        infer_columns(frame, "y", {"zzz": "number"})
    with pytest.raises(InvalidArgument, match=r"received kind='categry'\. Did you mean category\?"):
        infer_columns(frame, "y", {"a": "categry"})
    with pytest.raises(
        InvalidData, match=r"column a: expected dates such as .* received 1 in row 1"
    ):
        infer_columns(frame, "y", {"a": "date"})


def test_what_is_known_of_a_column() -> None:
    long = "a sentence that does not fit into a cell"
    frame = pl.DataFrame({"a": [None, " b ", "b", "c", "NA"], "t": [long] * 4 + ["x"]})
    a, t = infer_columns(frame)
    assert (a.why, a.missing, a.distinct, a.example) == ("2 different words", 2, 2, "b")
    assert (t.missing, t.distinct, t.example) == (0, 2, "a sentence that does not fi...")


@pytest.mark.parametrize("kind", ["number", "category", "text", "ignore", "id", "constant"])
def test_every_kind_can_be_named(kind: str) -> None:
    frame = pl.DataFrame({"a": ["1", "2", "3"], "b": [1.5, 2.5, 0.5]})
    column = infer_columns(frame, kinds={"a": kind})[0]
    assert (column.kind, column.why, column.note) == (kind, "as you said", "")


def test_kinds_that_are_none_here() -> None:
    frame = pl.DataFrame({"a": [1, 2, 2], "w": [1, 2, 1], "y": [0, 1, 0], "z": [0, 1, 0]})
    message = (
        "kinds: expected columns to predict from, received the target 'z'. Leave it out; task= "
        "says whether it is a class or a number."
    )
    with pytest.raises(InvalidArgument, match=re.escape(message)):
        infer_columns(frame, ["y", "z"], {"z": "category"})
    with pytest.raises(InvalidArgument, match=r"received w='weights'\. Pass weights='w'\."):
        infer_columns(frame, "y", {"w": "weights"})


def test_a_column_with_a_role_is_no_feature_unless_it_is_named() -> None:
    frame = pl.DataFrame({"a": [1, 2, 2], "w": [1, 2, 1], "y": [0, 1, 0]})
    assert [c.kind for c in infer_columns(frame, "y", roles={"weights": "w"})] == [
        "number",
        "weights",
    ]
    named = infer_columns(frame, "y", {"w": "number"}, {"weights": "w"})
    assert [c.kind for c in named] == ["number", "number"]


def test_a_named_number_column_may_hold_a_word_and_a_named_id_stays_one() -> None:
    values = [*(str(i) for i in range(19)), "x"]
    frame = pl.DataFrame({"a": values, "user_id": values})
    assert infer_columns(frame, kinds={"a": "number"})[0].words == ("x",)
    assert infer_columns(frame)[1].kind == "id"


def test_nothing_to_predict_from() -> None:
    frame = pl.DataFrame({"a": ["x", "x"], "y": [0, 1]})
    with pytest.raises(
        InvalidData,
        match=r"expected at least one column to predict from, received none: a is left out: its "
        r"value is always 'x'\. Add a column\.",
    ):
        infer_columns(frame, "y")
    with pytest.raises(InvalidData, match="received only the target"):
        infer_columns(frame.select("y"), "y")
    ids = pl.DataFrame({"user_id": [5, 2, 11], "y": [0, 1, 0]})
    asked = "kinds={'user_id': 'number'}, on the command line --columns user_id=number."
    with pytest.raises(InvalidData, match=re.escape(f"or say what one is: {asked}")):
        infer_columns(ids, "y")
    assert infer_columns(ids, "y", {"user_id": "number"})[0].used


def test_a_quantity_of_words_is_answered_with_the_task_that_they_are() -> None:
    message = (
        "target y: expected numbers, for the task regression, received text such as 'no'. "
        "Leave the task out, or choose {}."
    )
    for words, task in ((["no", "yes"], "binary"), (["no", "yes", "never"], "multiclass")):
        with pytest.raises(InvalidData, match=re.escape(message.format(task))):
            infer_task(pl.Series("y", words * 4), "regression")
    with pytest.raises(InvalidData, match="column y: expected numbers, received 'x' in row 20"):
        infer_task(pl.Series("y", [*map(str, range(19)), "x"]), "regression")


def test_infinite_number() -> None:
    frame = pl.DataFrame({"a": [1.0, float("inf"), 3.0]})
    message = "column a: expected finite numbers, received inf in row 2. Correct the value or leave"
    with pytest.raises(InvalidData, match=re.escape(message)):
        infer_columns(frame)


# Tasks

TASKS = {
    "two words": (["yes", "no"] * 10, "binary"),
    "three words": (["a", "b", "c"] * 10, "multiclass"),
    "truth values": ([True, False] * 10, "binary"),
    "zero and one": ([0, 1] * 10, "binary"),
    "two real numbers": ([0.5, 1.5] * 10, "binary"),
    "ten digits": (list(range(10)) * 10, "multiclass"),
    "ten digits as real numbers": ([float(i) for i in range(10)] * 10, "multiclass"),
    "whole numbers, few rows each": (list(range(10)) * 4, "regression"),
    "many whole numbers": (list(range(21)) * 10, "regression"),
    "real numbers": ([i / 3 for i in range(5)] * 10, "regression"),
    "missing values do not count": (["a", "b", None], "binary"),
}


@pytest.mark.parametrize("case", TASKS)
def test_task(case: str) -> None:
    values, task = TASKS[case]
    assert infer_task(pl.Series("y", values)) == task


def test_task_that_the_user_names() -> None:
    digits = pl.Series("y", list(range(10)) * 10)
    assert infer_task(digits, "regression") == "regression"
    assert infer_task(pl.Series("y", list(range(100))), "multiclass") == "multiclass"
    assert infer_task(pl.Series("y", ["1", "2", "3"]), "regression") == "regression"


BAD_TASKS = {
    "one value": ([1, 1, None], None, "expected at least two different values, received 1."),
    "no values": ([None, None], None, "expected at least two different values, received 0."),
    "dates": (DAYS, None, "expected classes or numbers, received dates. Choose another column"),
    "names": (
        [f"n {i}" for i in range(N)],
        None,
        "expected classes that repeat, received 40 different in 40 rows.",
    ),
    "words as numbers": (
        ["a", "b"],
        "regression",
        "Leave the task out, or choose binary.",
    ),
    "a word between numbers": (
        [*(str(i / 2) for i in range(199)), "unknown"],
        None,
        "column y: expected numbers, received 'unknown' in row 200. Correct the value or leave it",
    ),
    "a word between numbers, with gaps": (
        [None, *(str(i / 2) for i in range(19)), "unknown"],
        "regression",
        "column y: expected numbers, received 'unknown' in row 21.",
    ),
    "three as binary": ([1, 2, 3], "binary", "target y: expected two classes, received 3."),
    "two as multiclass": ([1, 2, 1], "multiclass", "target y: expected three or more, received 2."),
    "unknown task": (
        [1, 2],
        "rank",
        "task: expected one of binary, multiclass, regression, received 'rank'. Choose one.",
    ),
}


@pytest.mark.parametrize("case", BAD_TASKS)
def test_target_that_cannot_be_learned(case: str) -> None:
    values, task, message = BAD_TASKS[case]
    with pytest.raises((InvalidData, InvalidArgument), match=re.escape(message)):
        infer_task(pl.Series("y", values), task)


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        (["b", "a", "c"], [1, 0, 2]),
        ([True, False, True], [1, 0, 1]),
        ([7, -2, 3] * 5, [2, 0, 1] * 5),
        ([0.5, 1.5, 0.5], [0, 1, 0]),
    ],
)
def test_labels_come_back_with_their_own_values_and_type(values: list, codes: list) -> None:
    column = pl.Series("y", values)
    target = fit_target(column, infer_task(column))
    encoded = target.encode(column)
    assert encoded.tolist() == codes
    assert encoded.dtype == np.int32
    decoded = target.decode(encoded)
    assert decoded.tolist() == values
    assert [type(label) for label in decoded.tolist()] == [type(label) for label in values]


def test_labels_in_another_spelling_of_the_same_value() -> None:
    target = Target("y", "binary", (0, 1))
    assert target.encode(pl.Series("y", [1.0, 0.0])).tolist() == [1, 0]
    assert Target("y", "binary", ("0", "1")).encode(pl.Series("y", [1, 0])).tolist() == [1, 0]


def test_numbers_are_standardised_and_limited_to_their_range() -> None:
    target = fit_target(pl.Series("y", [1.0, 2.0, 6.0]), "regression")
    assert (target.mean, target.low, target.high) == (3.0, 1.0, 6.0)
    assert target.sd == pytest.approx(np.sqrt(14 / 3), rel=1e-15)  # (4 + 1 + 9) / 3
    encoded = target.encode(pl.Series("y", [3, 6]))
    assert encoded.tolist() == pytest.approx([0.0, 3 / np.sqrt(14 / 3)], rel=1e-7)
    assert target.decode(np.array([0.0, 99.0, -99.0])).tolist() == [3.0, 6.0, 1.0]


@pytest.mark.parametrize("unit", [1e-200, 1e200, 1e307])
def test_numbers_of_any_size_are_standardised(unit: float) -> None:
    target = fit_target(pl.Series("y", [unit, 2 * unit, 6 * unit]), "regression")
    encoded = target.encode(pl.Series("y", [3 * unit, 6 * unit]))
    assert encoded.tolist() == pytest.approx([0.0, 3 / np.sqrt(14 / 3)], abs=1e-6)


def test_target_column() -> None:
    frame = pl.DataFrame({"y": [" a", "NA", "b "], "n": [1, 2, 3]})
    assert target_column(frame, "y").to_list() == ["a", None, "b"]
    assert target_column(frame, "n").to_list() == [1, 2, 3]
    with pytest.raises(
        UnknownName, match=r"table: expected the name of one of its columns, received"
    ):
        target_column(frame, "z")


def test_values_that_training_did_not_have() -> None:
    target = Target("y", "binary", ("no", "yes"))
    message = "target y: expected one of the classes 'no', 'yes', received 'maybe' in row 2."
    with pytest.raises(InvalidData, match=re.escape(message)):
        target.encode(pl.Series("y", ["no", "maybe"]))
    with pytest.raises(InvalidData, match="expected a value in every row, received none in row 1"):
        target.encode(pl.Series("y", [None, "no"]))
    with pytest.raises(InvalidArgument, match="expected two classes or more, or a regression"):
        Target("y", "binary", ("no",))
