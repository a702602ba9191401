"""Cases, and how mechanisms are asked: what is refused, whose line an error is laid to, when batches are advised."""

import json
import re
from dataclasses import dataclass, field

import numpy as np
import pytest

from mechanism.catalogue import direct_mechanism
from mechanism.direct import Floats, SingleParameter, Space
from mechanism.errors import InvalidMechanismError
from proofs_checks.evidence.verify import check_mechanism, verify
from proofs_checks.search.cases import Cases, answer, payments, place, utilities
from tests.proofs_checks.rules import pay_second


def refusal(mechanism) -> str:
    with pytest.raises(InvalidMechanismError) as caught:
        check_mechanism(mechanism)
    message = str(caught.value)
    assert "\n" not in message
    return message


def named(message: str) -> Floats:
    """Return the reports that a message names."""
    found = re.search(r"\[.*?\](?=[:; ]|$)", message[message.index("[") :])
    assert found is not None
    return np.array(json.loads(found.group()), dtype=np.float64)


def rule_with(change):
    def rule(bids):
        got, paid = pay_second(bids)
        return change(bids, np.array(got, dtype=np.float64), np.array(paid, dtype=np.float64))

    return SingleParameter(rule, 2, name="changed")


def test_a_crash_on_some_bids_names_reports_that_crash_alone():
    def crash(bids, got, paid):
        if (bids[:, 1] > 0.9).any():
            raise ZeroDivisionError("the second bid is too high\nfor me")
        return got, paid

    message = refusal(rule_with(crash))
    assert "ZeroDivisionError: the second bid is too high" in message
    reports = named(message)
    assert reports.shape == (2, 1)
    assert reports[1, 0] > 0.9


def test_the_one_row_that_crashes_is_found_among_thousands():
    def crash(bids, got, paid):
        if (bids[:, 0] == 0.625).any():
            raise ValueError("no")
        return got, paid

    reports = np.random.default_rng(0).random((5000, 2, 1))
    reports[3333, 0] = 0.625
    with pytest.raises(InvalidMechanismError) as caught:
        answer(rule_with(crash), reports)
    assert named(str(caught.value)).tolist() == np.round(reports[3333], 12).tolist()


def test_a_crash_of_batches_only_names_a_batch():
    def crash(bids, got, paid):
        if len(bids) > 1:
            raise ValueError("one at a time")
        return got, paid

    with pytest.raises(InvalidMechanismError, match=r"line \d+, on a batch of 2 profiles: ValueError: one at a time"):
        answer(rule_with(crash), np.zeros((64, 2, 1)))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("what", ["allocation", "payment"])
def test_a_number_that_is_not_finite_names_the_bids(what, bad):
    def change(bids, got, paid):
        (got if what == "allocation" else paid)[bids[:, 0] < 0.2] = bad
        return got, paid

    message = refusal(rule_with(change))
    assert f"{what} that is not finite" in message
    assert named(message)[0] < 0.2


@pytest.mark.parametrize("change", [lambda b, g, p: (g.sum(axis=1), p), lambda b, g, p: (g, p[:, :1])])
def test_a_wrong_shape_of_a_rule_is_named(change):
    assert re.search(r"of shape \[320(, 1)?\] for bids of shape \[320, 2\]", refusal(rule_with(change)))


def test_no_pair_and_no_numbers_are_named():
    assert "expected (allocation, payment)" in refusal(rule_with(lambda b, g, p: None))
    assert "not numbers" in refusal(rule_with(lambda b, g, p: ([["a", "b"]] * len(b), p)))


def test_randomness_names_the_reports():
    rng = np.random.default_rng(0)

    def change(bids, got, paid):
        paid[bids[:, 0] > 0.5] = rng.random()
        return got, paid

    message = refusal(rule_with(change))
    assert "the mechanism is random or keeps a state" in message
    assert named(message)[0, 0] > 0.5


