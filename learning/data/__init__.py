"""learning/data."""
