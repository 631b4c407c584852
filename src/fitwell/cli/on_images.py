"""Training on a folder of images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fitwell import images, report
from fitwell.cli import patients, runs, showing
from fitwell.cli.backing import Backup
from fitwell.cli.order import Order
from fitwell.images import ImageModel


class OnImages:
    """Images that are ready for training, and the network for them."""

    def __init__(self, order: Order) -> None:
        order.check_images()
        self.order, self.prepared = order, prepare(order)
        if order.model is None:
            self.network = images.build(self.prepared, epochs=order.epochs, seed=order.seed)
        else:
            self.network = patients.built(order.model, self.prepared.images.x.shape[1:])

    def show(self, diary: runs.Diary) -> None:
        """What was read, and what will be trained."""
        showing.images(diary, Path(self.order.data).name, self.prepared, self.network)

    def fit(self, run: runs.Run, verbose: int | str) -> ImageModel:
        """The trained and measured model."""
        return images.fit(
            self.prepared,
            self.network,
            epochs=self.order.epochs,
            time_limit=self.order.time_limit,
            verbose=verbose,
            callbacks=[Backup(run.backup)],
        )

    def report(self, run: runs.Run, model: Any) -> None:
        """The page about it."""
        page = run.folder / runs.REPORT
        report.write(page, model, self.prepared, model.network.history, saved=str(run.model))


def prepare(order: Order) -> images.Prepared:
    """The images of an order, ready for training: the same for the same folder and options."""
    side = order.image_size
    size = None if side is None else (side, side)
    return images.prepare(order.data, size=size, seed=order.seed, skip_bad=order.skip_bad_rows)