def test_an_answer_that_depends_on_the_batch_names_the_reports():
    def change(bids, got, paid):
        return bids == bids.max(axis=0), paid

    assert "depends on the other rows of the batch" in refusal(rule_with(change))


def test_a_rule_cannot_write_into_the_bids():
    def change(bids, got, paid):
        bids[:, 0] = 0.0
        return got, paid

    assert "read-only" in refusal(rule_with(change))


@dataclass
class Own:
    """A mechanism of the user's own, without `SingleParameter`'s checks."""

    utility_of: object = None
    payments_of: object = None
    writes: bool = False
    space: Space = field(default_factory=lambda: Space(2, ("value",), np.asarray(0.0), np.asarray(1.0)))

    def outcome(self, reports):
        """First price with a floor of one half under every bid."""
        floor = np.maximum(reports, 0.5, out=reports if self.writes else None)[..., 0]
        return (np.arange(2) == floor.argmax(axis=1)[:, None]) * floor

    def utility(self, types, outcome):
        if self.utility_of is not None:
            return self.utility_of(types, outcome)
        return types[..., 0] * (outcome > 0) - outcome

    def payments(self, outcome):
        return outcome if self.payments_of is None else self.payments_of(outcome)


def test_utilities_of_the_wrong_shape_or_not_finite_are_named():
    assert "utility has shape [320]; expected [320, 2]" in refusal(Own(lambda t, o: o.sum(axis=1)))
    assert "payments has shape [320, 1]; expected [320, 2]" in refusal(Own(payments_of=lambda o: o[:, :1]))
    message = refusal(Own(lambda t, o: np.where(t[..., 0] > 0.75, np.nan, 0.0)))
    assert "utility is not a finite number at the profile" in message
    assert named(message).max() > 0.75


def test_infinities_that_cancel_in_the_sum_are_seen():
    types = np.zeros((1, 2, 1))
    with pytest.raises(InvalidMechanismError, match="not a finite number"):
        utilities(Own(lambda t, o: np.array([[np.inf, -np.inf]])), types, None)


def test_an_error_in_the_accounts_is_one_line():
    def broken(types, outcome):
        raise KeyError("gain")

    line = broken.__code__.co_firstlineno + 1
    assert refusal(Own(broken)) == f"the mechanism's utility failed in test_cases.py, line {line}: KeyError: 'gain'"


def test_a_missing_part_is_named():
    class Half:
        space = Own().space

        def outcome(self, reports):
            return reports

    assert "Half has no 'utility'" in refusal(Half())


def test_a_mechanism_that_writes_into_its_input_gets_no_false_verdict():
    """It would change the true types that share memory with the reports: a loss of one half would look like none."""
    honest = verify(Own(), ["ir"], budget=5, probes=4)[0]
    assert honest.holds is False
    assert honest.witness is not None
    try:
        verdict = verify(Own(writes=True), ["ir"], budget=5, probes=4)[0]
    except InvalidMechanismError:
        return
    assert verdict.holds is False


def test_one_case_is_a_copy_with_its_axes():
    types = np.arange(12.0).reshape(3, 2, 2)
    after = np.arange(48.0).reshape(3, 4, 2, 2)
    cases = Cases(types, types, after, np.eye(3, 2, dtype=bool), (("share", np.array([1.0, 2.0, 3.0])),))
    one = cases.one(2, 3)
    assert one.types.tolist() == types[[2]].tolist()
    assert one.after.tolist() == after[2:3, 3:4].tolist()
    assert one.more("share").tolist() == [3.0]
    one.types[:] = -1.0
    one.after[:] = -1.0
    assert types.min() == 0.0
    assert after.min() == 0.0
    assert payments(Own(), types[:, :, :1], np.ones((3, 2))).shape == (3, 2)


def caught(function) -> BaseException:
    with pytest.raises(Exception) as told:
        function()
    return told.value


def test_the_last_line_of_the_users_own_file_is_named_not_the_librarys():
    def inner():
        return np.median("x")

    def outer():
        return inner()

    line = inner.__code__.co_firstlineno + 1
    assert place(caught(outer)) == f" in test_cases.py, line {line}"


