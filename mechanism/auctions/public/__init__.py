"""What serves many at once and costs money."""
