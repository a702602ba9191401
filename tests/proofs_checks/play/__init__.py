"""Tests of repeated play."""
