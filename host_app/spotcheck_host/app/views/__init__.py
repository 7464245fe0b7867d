"""Widgets of the desktop app; they show values and report gestures."""
