"""All commands, in the order in which the help lists them."""

from fitwell.cli import train, predict, reporting, checkup, exporting, datasets, doctor  # isort: skip
from fitwell.cli.app import app, main

__all__ = [
    "app",
    "checkup",
    "datasets",
    "doctor",
    "exporting",
    "main",
    "predict",
    "reporting",
    "train",
]
