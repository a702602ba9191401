"""Lessons: one app each with a figure to drag and an exercise, answered by the smallest lie or by what holds."""

LESSONS = (
    "second_price",
    "revelation",
    "vcg",
    "myerson",
    "myerson_satterthwaite",
    "model_market",
    "understated_cost",
)
"""The apps by the names of their files, in the order in which a course would take them."""
