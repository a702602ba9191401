"""Verdicts with grades, the witnesses behind them, their replay, and finite grids gone through."""
