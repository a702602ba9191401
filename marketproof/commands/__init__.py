"""One file per command; each registers itself on the application and imports what is heavy when it runs."""
