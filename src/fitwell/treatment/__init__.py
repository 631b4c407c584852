"""Treatment: cures tried as short trainings, kept if they measurably help."""

from fitwell.treatment.treated import Score, Treated
from fitwell.treatment.treating import treat

__all__ = ["Score", "Treated", "treat"]
