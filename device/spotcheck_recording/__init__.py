"""Waveform recordings: COMTRADE, CSV, Parquet, WAV and FLAC, read and written as streams."""
