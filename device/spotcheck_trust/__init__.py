"""Who is who between device and host: keys, pairings, and the device's signature of a result."""
