"""Rules are data: one TOML file a regulation and edition; adding a rule is adding a file."""
