"""Puts small faults into a copy of the sources and counts how many the tests notice: `make mutants` (ADR 0014)."""
