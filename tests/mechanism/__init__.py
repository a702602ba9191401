"""Tests of the economics."""
