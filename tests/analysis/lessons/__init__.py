"""Tests of the lessons and their exercises."""
