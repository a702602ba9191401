"""learning/models."""
