"""Tests of the findings: their numbers, axes, tables, sentences and grades."""
