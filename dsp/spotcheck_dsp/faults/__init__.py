"""What can be wrong with samples or load, each with a threshold that is stated."""
