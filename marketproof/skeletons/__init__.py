"""Skeletons of one's own parts, each with its test: what ``marketproof new`` writes."""
