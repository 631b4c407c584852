"""Every hook of Keras is called, in Keras' order."""

from __future__ import annotations

from typing import Any

import numpy as np

import fitwell as fw
from fitwell.layers import Dense

X, Y = np.arange(20.0).reshape(10, 2), np.arange(10.0)


class Diary(fw.callbacks.Callback):
    """Writes down each hook and the batch or epoch it is for."""

    def __init__(self) -> None:
        self.entries: list[str] = []


def _hook(name: str) -> Any:
    def hook(self: Diary, *args: Any) -> None:
        number = args[0] if args and isinstance(args[0], int) else ""
        self.entries.append(f"{name.removeprefix('on_')} {number}".strip())

    return hook


for _kind in ("train", "test", "predict"):
    for _moment in ("begin", "end", "batch_begin", "batch_end"):
        setattr(Diary, f"on_{_kind}_{_moment}", _hook(f"on_{_kind}_{_moment}"))
for _moment in ("begin", "end"):
    setattr(Diary, f"on_epoch_{_moment}", _hook(f"on_epoch_{_moment}"))


def model() -> fw.Sequential:
    made = fw.Sequential([Dense(1)])
    made.compile(loss="mse")
    return made


def batches(kind: str, count: int) -> list[str]:
    return [f"{kind}_batch_{moment} {i}" for i in range(count) for moment in ("begin", "end")]


def test_fit_with_validation() -> None:
    diary = Diary()
    model().fit(X, Y, batch_size=4, epochs=2, validation_data=(X, Y), callbacks=diary)
    epoch = [
        *batches("train", 3),
        "test_begin",
        *batches("test", 3),
        "test_end",
    ]
    expected = ["train_begin"]
    for i in range(2):
        expected += [f"epoch_begin {i}", *epoch, f"epoch_end {i}"]
    assert diary.entries == [*expected, "train_end"]


def test_evaluate_and_predict() -> None:
    diary, made = Diary(), model()
    made.build((None, 2))
    alone = made.evaluate(X, Y, batch_size=4)
    assert made.evaluate(X, Y, batch_size=4, callbacks=[diary]) == alone
    assert diary.entries == ["test_begin", *batches("test", 3), "test_end"]
    diary.entries = []
    same = made.predict(X, batch_size=4, callbacks=[diary])
    np.testing.assert_array_equal(same, made.predict(X, batch_size=4))
    assert diary.entries == ["predict_begin", *batches("predict", 3), "predict_end"]


def test_the_logs_of_a_test_batch_are_those_so_far() -> None:
    seen: list[float] = []

    class Losses(fw.callbacks.Callback):
        def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(logs["loss"])

    made = model()
    made.build((None, 2))
    whole = made.evaluate(X, Y, batch_size=4, callbacks=[Losses()])
    error = (made.predict(X)[:, 0] - Y) ** 2
    np.testing.assert_allclose(seen, [error[:4].mean(), error[:8].mean(), whole], rtol=1e-5)
