"""Where samples come from: one port, and what stands behind it (docs/formats/sample-sources.md)."""
