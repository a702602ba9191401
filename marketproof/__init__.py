"""marketproof."""
