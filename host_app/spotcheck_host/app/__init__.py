"""The desktop app: presenters without widgets, views without decisions."""
