"""Data sets and how they are divided over clients. Names and descriptions are importable without torch."""

DATASETS: dict[str, str] = {
    "digits": "scikit-learn's handwritten digits, 8x8, 10 classes, 1,797 images: embedded, nothing to fetch",
    "fashion": "Fashion-MNIST, 28x28, 10 classes, 60,000 + 10,000 images: Debian's dataset-fashion-mnist or a folder",
}
"""What each data set is, by name."""

SPLITS: dict[str, str] = {
    "niid": "every class divided over the clients by Dirichlet(beta)",
    "cluster": "classes divided over 3 groups by Dirichlet(0.1), inside a group by Dirichlet(10)",
    "skew": "each client has half of the classes, two groups of clients",
}
"""How a training set can be divided over clients, by name."""
