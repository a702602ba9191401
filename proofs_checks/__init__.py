"""Evidence about mechanisms: checks, searches for lies, witnesses that replay, bounds on what a search did not find."""
