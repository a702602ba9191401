"""Networks: layouts of parameters and pure functions from parameters and inputs to scores."""

MODELS: dict[str, tuple[str, ...]] = {"mlp": ("digits", "fashion"), "cnn": ("fashion",)}
"""The data sets that each network fits, by the network's name. Importable without torch."""
