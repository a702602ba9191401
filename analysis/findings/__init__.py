"""Findings: what a report says of runs, a file each. `registry` lists them in the order of the page."""
