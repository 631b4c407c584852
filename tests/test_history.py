"""History: lists as in Keras, a table, a picture; every value belongs to its epoch."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitwell.errors import InvalidFile, NotReady
from fitwell.history import History


def example():
    """Validation after every second epoch; a learning rate that a callback adds."""
    history = History({"epochs": 4})
    for epoch in range(4):
        history.record(epoch, {"loss": 1.0 / 10**epoch, "accuracy": 0.5 + 0.1 * epoch})
        if epoch % 2:
            history.add({"val_loss": 2.0 - epoch / 10})
        history.add({"learning_rate": 0.01})
    return history


def test_lists_hold_what_was_measured():
    history = example()
    assert history.epoch == [0, 1, 2, 3]
    assert history.history["loss"] == [1.0, 0.1, 0.01, 0.001]
    assert history.history["val_loss"] == [1.9, 1.7]
    assert history.last() == {
        "loss": 0.001,
        "accuracy": 0.8,
        "val_loss": 1.7,
        "learning_rate": 0.01,
    }
    assert History().last() == {}


def test_last_leaves_out_what_the_last_epoch_did_not_measure():
    history = example()
    history.record(4, {"loss": 5.0})
    assert history.last() == {"loss": 5.0}


def test_an_epoch_that_is_recorded_again_replaces_its_values():
    history = History()
    history.record(0, {"loss": 3.0, "val_loss": 1.0, "extra": 1.0})
    history.record(0, {"loss": 2.0})
    assert (history.epoch, history.history) == ([0], {"loss": [2.0]})


def test_frame_puts_values_into_the_rows_of_their_epochs():
    frame = example().frame()
    assert frame.columns == ["epoch", "loss", "accuracy", "learning_rate", "val_loss"]
    assert frame["epoch"].to_list() == [0, 1, 2, 3]
    assert frame["val_loss"].to_list() == [None, 1.9, None, 1.7]
    assert History().frame().columns == ["epoch"]


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abc"), st.floats() | st.integers(-5, 5), max_size=3),
        max_size=6,
    )
)
def test_frame_and_state_agree_with_what_was_recorded(rows):
    history = History()
    for epoch, logs in enumerate(rows):
        history.record(epoch, logs)
    copy = History()
    copy.from_json(json.loads(json.dumps(history.to_json())))
    for one in (history, copy):
        frame = one.frame()
        for epoch, logs in enumerate(rows):
            for name in "abc":
                found = frame[name][epoch] if name in frame.columns else None
                if name in logs:
                    np.testing.assert_equal(found, float(logs[name]))
                else:
                    assert found is None
    assert repr(history.to_json()) == repr(copy.to_json())


def test_a_copy_by_state_shares_nothing():
    history, copy = example(), History()
    copy.from_json(history.to_json())
    copy.record(4, {"loss": 0.0})
    assert history.epoch == [0, 1, 2, 3]
    assert len(history.history["loss"]) == 4


@pytest.mark.parametrize(
    "state",
    [{}, {"epoch": [0], "history": {"loss": [1.0]}, "measured": {}}, {"epoch": 1}],
)
def test_a_state_of_another_kind_is_refused(state):
    with pytest.raises(InvalidFile) as caught:
        History().from_json(state)
    expected = "history: expected values with their epochs, received others. Start the fit anew."
    assert str(caught.value) == expected


def test_repr():
    history = example()
    history.seconds, history.stopped = 1.26, "interrupted"
    assert repr(history) == (
        "<History: 4 epochs, loss 1 -> 0.001, val_loss 1.9 -> 1.7 (best 1.7 in epoch 4), 1.3 s, "
        "stopped: interrupted>"
    )
    assert repr(History()) == "<History: 0 epochs>"
    history.record(4, {"val_loss": float("nan")})
    assert "val_loss 1.9 -> nan (best 1.7 in epoch 4)" in repr(history)


def test_plot_draws_training_and_validation_over_their_epochs():
    figure = example().plot()
    panels = {panel.get_title(): panel for panel in figure.axes if panel.axison}
    assert list(panels) == ["loss", "accuracy", "learning rate"]
    lines = {line.get_label(): line for line in panels["loss"].get_lines()}
    np.testing.assert_allclose(lines["training"].get_xydata()[:, 0], [1, 2, 3, 4])
    np.testing.assert_allclose(lines["training"].get_ydata(), [1.0, 0.1, 0.01, 0.001])
    np.testing.assert_allclose(lines["validation"].get_xydata(), [[2, 1.9], [4, 1.7]])
    assert panels["loss"].get_yscale() == "log"
    assert panels["accuracy"].get_yscale() == "linear"


def test_plot_takes_values_that_are_not_finite(tmp_path):
    history = History()
    for epoch, value in enumerate([1.0, float("inf"), float("nan")]):
        history.record(epoch, {"loss": value})
    history.plot().savefig(tmp_path / "history.png")
    assert (tmp_path / "history.png").read_bytes().startswith(b"\x89PNG")


def test_a_notebook_can_show_the_figure():
    assert example().plot()._repr_png_().startswith(b"\x89PNG")


def test_plot_without_epochs():
    with pytest.raises(NotReady) as caught:
        History().plot()
    assert str(caught.value) == (
        "History.plot: expected at least one epoch, received none. Call fit with epochs=1 or more."
    )


LAZY = """
import sys
from fitwell.history import History
assert not {"matplotlib", "polars"} & set(sys.modules)
history = History()
history.record(0, {"loss": 1.0})
history.plot()
assert "matplotlib.pyplot" not in sys.modules  # nothing that could open a window
"""


def test_heavy_packages_are_imported_where_they_are_used():
    environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    subprocess.run([sys.executable, "-c", LAZY], check=True, env=environment)
