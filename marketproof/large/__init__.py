"""Clearing markets too large for matrices: block by block, to files, resumable, on one machine or several."""
