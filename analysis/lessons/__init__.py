"""Lessons: one app each with a figure to drag and an exercise, answered by the smallest lie or by what holds."""

TITLES = {
    "second_price": "The second-price auction",
    "revelation": "The revelation principle",
    "vcg": "Vickrey, Clarke and Groves (VCG)",
    "myerson": "Myerson: the auction that earns most",
    "myerson_satterthwaite": "Myerson–Satterthwaite: no rule has everything",
    "model_market": "The model market: what a model is worth",
    "understated_cost": "iPFL's rule: the understated cost, and the repair",
}
"""The titles of the apps by the names of their files, in the order in which a course would take them."""

LESSONS = tuple(TITLES)
"""The names of the apps' files, in the same order."""

INDEX = "index.py"
"""The file of the app that lists them, which is no lesson."""
