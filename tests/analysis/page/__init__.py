"""Tests of the report, the export and the theme."""
