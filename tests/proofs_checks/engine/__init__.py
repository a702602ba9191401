"""Tests of the evidence engine."""
