"""Several runs as one question: the paper's experiments, and sweeps over mechanisms and parameters."""
