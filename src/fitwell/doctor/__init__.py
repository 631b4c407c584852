"""The doctor: names the fault of a fit, shows the evidence, proves the cure."""

from fitwell.doctor.finding import Evidence, Finding, Findings, Severity

__all__ = ["Evidence", "Finding", "Findings", "Severity"]
