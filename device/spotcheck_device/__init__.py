"""The board's daemon: sources, measuring session, links."""
