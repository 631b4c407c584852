"""All commands, registered in the order in which the help lists them."""

from fitwell.cli import train, predict, checkup  # isort: skip
from fitwell.cli.app import app, main

__all__ = ["app", "checkup", "main", "predict", "train"]
