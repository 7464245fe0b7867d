"""Quantities of phasors, cycles and phases beside power, voltage and current."""
