"""Signal processing of meter verification: arrays in, arrays out; knows no I/O and no clock."""
