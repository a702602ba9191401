"""Votes and assignments."""
