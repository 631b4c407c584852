"""The cures as pure functions: Setup, Facts -> Setup, or None where they do not apply."""
