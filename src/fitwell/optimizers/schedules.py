"""The learning-rate schedules at the place where Keras has them."""

from fitwell.schedules import *  # noqa: F403 - all of its public names, and no other
from fitwell.schedules import __all__  # noqa: F401
