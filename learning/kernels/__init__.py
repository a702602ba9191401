"""Machine code made on the spot for what torch's general routines do slowly: small networks, a sample at a time."""
