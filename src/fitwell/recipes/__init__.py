"""The recipe of deep learning: first good on the training data, then good on others."""

from fitwell.recipes.asking import recipe
from fitwell.recipes.result import Recipe, Step

__all__ = ["Recipe", "Step", "recipe"]
