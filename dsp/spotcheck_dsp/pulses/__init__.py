"""Pulses of the meter under test: energy per pulse, repair of trains, what scatters them."""
