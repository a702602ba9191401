"""Findings about several runs, studies and sweeps: numbers side by side, and trade-offs between rules."""
