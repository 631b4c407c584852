"""Treatment: cures tried as short trainings, kept if they measurably help."""

from fitwell.doctor.clinic import clinic
from fitwell.treatment.applying import applied
from fitwell.treatment.following import after_fit
from fitwell.treatment.treated import Score, Treated
from fitwell.treatment.treating import treat

__all__ = ["Score", "Treated", "treat"]

clinic.apply, clinic.treat = applied, after_fit
