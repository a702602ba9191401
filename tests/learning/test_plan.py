"""Plans are checked when they are made, and say how they differ."""

import pytest

from learning.errors import LearningError
from learning.plan import LearningPlan
from tests.checks import fresh


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dataset", "mnist"), ("split", "iid"), ("model", "resnet"),
        ("model", "cnn"),  # the embedded digits are too small for it
        ("clients", 0), ("clients", 2.0), ("steps", 0), ("batch", True), ("lr", 0.0), ("lr", float("nan")),
        ("momentum", 1.0), ("weight_decay", -1e-9), ("lam", float("inf")), ("eta", 0), ("split_beta", "0.1"),
    ],
)  # fmt: skip
def test_values_outside_the_domain_are_refused_by_name(field, value):
    with pytest.raises(LearningError, match=field):
        LearningPlan(**{field: value})


def test_a_difference_is_named_with_both_values():
    there = LearningPlan(lr=0.02).to_dict() | {"extra": 1}
    assert LearningPlan().differing(LearningPlan().to_dict()) == []
    assert LearningPlan().differing(there) == ["lr is 0.01 here and 0.02 there", "extra is 'absent' here and 1 there"]


def test_names_and_plans_come_without_torch():
    fresh(
        "import sys; from learning.plan import LearningPlan; from learning.algorithms import ALGORITHMS; "
        "from learning.data import DATASETS; from learning.backends import BACKENDS; LearningPlan(); "
        "assert not {'torch', 'sklearn', 'scipy'} & set(sys.modules), set(sys.modules)"
    )
