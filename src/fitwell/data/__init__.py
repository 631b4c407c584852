"""From what users have (files, arrays, frames, iterables, tables) to batches."""

from fitwell.data.images import Images, read_images
from fitwell.data.reading import read
from fitwell.data.streaming import ImageBatches, image_batches
from fitwell.data.tables import Origin, Table

__all__ = ["ImageBatches", "Images", "Origin", "Table", "image_batches", "read", "read_images"]
