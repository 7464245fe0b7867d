"""Correction of the instrument, uncertainty of what it measures, evaluation of readings."""
