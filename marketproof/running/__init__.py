"""One run from its configuration to its record: the round loop, its parts, and the folder it writes."""
