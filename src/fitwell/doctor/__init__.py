"""The doctor: names the fault of a fit, shows the evidence, proves the cure."""

from fitwell.doctor import codes
from fitwell.doctor.finding import Evidence, Finding, Findings, Severity
from fitwell.doctor.modes import assert_healthy

__all__ = ["Evidence", "Finding", "Findings", "Severity", "assert_healthy", "codes"]
