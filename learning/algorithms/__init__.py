"""learning/algorithms."""
