"""Exercises answered: rightly, wrongly, for ever, and in every way in which code fails."""

import os
import time
from functools import cache

import numpy as np
import pytest

from analysis.lessons import LESSONS, exercise
from analysis.lessons.exercise import Answer, check, spread, worded
from analysis.lessons.exercise_process import StudentError, load, respond
from analysis.lessons.exercises import EXERCISES, WORTH
from analysis.lessons.student import sentence
from mechanism import UnknownNameError
from mechanism.errors import InvalidMechanismError
from proofs_checks.evidence.verdict import Grade, Verdict
from proofs_checks.evidence.verify import check_mechanism
from tests.analysis.lessons.solutions import SOLUTIONS, WINNER


@pytest.fixture(autouse=True)
def budget(monkeypatch):
    """A tenth of what a student gets, of this process alone: what is found in it is found in a lesson all the more."""
    monkeypatch.setattr(exercise, "_BUDGET", 0.2)


@cache
def asked(lesson: str, code: str) -> Answer:
    """What several tests look at, asked once."""
    return check(lesson, code)


def right(lesson: str) -> Answer:
    return asked(lesson, SOLUTIONS[lesson])


def at_start(lesson: str) -> Answer:
    return asked(lesson, EXERCISES[lesson].start)


def test_every_lesson_has_an_exercise_and_a_solution():
    assert set(LESSONS) == set(EXERCISES) == set(SOLUTIONS)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_right_answer_is_told_so_and_what_that_means(lesson):
    found = right(lesson)
    assert found.kind == "right", found
    assert [line.split(" ")[0] for line in found.lines[: len(EXERCISES[lesson].properties)]] == list(
        EXERCISES[lesson].properties
    )
    searched = "nothing found" in " ".join(found.lines)
    assert searched == ("is a search, not a proof" in found.lines[-1])


def test_a_right_answer_says_that_it_was_searched():
    """The code answers from a process of its own, into which no symbol goes: nothing of it is proved."""
    found = right("myerson")
    assert found.headline == "Right: for dsic, ir nothing was found against your rule."
    assert "a search, not a proof" in " ".join(found.lines)


@pytest.mark.parametrize("lesson", LESSONS)
def test_what_stands_in_the_editor_is_not_the_answer(lesson):
    assert at_start(lesson).kind == "wrong"


def test_a_wrong_answer_gets_the_smallest_lie_as_a_sentence():
    found = at_start("second_price")
    assert found.headline.startswith("The smallest case against your rule: ")
    assert "has value 1; reporting value 0.04 takes its utility from 0 to 0.96" in found.headline
    assert found.lines[0].startswith("dsic (nobody gains by a lie, whatever the others say): broken")


def test_the_published_market_rule_is_refuted_by_an_understated_cost():
    found = at_start("understated_cost")
    assert "has cost 1; reporting cost 0 takes its utility from 0 to 2" in found.headline


def test_a_truthful_rule_that_reaches_nothing_is_not_right():
    found = check("myerson", "def rule(bids):\n    return bids * 0, bids * 0\n")
    assert found.kind == "wrong"
    assert "the seller earns 0.0000 on average" in found.headline
    found = check("second_price", "def rule(bids):\n    return bids * 0, bids * 0\n")
    assert "welfare 0 where 1 is feasible" in found.headline


def second_price(reserve):
    return f"""def rule(bids):
    won = np.eye(2)[bids.argmax(axis=1)] * (bids >= {reserve})
    return won, won * np.maximum(bids.min(axis=1, keepdims=True), {reserve})
"""


def test_revenue_is_judged_by_the_distribution_and_not_by_a_sample():
    """Second price earns exactly the 1/3 of the equilibrium; a reserve of .42 earns .41095."""
    found = check("revelation", second_price(0.0))
    assert found.kind == "right", found
    assert any("earns 0.3333 all the same" in line and "revenue equivalence" in line for line in found.lines)
    found = check("revelation", second_price(0.5))  # earns more, by another allocation
    assert found.kind == "right", found
    assert any("gives the object to others than the equilibrium does, and earns 0.4167" in line for line in found.lines)
    assert check("myerson", second_price(0.42)).kind == "right"
    found = check("myerson", second_price(0.0))
    assert "the seller earns 0.3333 on average" in found.headline


def test_the_equilibrium_played_by_the_machine_is_called_so():
    found = right("revelation")
    assert any("It is the equilibrium, played by the machine" in line for line in found.lines)


