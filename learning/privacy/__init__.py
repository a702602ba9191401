"""Example-level differential privacy: what one training sample changes is bounded, drowned in noise, and counted.

What a client releases in a round is its model. For two data sets of a client that differ by one training sample more
or less, and for every set S of released models of the whole run, P(S | one) ≤ e^ε P(S | other) + δ, with the ε of the
client's row in the ledger (Dwork et al., Calibrating Noise to Sensitivity, TCC 2006; Abadi et al., Deep Learning with
Differential Privacy, CCS 2016). Importable without torch and without dp-accounting.
"""

UNIT = "one training sample of one client, added or removed"
"""What ε protects, in words, to be printed wherever ε is."""

LARGEST_EPSILON = 500.0
"""The largest budget: beyond it nothing is promised (e^50 already says nothing), and e^ε nears the end of numbers."""

NOT_COVERED: tuple[str, ...] = (
    "how many samples each client has: they set its sampling rate, and the weights of averages and of the market",
    "the losses of training in the record: they are computed from the private batches, without noise",
    "validation losses on held-out samples: FedFomo's weights, measured gains, effective data and everything decided "
    "by them",
    "each client's label shares, by which personal accuracy is weighted, and so that accuracy itself",
    "the choice of hyperparameters, if it was made by looking at runs on the same data",
    "several methods or seeds: they train on the same samples, so who sees the models of all adds up their epsilons, "
    "and their deltas",
    "several samples at once, such as two texts of one person: for k of them ε is up to k times as large, and δ grows",
    "the last bits of floating-point numbers, by which noise can leak in theory (Mironov 2012), and running times",
)
"""Outputs and cases that ε says nothing about."""
