"""Searches in markets: markets to look at, and the best lie in each."""