@pytest.mark.parametrize("reserve", [0.0, 0.3, 1 / np.pi, 0.42, 0.5, np.sqrt(0.5)])
def test_the_lattice_is_right_to_four_digits(reserve):
    """E[revenue] of second price with reserve r among two: r·2r(1-r) + the integral of the lower value above r."""
    bids = spread(2, 1.0)
    won = bids.max(axis=1) >= reserve
    paid = np.where(won, np.maximum(bids.min(axis=1), reserve), 0.0).mean()
    exact = 2 * reserve**2 * (1 - reserve) + (1 - reserve) ** 2 * (reserve + (1 - reserve) / 3)
    assert paid == pytest.approx(exact, abs=5e-5)


def test_gains_from_trade_on_the_lattice_are_right_to_four_digits():
    value, cost = spread(2, 1.0).T
    for price in (0.2, 0.5, np.exp(-0.5)):
        gains = ((value >= price) & (cost <= price)) * (value - cost)
        assert gains.mean() == pytest.approx(price * (1 - price) / 2, abs=5e-5)
    assert np.maximum(value - cost, 0).mean() == pytest.approx(1 / 6, abs=5e-5)


@pytest.mark.parametrize("agents", [1, 2, 3, 4])
def test_the_lattice_fills_its_box_evenly_and_nobody_ties(agents):
    bids = spread(agents, 4.0)
    assert bids.min() > 0
    assert bids.max() < 4
    ordered = np.sort(bids, axis=1)
    assert np.diff(ordered, axis=1).min(initial=1.0) > 0
    expected = 4.0 * np.arange(1, agents + 1) / (agents + 1)  # of order statistics
    assert ordered.mean(axis=0) == pytest.approx(expected, abs=2e-3)


def test_units_that_are_not_there_are_not_handed_out():
    found = check("second_price", "def rule(bids):\n    return np.ones_like(bids), bids * 0\n")
    assert found.kind == "wrong"
    assert "3 units are handed out where there is 1" in found.headline


@pytest.mark.parametrize("code", ["while True: pass", "def rule(bids):\n    while True: pass\n",
                                  "try:\n    while True: pass\nexcept BaseException: pass\n"])  # fmt: skip
def test_code_that_loops_for_ever_is_stopped(code):
    found = check("second_price", code, seconds=0.3)
    assert found.kind == "error"
    assert found.headline.startswith("Your code did not answer within 0.3 s: does a loop run for ever?")


def test_what_the_code_started_is_stopped_with_it(tmp_path):
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "while True: pass\n"
    )
    check("second_price", code, seconds=1.0)
    pid = int((tmp_path / "pid").read_text())
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        with open(f"/proc/{pid}/stat") as status:
            if status.read().rsplit(")", 1)[1].split()[0] == "Z":  # dead, and not yet collected
                return
        time.sleep(0.1)
    pytest.fail("a process of the student's code is still there")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("def rule(bids):\n    return 1 / 0\n", "Line 2: your code raises ZeroDivisionError: division by zero."),
        ("def rule(bids):\n    return bidz\n", "Line 2: your code raises NameError: name 'bidz' is not defined"),
        ("raise KeyboardInterrupt", "Line 1: your code raises KeyboardInterrupt"),
        ("def rule(bids:\n", "Line 1: Python cannot read it"),
        ("x = 1\n", "There is no function called rule"),
        ("rule = 3\n", "There is no function called rule"),
        ("", "There is no function called rule"),
        ("import sys\nsys.exit(0)\n", "Your code calls exit"),
        ("def rule(bids):\n    raise SystemExit\n", "Your code calls exit"),
        ("def rule(bids):\n    return 3\n", "Rule returned int; expected (allocation, payment)"),
        ("def rule(bids):\n    return bids, 'x'\n", "payment that is not numbers"),
        ("def rule(bids):\n    return bids[:, :1], bids\n", "of shape [7, 1] for bids of shape [7, 3]"),
        ("def rule(bids):\n    return bids * float('nan'), bids\n", "not finite at bids"),
        ("def rule(bids):\n    return np.random.rand(*bids.shape), bids\n", "is random"),
        ("def rule(bids):\n    bids[:] = 0\n    return bids, bids\n", "read-only"),
        ("def rule(bids):\n    return rule(bids)\n", "RecursionError"),
    ],
)  # fmt: skip
def test_code_that_fails_gets_one_helpful_line(code, told):
    """Asked in this process, which is faster; that the other process passes it on is tested below."""

    def loaded():
        rule = load(EXERCISES["second_price"], code)
        respond(rule, np.random.default_rng(1).uniform(0, 1, (7, 3)))
        check_mechanism(rule)

    with pytest.raises((StudentError, InvalidMechanismError)) as error:
        loaded()
    said = sentence(error.value)
    assert told in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import sys\nsys.exit(0)\n", "Your code calls exit"),
        ("def rule(bids):\n    return 1 / 0\n", "Line 2: your code raises ZeroDivisionError: division by zero."),
        ("def rule(bids):\n    assert (bids > 0).all()\n    return bids, bids\n", "at bids ["),
        ("def rule(bids):\n    return bids, 'x'\n", "Rule returned a payment that is not numbers"),
        ("def rule(bids):\n    return np.random.rand(*bids.shape), bids\n", "is random"),
        ("import os\nos._exit(0)\n", "Your code ended its own process"),
        ("x = bytearray(1 << 33)\n", "more memory than it may"),
        ("#" * 30_000, "more than 20000 characters"),
    ],
)
def test_code_that_fails_in_its_process_gets_one_helpful_line(code, told):
    found = check("second_price", code)
    assert found.kind == "error"
    assert told in found.headline
    assert "\n" not in found.headline


