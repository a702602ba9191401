"""Markets too large for matrices, on the command line."""