def test_an_error_that_came_through_no_line_of_the_users_has_no_place():
    assert place(ValueError("never raised")) == ""
    mechanism = direct_mechanism("second-price")
    error = caught(lambda: mechanism.outcome(None))
    frames = error.__traceback__.tb_next  # as where our engine asks: without the line of this file
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    assert place(error.with_traceback(frames)) == ""


def failing(rule) -> str:
    with pytest.raises(InvalidMechanismError) as told:
        answer(SingleParameter(rule, 2), np.full((16, 2, 1), 0.5))
    return str(told.value)


@pytest.mark.parametrize(
    "rule",
    [
        lambda bids: (1, 0) if bids[0] > bids[1] else (0, 1),
        lambda bids: float(bids[0]),
        lambda bids: bids[:, 5],
        lambda bids: bids + np.zeros(7),
        lambda bids: [0, 0][bids.argmax(axis=1)],
        lambda bids: np.zeros((2, 2))[np.argmax(bids), 16],
    ],
)
def test_what_fails_on_every_batch_is_told_its_shape_and_no_reports(rule):
    told = failing(rule)
    assert told.startswith("the mechanism failed in test_cases.py, line ")
    assert told.endswith("; bids is [16, 2], one row per profile: compute all rows at once")
    assert "reports" not in told


def test_an_error_of_the_users_own_gets_no_advice():
    def rule(bids):
        raise ValueError("too high")

    assert failing(rule).endswith(", on reports [[0.5], [0.5]]: ValueError: too high")


@pytest.mark.parametrize("write", [lambda b: b.__setitem__(0, 0), lambda b: b.sort(), lambda b: b.__iadd__(1)])
def test_a_rule_that_writes_is_told_to_copy(write):
    assert failing(write).endswith("; copy bids first: bids = bids.copy()")


PARTS = {
    "welfare": ("efficiency", lambda types, outcome: types[:, :, 0].sum(axis=1)),
    "optimal_welfare": ("efficiency", lambda types: types[:, :, 0].sum(axis=1)),
    "allocation": ("monotonicity", lambda outcome: outcome),
    "consequences": ("non-bossiness", lambda outcome: np.stack([outcome, outcome], axis=-1)),
    "parts": ("ir-buyer", lambda types, outcome: {"buyer": outcome}),
    "payoffs": ("core", lambda types, outcome: outcome),
    "coalition_value": ("core", lambda types, members: np.zeros(len(types))),
    "joint": ("split-proof", lambda types, outcome, a, b: np.zeros(len(types))),
    "merge": ("merge-proof", lambda types, a, b, cost_rule: types[:, 1:]),
}


def spoilt(value, how):
    """What a part returns, where the first agent is worth more than a half: not numbers, or in another shape."""
    if isinstance(value, dict):
        return {name: spoilt(array, how) for name, array in value.items()}
    array = np.asarray(value)
    return array[:-1] if how is None else np.where(np.arange(array.size).reshape(array.shape), how, 0)


@pytest.mark.parametrize("how", [np.nan, -np.inf, None, 1j])
@pytest.mark.parametrize("name", PARTS)
def test_an_optional_part_that_is_no_number_or_of_the_wrong_shape_is_refused(name, how):
    """`Own` with every optional part; one of them is spoilt: no property that asks for it may hold."""

    class Whole(Own):
        own, role = "value", "buyer"

        def resized(self, agents):
            other = Whole()
            other.space = Space(agents, ("value",), 0.0, 1.0)
            other.outcome = lambda reports: reports[..., 0] * 0.5
            return other

    for part, (_, function) in PARTS.items():
        change = (lambda *a, f=function: spoilt(f(*a), how)) if part == name else function
        setattr(Whole, part, staticmethod(change))
    with pytest.raises(InvalidMechanismError, match=f"the mechanism's {name}"):
        verify(Whole(), [PARTS[name][0]], budget=5, probes=6, grade="searched")
