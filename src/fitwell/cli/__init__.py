"""The command line."""

from fitwell.cli.commands import app, main

__all__ = ["app", "main"]
