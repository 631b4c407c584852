"""Populations: many networks of one shape trained by one compiled program."""

from typing import TYPE_CHECKING

from fitwell.errors import missing_attribute
from fitwell.population.fitting import fit_many
from fitwell.population.folding import cross_validate
from fitwell.population.rates import find_learning_rate
from fitwell.population.results import CrossValidation, Population
from fitwell.population.searching import search

__all__ = [
    "CrossValidation",
    "Population",
    "cross_validate",
    "find_learning_rate",
    "fit_many",
    "search",
]

if not TYPE_CHECKING:
    __getattr__ = missing_attribute(__name__, __all__)
