"""The arithmetic of the benchmarks, by hand. Measuring needs other libraries: `make bench`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import fitwell as fw

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

import measures
import rows
from layer_rows import ROWS as LAYERS
from layer_rows import networks
from measures import Measurement, Spread


def measured(*steps: float) -> list[Measurement]:
    return [
        Measurement(
            step_us=s,
            first_fit_s=2.0 * s,
            target_s=4.0 * s,
            memory_mb=5.0 * s,
            predict_us=3.0 * s,
            loss=s / 100,
        )
        for s in steps
    ]


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
    names = [line[0] for line in measures.table(ROUNDS)]
    ours, slow, fast = (line[1:] for line in measures.table(ROUNDS))
    assert names == ["fitwell", "slow", "fast"]
    # medians 10, 200 and 14; first fit, seconds to the loss, memory, predict, loss by `measured`
    assert ours == ["10.0 (10.0..20.0)", "1.00 (1.00..1.00)", "20.00", "40.00", "50", "30", "0.100"]
    assert slow[:2] == ["200.0 (100.0..300.0)", "15.00 (10.00..20.00)"]
    assert slow[2:] == ["400.00", "800.00", "1000", "600", "2.000"]
    assert fast[:2] == ["14.0 (12.0..30.0)", "1.40 (1.20..1.50)"]


def test_markdown_has_one_cell_per_header():
    text = measures.markdown(measures.HEADERS, measures.table(ROUNDS)).splitlines()
    assert text[1] == "| --- | --- | --- | --- | --- | --- | --- | --- |"
    assert text[4] == (
        "| fast | 14.0 (12.0..30.0) | 1.40 (1.20..1.50) | 28.00 | 56.00 | 70 | 42 | 0.140 |"
    )


@pytest.mark.parametrize(
    ("losses", "seconds"),
    [([0.9, 0.7, 0.4], 3.0), ([0.5, 0.6, 0.7], 2.0), ([0.9, 0.4, 0.8], 2.5)],
)
def test_seconds_to_a_loss_are_the_first_fit_and_the_epochs_after_it(losses, seconds):
    # a first epoch of 2 s, in which everything compiles, later ones of half a second
    assert measures.seconds_to(0.5, 2.0, losses[0], 0.5, losses[1:]) == seconds


@pytest.mark.parametrize(("goal", "reached"), [(1.4, "reached"), (1.5, "missed")])
def test_verdict_compares_with_the_fastest_other(goal, reached):
    assert measures.verdict(ROUNDS, goal) == (
        f"Fastest other: fast, 1.40 (1.20..1.50) times our time; goal {goal}: {reached}."
    )


@pytest.mark.parametrize(
    ("values", "least", "goal"),
    [
        ([0.2, 0.1, 0.15], False, ["<= 0.15 s", "reached"]),
        ([0.2], False, ["<= 0.15 s", "missed"]),
        ([0.2], True, [">= 0.15 s", "reached"]),
        ([0.1], True, [">= 0.15 s", "missed"]),
    ],
)
def test_a_goal_is_the_largest_or_the_smallest_good_value(values, least, goal):
    seen = Spread.of(values)
    assert measures.goal_line("import", seen, "s", 0.15, least=least)[2:] == goal


ROW = rows.Row(
    "row",
    "title",
    networks.mlp(2, 3, 1, batch=32),
    rows.disc,
    examples=512,
    epochs=2,
    first_loss=(0.6, 0.7),
    final_loss=(0.3, 0.4),
    accuracy=(0.8, 0.9),
    target=0.5,
    goal=1.0,
)
GOOD = rows.Epochs([0.5, 0.35], [0.8, 0.85], [0.6, 0.5], [0.8, 0.85])


@pytest.mark.parametrize(
    ("first", "last", "complaint"),
    [
        (0.65, {}, ""),
        (0.65, {"accuracy": []}, ""),
        (0.75, {}, "expected loss of the first epoch in [0.6, 0.7], received 0.7500"),
        (
            0.65,
            {"loss": [0.5, 0.45]},
            "expected loss of the last epoch in [0.3, 0.4], received 0.4500",
        ),
        (
            0.65,
            {"loss": [0.5, float("nan")]},
            "expected loss of the last epoch in [0.3, 0.4], received nan",
        ),
        (0.65, {"accuracy": [0.8, 0.5]}, "expected accuracy in [0.8, 0.9], received 0.5000"),
        (
            0.65,
            {"val_accuracy": [0.8, 0.5]},
            "expected accuracy in validation in [0.8, 0.9], received 0.5000",
        ),
        (
            0.65,
            {"val_loss": [0.52, 0.6]},
            "expected validation loss, the smallest, in [0.0, 0.5], received 0.5200",
        ),
        (0.65, {"loss": [0.35]}, "expected 2 epochs, received 1 and 2 validated"),
        (0.65, {"val_loss": [0.5]}, "expected 2 epochs, received 2 and 1 validated"),
    ],
)
def test_complaint_tells_who_did_other_work(first, last, complaint):
    assert ROW.complaint(GOOD._replace(loss=[first]), GOOD._replace(**last)) == complaint


def test_validation_examples_are_others_and_an_eighth_as_many():
    x, y, (other_x, other_y) = ROW.make_data()
    assert (len(x), len(y), len(other_x), len(other_y)) == (512, 512, 64, 64)
    assert len(np.unique(np.concatenate([x, other_x]), axis=0)) == 576


@pytest.mark.parametrize("row", rows.ROWS, ids=lambda row: row.name)
def test_rows_divide_into_whole_batches(row):
    assert row.examples % (rows.VALIDATION * row.batch) == 0


def test_what_only_dense_networks_are_compared_with():
    by_name = {row.name: row.peers for row in rows.ROWS}
    assert len(by_name["tiny_mlp"]) == 9
    assert set(by_name["tiny_mlp"]) - set(by_name["lstm"]) == {"scikit-learn", "keras-jax-32"}


def test_a_tenth_of_the_discs_labels_is_flipped():
    x, y = rows.disc(np.random.default_rng(1), 40_000)
    wrong = np.mean((x[:, 0] ** 2 + x[:, 1] ** 2 < 1.5**2) != y)
    # the standard deviation of a proportion of 0.1 in 40000 is 0.0015
    assert wrong == pytest.approx(0.1, abs=0.006)


def test_clusters_have_the_scale_of_pixels_and_every_class():
    x, y = rows.flat(0.03)(np.random.default_rng(1), 2_000)
    # the variance is 0.03**2 + 0.3**2, so the deviation 0.3015
    assert x.mean() == pytest.approx(0.5, abs=0.005)
    assert x.std() == pytest.approx(0.3015, abs=0.002)
    assert sorted(set(y.tolist())) == list(range(10))
    assert x.dtype == np.float32


def test_clusters_repeat_their_centres_and_draw_a_tenth_of_the_labels_anew():
    random = np.random.default_rng(1)
    x, y = rows.clusters(random, 20_000, coarse=(2, 1), shape=(4, 3), contrast=50.0)
    # without the noise of 0.3 the numbers of a patch are equal; neighbours are centres apart
    assert np.ptp(x.reshape(-1, 2, 6), axis=2).max() < 4.0
    # the cloud of an example is seen in its patches; of the labels 0.9 + 0.1 / 10 are its own
    clouds, found = np.unique(np.round(x[:, ::2, 0] / 5).astype(int), axis=0, return_inverse=True)
    own = sum(np.bincount(y[found == cloud]).max() for cloud in range(len(clouds)))
    # the standard deviation of a proportion of 0.91 in 20000 is 0.002
    assert own / 20_000 == pytest.approx(0.91, abs=0.008)


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


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("tiny_mlp", 3 * 25 + 26 * 15 + 16),
        ("mnist_mlp", 785 * 128 + 129 * 64 + 65 * 10),
        ("wide_mlp", 785 * 512 + 513 * 512 + 513 * 10),
        ("cnn_28", 10 * 32 + 289 * 64 + (7 * 7 * 64 + 1) * 10),
        ("cnn_32", 28 * 32 + 289 * 64 + 577 * 128 + (4 * 4 * 128 + 1) * 10),
        ("lstm", 4 * (32 + 128 + 1) * 128 + 129 * 10),
        ("gru", 3 * (32 + 128 + 2) * 128 + 129 * 10),
    ],
)
def test_the_networks_have_the_weights_of_their_titles(name, weights):
    network = next(row.network for row in rows.ROWS if row.name == name)
    model = fw.Sequential([fw.layers.Input(network.shape), *network.fitwell(fw.layers)])
    assert model.count_params() == weights


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


def test_a_section_takes_its_own_place_on_the_page(tmp_path):
    page = tmp_path / "RESULTS.md"
    for title, text in (("one", "1"), ("two", "2"), ("one", "3")):
        measures.written(page, title, [text, "| a |"])
    body = page.read_text().removeprefix(measures.HEAD)
    assert body == "\n\n## one\n\n3\n\n| a |\n\n## two\n\n2\n\n| a |\n"
