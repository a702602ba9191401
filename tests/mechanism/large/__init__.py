"""Markets without matrices."""
