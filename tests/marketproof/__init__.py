"""Tests of the command line, the round loop, the recorder and the audit."""
