"""Examines the machine on which the daemon runs; changes nothing."""
