"""learning/backends."""
