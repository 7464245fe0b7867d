"""What travels between front end, board and host (docs/formats/wire.md)."""
