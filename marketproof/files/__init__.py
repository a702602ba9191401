"""Files from and for strangers: whole or not there, bounded, and a user's own code loaded by its path."""
