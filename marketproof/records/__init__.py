"""What others take from a run: a client's model, tables, a log of its rounds."""
