"""Networks: layouts of parameters and pure functions from parameters and inputs to scores."""

MODELS: dict[str, tuple[str, ...]] = {
    "mlp": ("digits", "fashion", "own"),
    "logistic": ("own", "digits", "fashion"),
    "cnn": ("fashion", "cifar10", "own"),
    "femnist-cnn": ("femnist", "fashion", "own"),
    "cnn-582k": ("fashion", "femnist", "own"),
    "lstm": ("shakespeare", "own"),
    "resnet20": ("pacs", "cifar10", "own"),
    "lora": ("finance", "cofinance"),
}
"""The data sets that each network fits, by the network's name. Importable without torch."""

MARK = "marketproof-model"
"""Under which the metadata of an exported model say what it is."""
