"""The vocabulary of meter verification and its rules; standard library only."""

__version__ = "0.1.0"
