"""The arithmetic of the benchmarks, by hand. Measuring needs other libraries: `make bench`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

import measures
import rows
from layer_rows import ROWS as LAYERS
from measures import Measurement, Spread


def measured(*steps: float) -> list[Measurement]:
    return [Measurement(s, 2.0 * s, 3.0 * s, s / 100) for s in steps]


ROUNDS = {
    "fitwell": measured(10.0, 20.0, 10.0),
    "slow": measured(100.0, 300.0, 200.0),
    "fast": measured(12.0, 30.0, 14.0),
}


def test_a_ratio_is_formed_within_a_round_before_the_median():
    # medians first would give 3 / 2 = 1.5; round by round it is the median of 3, 1, 0.5
    assert measures.ratios([3.0, 2.0, 4.0], [1.0, 2.0, 8.0]) == Spread(1.0, 0.5, 3.0)


def test_ratios_need_the_same_rounds():
    with pytest.raises(ValueError, match="shorter"):
        measures.ratios([1.0, 2.0], [1.0])


def test_median_of_an_even_number_lies_between():
    assert Spread.of([4.0, 1.0, 2.0, 3.0]) == Spread(2.5, 1.0, 4.0)


def test_table():
    assert measures.table(ROUNDS) == [
        ["fitwell", "10.0 (10.0..20.0)", "1.00 (1.00..1.00)", "20.00", "30", "0.100"],
        ["slow", "200.0 (100.0..300.0)", "15.00 (10.00..20.00)", "400.00", "600", "2.000"],
        ["fast", "14.0 (12.0..30.0)", "1.40 (1.20..1.50)", "28.00", "42", "0.140"],
    ]


def test_markdown_has_one_cell_per_header():
    text = measures.markdown(measures.HEADERS, measures.table(ROUNDS)).splitlines()
    assert text[1] == "| --- | --- | --- | --- | --- | --- |"
    assert text[4] == "| fast | 14.0 (12.0..30.0) | 1.40 (1.20..1.50) | 28.00 | 42 | 0.140 |"


@pytest.mark.parametrize(("goal", "reached"), [(1.4, "reached"), (1.5, "missed")])
def test_verdict_compares_with_the_fastest_other(goal, reached):
    assert measures.verdict(ROUNDS, goal) == (
        f"Fastest other: fast, 1.40 (1.20..1.50) times our time; goal {goal}: {reached}."
    )


@pytest.mark.parametrize(("values", "reached"), [([0.2, 0.1, 0.15], "reached"), ([0.2], "missed")])
def test_start_line_wants_less_than_the_goal(values, reached):
    assert measures.start_line("import", values, "s", 0.15)[2:] == ["<= 0.15 s", reached]


ROW = rows.Row(
    "row",
    "title",
    (2,),
    (rows.Dense(1, "sigmoid"),),
    rows.disc,
    examples=70,
    batch=32,
    epochs=2,
    first_loss=(0.6, 0.7),
    final_loss=(0.3, 0.4),
    accuracy=(0.8, 0.9),
    goal=1.0,
)


@pytest.mark.parametrize(
    ("first", "losses", "accuracy", "complaint"),
    [
        (0.65, [0.5, 0.35], 0.85, ""),
        (0.65, [0.5, 0.35], None, ""),
        (
            0.75,
            [0.5, 0.35],
            0.85,
            "expected loss of the first epoch in [0.6, 0.7], received 0.7500",
        ),
        (0.65, [0.5, 0.45], 0.85, "expected loss of the last epoch in [0.3, 0.4], received 0.4500"),
        (0.65, [0.5, 0.35], 0.5, "expected accuracy in [0.8, 0.9], received 0.5000"),
        (
            0.65,
            [0.5, float("nan")],
            0.85,
            "expected loss of the last epoch in [0.3, 0.4], received nan",
        ),
        (0.65, [0.35], 0.85, "expected 2 epochs, received 1"),
    ],
)
def test_complaint_tells_who_did_other_work(first, losses, accuracy, complaint):
    assert ROW.complaint(first, losses, accuracy) == complaint


def test_steps_count_the_partial_batch():
    assert ROW.steps_per_epoch == 3  # 32 + 32 + 6


@pytest.mark.parametrize("row", rows.ROWS, ids=lambda row: row.name)
def test_rows_divide_into_whole_batches(row):
    assert row.examples % row.batch == 0


def test_a_tenth_of_the_discs_labels_is_flipped():
    x, y = rows.disc(np.random.default_rng(1), 40_000)
    wrong = np.mean((x[:, 0] ** 2 + x[:, 1] ** 2 < 1.5**2) != y)
    # the standard deviation of a proportion of 0.1 in 40000 is 0.0015
    assert wrong == pytest.approx(0.1, abs=0.006)


def test_clusters_have_the_scale_of_pixels_and_every_class():
    x, y = rows.clusters(np.random.default_rng(1), 2_000)
    # the variance is 0.03**2 + 0.3**2, so the deviation 0.3015
    assert x.mean() == pytest.approx(0.5, abs=0.005)
    assert x.std() == pytest.approx(0.3015, abs=0.002)
    assert sorted(set(y.tolist())) == list(range(10))
    assert x.dtype == np.float32


WORK = {"weights": 100, "outputs": 8}


@pytest.mark.parametrize(
    ("name", "theirs", "complaint"),
    [
        ("conv1d", WORK, ""),
        ("conv1d", {"weights": 101, "outputs": 8}, "100 weights and 0 more, PyTorch 101"),
        ("conv1d", {"weights": 100, "outputs": 9}, "8 outputs, PyTorch 9"),
        # a second bias of four gates with 128 units, in two directions with 64
        ("lstm", {"weights": 100 + 4 * 128, "outputs": 8}, ""),
        ("lstm_bidirectional", {"weights": 100 + 2 * 4 * 64, "outputs": 8}, ""),
        ("lstm", WORK, "100 weights and 512 more, PyTorch 100"),
        ("gru", WORK, ""),
    ],
)
def test_a_layer_must_do_the_same_work(name, theirs, complaint):
    assert LAYERS[name].complaint(WORK, theirs) == complaint


@pytest.mark.parametrize(("ours", "verdict"), [([200.0, 100.0], ""), ([200.0, 260.0], "under 0.5")])
def test_a_layers_line(ours, verdict):
    # ratios 0.5 and 1, or 0.5 and 0.385; the bar is 0.5
    found = measures.layer_line("conv1d", ours, [100.0, 100.0], 0.5)
    middle, low = (150, "0.75 (0.50..1.00)") if not verdict else (230, "0.44 (0.38..0.50)")
    assert found == ["conv1d", f"{middle}", "100", low, "0.5", verdict]


def test_padded_sequences_end_in_zeros():
    x = LAYERS["lstm_masked"].data()
    # steps 32: the first example is whole, the second misses one step, the 16th fifteen
    assert [int((np.abs(x[i]).sum(-1) == 0).sum()) for i in (0, 1, 15, 16)] == [0, 1, 15, 0]


def test_every_layers_bar_is_at_least_a_half():
    assert min(row.bar for row in LAYERS.values()) == 0.5
    assert {name for name, row in LAYERS.items() if row.bar == 1.0} == {
        "cnn_28",
        "cnn_32",
        "language_model",
    }
