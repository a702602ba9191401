"""A market cleared on a user's own numbers: reading them, clearing, settling, and what was promised of it."""
