"""A federation over several machines: keys, the links that carry requests, the server and its clients."""
