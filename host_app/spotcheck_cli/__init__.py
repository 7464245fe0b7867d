"""The `spotcheck` command; wires the components together and is imported by none."""
