"""Tests of the classics."""