def test_printing_is_no_answer_and_is_told(capfd):
    found = check("second_price", "print('hello')\n" + SOLUTIONS["second_price"])
    assert found.kind == "right"
    assert found.lines[-1].startswith("Your code printed “hello”")
    assert capfd.readouterr() == ("", "")


def test_an_answer_cannot_be_written_by_the_code():
    forged = '{"stage": "answer", "kind": "right", "headline": "Right.", "lines": []}'
    code = f"import os, sys\nos.write(1, {(forged + chr(10)).encode()!r})\nprint({forged!r})\n"
    assert check("second_price", code + EXERCISES["second_price"].start).kind == "wrong"


def test_code_that_replaces_what_runs_it_is_judged_by_its_numbers_all_the_same():
    hack = (
        "import sys\n"
        "main = sys.modules['__main__']\n"
        "right = {'kind': 'right', 'headline': 'Right, and proved: hacked.', 'lines': []}\n"
        "for name in [n for n in vars(main) if callable(vars(main)[n])] + ['_judged', 'answer', 'worded']:\n"
        "    if name not in ('serve', 'load', 'respond', 'main', 'HEAD', '_Printed', 'StudentError', '_guarded'):\n"
        "        setattr(main, name, lambda *a, **k: right)\n"
    )
    found = check("myerson", hack + EXERCISES["myerson"].start)
    assert found.kind != "right"
    assert "hacked" not in str(found)
    replaced = "import sys\nsys.modules['__main__'].respond = lambda rule, bids: (bids * 0, bids * 0)\n"
    found = check("myerson", replaced + SOLUTIONS["myerson"])
    assert "the seller earns 0.0000 on average" in found.headline


@pytest.mark.parametrize(
    "frame", ["HEAD.pack(b'a', 1 << 40)", "HEAD.pack(b'z', 0)", "b'right' * 9", "HEAD.pack(b'a', 8) + b'12345678'"]
)
def test_what_the_code_writes_into_the_channel_is_no_answer(frame):
    """The number of the channel is no secret to the code; too much, too little or something else is refused."""
    code = (
        "import os\n"
        "from analysis.lessons.exercise_process import HEAD\n"
        "for fd in range(3, 30):\n"
        "    try: os.write(fd, " + frame + ")\n"
        "    except OSError: pass\n"
    )
    found = check("second_price", code + SOLUTIONS["second_price"], seconds=2.0)
    assert found.kind == "error"
    assert "wrote into the channel" in found.headline


def test_code_that_reads_the_questions_is_stopped():
    code = "import os\nfor fd in range(3, 30):\n    try: os.read(fd, 1)\n    except OSError: pass\n"
    found = check("second_price", code + SOLUTIONS["second_price"], seconds=0.3)
    assert found.kind == "error"


def test_an_unknown_exercise_is_refused():
    with pytest.raises(UnknownNameError, match="known: second_price"):
        check("third_price", "")


def test_words_when_something_is_open():
    """No symbol goes into the student's process: nothing of its code is ever proved."""
    told = {"tried": 7, "reason": "because"}
    both = [Verdict("ir", Grade.SEARCHED, True, "", told), Verdict("dsic", Grade.UNKNOWN, None, "", told)]
    found = worded(EXERCISES["myerson"], both, remark="So it is.")
    assert found.headline == "Right: for ir nothing was found against your rule; not decided: dsic."
    assert "nothing found in 7 tries" in found.lines[0]
    assert "not decided (because)" in found.lines[1]
    assert found.lines[2] == "So it is."


def test_the_seller_of_a_trade_has_a_cost():
    found = at_start("myerson_satterthwaite")
    assert "the seller has cost 0" in found.headline


def test_the_market_of_the_exercise_is_the_worked_example():
    """sqrt(3600/100) - sqrt(3600/400) = 3; with both models sqrt(3600/100) - sqrt(3600/700)."""
    assert np.allclose(WORTH, [0.0, 3.0, 6.0 - np.sqrt(3600 / 700)])
    assert "3.73" in EXERCISES["understated_cost"].task
    assert WINNER.startswith("def rule(bids)")
