"""Tests of automated mechanism design."""
