"""Repeated play of a mechanism: what people come to report, and what that does to welfare and payments."""
