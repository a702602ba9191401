"""Tests of a federation over a network."""
