"""The commands of a federation: keys, serve, join."""
