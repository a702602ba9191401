"""Findings about the rules of a run rather than the run: lies that pay, what is bought at other costs, verdicts."""
