"""One item."""
