"""Personalised federated learning: local training, model differences, and aggregation along a given graph.

The facade is `learning.trainer.Trainer`; a run is described by `learning.plan.LearningPlan`. Nothing here decides who
imports whom from whom: a market does, or the method itself where it is a baseline.
"""
