"""What fit prints: plain lines, the bar, and what both cost."""

import contextlib
import io
import re
import sys
import time

import numpy as np
import pytest

import fitwell as fw
from fitwell.errors import InvalidArgument
from fitwell.progress import ProgressBar, duration, number, values
from fitwell.settings import settings


class Terminal(io.StringIO):
    def isatty(self):
        return True


def drive(epochs, stream=None, **arguments):
    """The hooks of a fit, with its output sent to `stream`."""
    with contextlib.redirect_stdout(stream or sys.stdout):
        drive_here(epochs, **arguments)


def drive_here(epochs, steps=12, verbose=1, pause=0.0, notes=(), chunks=1):
    """Every part of an epoch lasts `pause` seconds."""
    bar = ProgressBar(verbose, notes)
    bar.set_params({"epochs": epochs, "initial_epoch": 0, "steps": steps})
    bar.on_train_begin()
    for epoch in range(epochs):
        bar.on_epoch_begin(epoch)
        for chunk in range(1, chunks):
            time.sleep(pause)
            bar.on_chunk_end(12 * chunk // chunks, lambda: {"loss": 0.5})
        if pause:
            time.sleep(pause)
        bar.on_epoch_end(epoch, {"loss": 1.0 / (epoch + 1), "val_loss": 1e-5})
    bar.on_train_end()
    bar.close()


@pytest.fixture
def plain():
    settings.progress = "plain"


@pytest.fixture
def terminal(monkeypatch):
    settings.progress = "auto"
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    return Terminal()


def pictures(stream):
    """The lines of text that were drawn, one picture after the other."""
    from rich.text import Text

    text = Text.from_ansi(stream.getvalue().replace("\r", "\n")).plain
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.mark.usefixtures("plain")
def test_a_line_per_epoch(capsys):
    drive(2, verbose=2, notes=["loss chosen: mse"])
    assert capsys.readouterr().out.splitlines() == [
        "loss chosen: mse",
        "Epoch 1/2  12 steps  0.0s  loss 1.0000  val_loss 1.000e-05",
        "Epoch 2/2  12 steps  0.0s  loss 0.5000  val_loss 1.000e-05",
    ]
    drive(1, steps=None)
    assert capsys.readouterr().out == "Epoch 1/1  0.0s  loss 1.0000  val_loss 1.000e-05\n"


@pytest.mark.usefixtures("plain")
def test_short_epochs_print_the_first_the_last_and_at_most_four_lines_a_second(capsys):
    began = time.perf_counter()
    drive(500, pause=0.001)
    seconds = time.perf_counter() - began
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Epoch 1/500 ")
    assert lines[-1].startswith("Epoch 500/500 ")
    assert 2 <= len(lines) <= 2 + 4 * seconds
    assert len(set(lines)) == len(lines)


@pytest.mark.usefixtures("plain")
def test_the_last_epoch_of_a_fit_that_ended_early_is_printed(capsys):
    bar = ProgressBar()
    bar.set_params({"epochs": 100, "steps": 3})
    bar.on_train_begin()
    for epoch in range(3):
        bar.on_epoch_begin(epoch)
        bar.on_epoch_end(epoch, {"loss": 0.1})
    bar.close()
    bar.close()
    assert [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()] == [
        "Epoch 1/100",
        "Epoch 3/100",
    ]


@pytest.mark.usefixtures("plain")
def test_a_long_epoch_shows_that_it_is_alive(capsys, monkeypatch):
    monkeypatch.setattr("fitwell.progress._STEP_LINE_SECONDS", 0.05)
    drive(1, pause=0.06, chunks=3)
    lines = capsys.readouterr().out.splitlines()
    for done, line in zip((4, 8), lines, strict=False):
        assert re.fullmatch(rf"Epoch 1/1  step {done}/12  \d\.\ds  loss 0\.5000", line)
    assert len(lines) >= 2


def test_the_bar_shows_epoch_step_speed_time_left_loss_and_metrics(terminal, monkeypatch):
    monkeypatch.setattr("fitwell.progress._DRAW_SECONDS", 0.0)
    drive(2, terminal, pause=0.02, chunks=3, notes=["loss chosen: [mse]"])
    lines = pictures(terminal)
    assert lines[0] == "loss chosen: [mse]"
    (first,) = [line for line in lines if line.startswith("Epoch 2/2") and "step 4/12" in line]
    epoch, gauge, step, speed, left = first.split("  ")
    assert (epoch, step) == ("Epoch 2/2", "step 4/12")
    assert len(gauge) == 20
    # 4 steps take 20 ms; sleeping may take longer, never less.
    assert 20 < float(speed.removesuffix(" steps/s")) <= 200
    assert left in ("0.0s left", "0.1s left", "0.2s left")
    assert "loss 0.5000  val_loss 1.000e-05" in lines  # of the epoch before: it stays in sight
    assert lines[-2].startswith("Epoch 2/2")
    assert lines[-1] == "loss 0.5000  val_loss 1.000e-05"


def test_the_bar_gives_the_terminal_back(terminal):
    with contextlib.redirect_stdout(terminal):
        bar = ProgressBar()
        bar.set_params({"epochs": 2, "steps": None})
        bar.on_train_begin()
        assert terminal.getvalue().endswith("\x1b[?25l")  # the cursor is hidden
        print("a note of another callback")
        bar.close()
        assert sys.stdout is terminal
    assert terminal.getvalue().endswith("\x1b[?25h")  # and shown again
    assert "a note of another callback" in pictures(terminal)


@pytest.mark.parametrize(
    ("progress", "verbose", "first"),
    [
        ("auto", 0, ""),
        ("auto", 2, "Epoch 1/1"),
        ("auto", 1, "\x1b[?25l"),
        ("auto", "auto", "\x1b[?25l"),
        ("bar", 1, "\x1b[?25l"),
        ("bar", 0, ""),
        ("plain", 1, "Epoch 1/1"),
        ("off", 2, ""),
    ],
)
def test_verbose_and_settings_choose_the_form(terminal, progress, verbose, first):
    settings.progress = progress
    drive(1, terminal, verbose=verbose)
    assert terminal.getvalue()[: len(first) or None] == first


def test_no_terminal_no_bar(terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    drive(1, terminal)
    monkeypatch.setenv("TERM", "xterm")
    drive(1, file := io.StringIO())
    assert terminal.getvalue().startswith("Epoch 1/1")
    assert file.getvalue().startswith("Epoch 1/1")


@pytest.mark.parametrize("progress", ["plain", "bar"])
def test_short_epochs_cost_next_to_nothing(terminal, progress):
    """Epochs of 1 ms allow 20 microseconds each at 2 %."""
    settings.progress = progress
    drive(10, terminal)  # imports
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        drive(5000, terminal)
        seconds.append((time.perf_counter() - began) / 5000)
    assert min(seconds) < 20e-6


def test_a_picture_of_the_bar_costs_less_than_two_percent_of_the_time_between_two(terminal):
    seconds = []
    with contextlib.redirect_stdout(terminal):
        bar = ProgressBar()
        bar.set_params({"epochs": 100, "initial_epoch": 0, "steps": 10})
        bar.on_train_begin()
        bar.on_epoch_begin(0)
        bar.on_epoch_end(0, dict.fromkeys(["loss", "accuracy", "val_loss", "val_accuracy"], 0.5))
        for _ in range(20):
            began = time.perf_counter()
            bar._view._draw(began)
            seconds.append(time.perf_counter() - began)
        bar.close()
    assert min(seconds) < 0.02 * 0.2


@pytest.mark.usefixtures("plain")
def test_fit_prints_its_epochs(capsys):
    model = fw.Sequential([fw.Input((2,)), fw.layers.Dense(1)], seed=0)
    model.compile("sgd", "mse")
    x = np.ones((64, 2), np.float32)
    history = model.fit(x, x[:, 0], epochs=3, verbose=2).history["loss"]
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[::3] for line in lines[-3:]] == [
        [f"Epoch {i + 1}/3", f"loss {number(loss)}"] for i, loss in enumerate(history)
    ]
    assert [line.split("  ")[1] for line in lines[-3:]] == ["2 steps"] * 3


@pytest.mark.parametrize("verbose", [3, True, "loud", None])
def test_verbose_is_checked(verbose):
    with pytest.raises(InvalidArgument) as caught:
        ProgressBar(verbose)
    assert str(caught.value) == (
        f'fit: expected verbose to be 0, 1, 2 or "auto", received verbose={verbose!r}. '
        "Pass 0 for silence, 1 for a bar or a few lines, 2 for a line per epoch."
    )


def test_the_setting_is_checked():
    settings.progress = "loud"
    with pytest.raises(InvalidArgument) as caught:
        ProgressBar()
    assert str(caught.value) == (
        'settings: expected progress to be "auto", "bar", "plain" or "off", received \'loud\'. '
        'Assign settings.progress = "auto".'
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0s"), (59.94, "59.9s"), (59.96, "1m00s"), (3599.6, "1h00m"), (90000, "25h00m")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_numbers():
    logs = {"a": -0.5, "b": 1e-3, "c": 9.99e-4, "d": -12345.0, "e": float("inf")}
    assert values(logs) == "a -0.5000  b 0.0010  c 9.990e-04  d -1.234e+04  e inf"
