"""The command line, the round loop that couples learning to a mechanism, the recorder and the audit of a run."""
