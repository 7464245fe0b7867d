"""Hardware in the loop: what the pytest plugin's fixtures are made of."""
