"""Findings: what a report says of runs, a file each. `catalogue` lists them in the order of the page."""
