"""Treatment: cures tried as short trainings, kept if they measurably help."""

from fitwell.doctor.clinic import clinic
from fitwell.treatment.applying import applied, curable
from fitwell.treatment.following import after_fit
from fitwell.treatment.proving import Proof, proved
from fitwell.treatment.treated import Score, Treated
from fitwell.treatment.treating import treat

__all__ = ["Proof", "Score", "Treated", "treat"]

clinic.apply, clinic.prove, clinic.treat = applied, proved, after_fit
clinic.curable = curable
