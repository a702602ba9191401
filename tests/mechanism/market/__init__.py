"""The market mechanisms beyond the paper's, and all of them as direct mechanisms."""
