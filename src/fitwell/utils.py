"""Keras' names for two small things; both live elsewhere."""

from fitwell.data.targets import to_categorical
from fitwell.settings import settings

set_random_seed = settings.set_seed

__all__ = ["set_random_seed", "to_categorical"]
