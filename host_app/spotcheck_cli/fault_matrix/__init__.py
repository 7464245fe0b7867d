"""The fault matrix: every kind of fault at every step, and what each ends in."""
