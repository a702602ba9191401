"""Searches: markets to look at, the best lie in each, and the smallest market that still holds one."""
