"""Files of types: read exactly, refused by key; designs with correlated types."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mechanism.design import SpecError, design, parse_spec
from mechanism.design.type_lists import read_types
from mechanism.errors import InputError
from tests.checks import refused
from tests.mechanism.design.specs import auction, types_text

GOOD = types_text(('[0, 0.1, "1/3"]', '["1/2", "1/2", 0]'), "[[1], [2]]")
JOINT = types_text([1, 2], joint=[((1, 1), "1/3"), ((2, 1), "2/3")])


def read(tmp_path, text, name="types.toml"):
    file = tmp_path / name
    file.write_text(text)
    return read_types(file)


def test_types_and_chances_are_kept_exact(tmp_path):
    lists, chances = read(tmp_path, GOOD).for_agents(2)
    third = Fraction(1, 3)
    assert lists == [((0,), (Fraction(1, 10),), (third,)), ((1,), (2,))]
    assert chances == [Fraction(1, 4)] * 4 + [0, 0]


def test_one_list_serves_all_and_what_is_left_out_of_a_joint_table_has_no_chance(tmp_path):
    lists, chances = read(tmp_path, JOINT).for_agents(2)
    assert lists == [((1,), (2,))] * 2
    assert chances == [Fraction(1, 3), 0, Fraction(2, 3), 0]


def test_json_says_the_same(tmp_path):
    text = '{"agents": [{"types": [0, 0.1, "1/3"], "prior": ["1/2", 0.5, 0]}, {"types": [[1], [2]]}]}'
    assert read(tmp_path, text, "types.json") == read(tmp_path, GOOD)


@pytest.mark.parametrize(
    ("text", "change", "said"),
    [
        (GOOD, ("[[agents]]", "[[agent]]"), "unknown key"), (GOOD, ("prior", "priors"), "unknown key"),
        (GOOD, ("0.1", "nan"), "agents[0].types"), (GOOD, ("0.1", "1e400"), "agents[0].types"),
        (GOOD, ('"1/2", 0]', '"1/2"]'), "one for each type"), (GOOD, ('"1/2", 0]', '"1/3", 0]'), "sum to 1"),
        (GOOD, ('["1/2"', '["-1/2"'), "prior"), (GOOD, ("[[1], [2]]", "[[1], [1]]"), "each type once"),
        (GOOD, ("[[1], [2]]", "[[1], [2, 3]]"), "each type once"), (GOOD, ("[[1], [2]]", "[]"), "a list of 1 to"),
        (GOOD, ("[[1], [2]]", "7"), "a list of 1 to"), (GOOD, ("types = [0", "types = [[[0]]"), "types"),
        (GOOD, ("[[agents]]\ntypes = [0", "[[agents]\ntypes = [0"), "no TOML"),
        (JOINT, ('"2/3"', '"1/2"'), "sum to 1"), (JOINT, ("types = [2, 1]", "types = [1, 1]"), "each profile once"),
        (JOINT, ("types = [2, 1]", "types = [3, 1]"), "one of the types"),
        (JOINT, ("types = [2, 1]", "types = [2]"), "one for each agent"), (JOINT, ('"2/3"', "-1"), "chance >= 0"),
    ],
)  # fmt: skip
def test_wrong_files_are_refused_in_one_line(tmp_path, text, change, said):
    assert change[0] in text
    with refused(InputError, "", said):
        read(tmp_path, text.replace(*change, 1)).for_agents(2)


def test_too_many_profiles_and_agents_are_refused(tmp_path):
    many = read(tmp_path, f"[[agents]]\ntypes = {list(range(300))}")
    with refused(InputError, "", "90000 profiles"):
        many.for_agents(2)
    with refused(InputError, "", "for 2 agents; expected 3"):
        read(tmp_path, GOOD).for_agents(3)


@given(st.integers(0, len(JOINT) - 1), st.text(max_size=4), st.integers(0, 6))
def test_damaged_files_are_read_or_refused(tmp_path_factory, place, piece, gone):
    told = ""
    try:
        read(tmp_path_factory.getbasetemp(), JOINT[:place] + piece + JOINT[place + gone :]).for_agents(2)
    except InputError as error:
        told = str(error)
    assert "\n" not in told


TOGETHER = ((1, 1, "1/3"), (2, 2, "1/3"), (1, 2, "1/6"), (2, 1, "1/6"))
CORRELATED = "\n" + types_text(joint=[((f"v{a}", f"v{b}"), chance) for a, b, chance in TOGETHER])


def test_correlated_types_leave_the_bidders_nothing():
    """Crémer and McLean 1988: the whole surplus, 1/3 · 1 + 2/3 · 2, is revenue; of independent types it is less."""
    spec = auction(2, (1, 2), incentive="bic", rationality="interim")
    found = design(parse_spec(spec + CORRELATED))
    assert found.exact
    assert found.value == Fraction(5, 3)
    assert design(parse_spec(spec)).value < Fraction(7, 4)  # of its own surplus, 1/4 · 1 + 3/4 · 2


def test_a_joint_table_and_priors_are_not_both_given():
    spec = auction(2, (1, 2))
    with refused(SpecError, "", "not both"):
        parse_spec(spec.replace("values", "prior = ['1/2', '1/2']\nvalues", 1) + CORRELATED)
    with refused(SpecError, "", "a chance for each type"):
        parse_spec(spec + "\n[[joint]]\ntypes = ['v1', 'v1']\nchance = 1")
