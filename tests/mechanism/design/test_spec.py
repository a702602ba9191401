"""Specifications: what is read, and that hostile ones are refused in one line that names the key."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mechanism.design import SpecError, parse_spec, read_spec
from tests.checks import refused
from tests.mechanism.design.specs import auction

GOOD = auction(2, (1, 2))


def test_a_specification_is_read_exactly():
    spec = parse_spec(auction(1, (1, 2), ("0.1", "9/10")).replace("'2'", "0.3"))
    assert spec.agents[0].prior == (Fraction(1, 10), Fraction(9, 10))
    assert spec.agents[0].values[1] == (0, Fraction(3, 10))
    assert (spec.title, spec.budget, spec.budget_when, spec.linear) == ("untitled", "none", "ex-post", None)
    assert spec.profiles == 2


def test_a_prior_left_out_is_uniform():
    assert parse_spec(auction(1, (1, 2, 3))).agents[0].prior == (Fraction(1, 3),) * 3


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (("bic", "Bic"), "incentive"), (('objective = "revenue"', "objective = 3"), "objective"),
        (('objective = "revenue"', ""), "objective"), (('objective = "revenue"', 'objective = "linear"'), "linear"),
        (("outcomes = ", "outcome = "), "outcome"), (("'kept'", "''"), "outcomes[0]"), (("'kept'", "'to 0'"),
         "outcomes"),
        (("'kept'", "'a\nb'"), "the specification"), (("'kept'", '"a\\u0007b"'), "outcomes[0]"),
        (("'v1', 'v2'", "'v1', 'v1'"), "agents[0].types"), (("'v1', 'v2'", "'v1'"), "agents[0].values"),
        (("values = [[", "values = [["[:-1]), "the specification"),
        (('name = "bidder 1"', 'name = "bidder 0"'), "agents"),
        (("'1'", "'1/0'"), "agents[0].values[0][1]"), (("'1'", "inf"), "agents[0].values[0][1]"),
        (("'1'", "nan"), "agents[0].values[0][1]"), (("'1'", "1e400"), "agents[0].values[0][1]"),
        (("'1'", "true"), "agents[0].values[0][1]"), (("'1'", "[]"), "agents[0].values[0][1]"),
        (("'1'", "10000000000"), "agents[0].values[0][1]"), (("'1'", "0x" + "f" * 9000), "agents[0].values[0][1]"),
        (("'1'", "9" * 5000), "the specification"), (("'1'", "'1e999999999'"), "agents[0].values[0][1]"),
        (("'1'", "1979-05-27"), "agents[0].values[0][1]"), (("'1'", "0." + "1" * 200), "agents[0].values[0][1]"),
        (("types = ['v1', 'v2']", "types = ['v1', 'v2']\nprior = ['1/2', '1/3']"), "agents[0].prior"),
        (("types = ['v1', 'v2']", "types = ['v1', 'v2']\nprior = ['3/2', '-1/2']"), "agents[0].prior"),
        (("types = ['v1', 'v2']", "types = ['v1', 'v2']\nprior = [1]"), "agents[0].prior"),
        (("types = ['v1', 'v2']", "types = ['v1', 'v2']\nage = 7"), "age"),
        (("[[agents]]", "[agents]"), "the specification"), (("outcomes", "surprise = 1\noutcomes"), "surprise"),
        (("outcomes", "linear = {}\noutcomes"), "linear"), (("outcomes", "title = ''\noutcomes"), "title"),
        (("outcomes", "agents = 7\noutcomes"), "the specification"),
    ],
)  # fmt: skip
def test_hostile_specifications_are_refused_by_key(change, key):
    text = GOOD.replace(*change, 1)
    assert text != GOOD
    with refused(SpecError, "", key) as caught:
        parse_spec(text)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", ["", "a", "[[agents]]", "x = " + "[" * 5000, "\x00", "a = 1\na = 2", " " * (1 << 21)])
def test_texts_that_are_no_specification(text):
    with refused(SpecError):
        parse_spec(text)


def test_too_many_profiles_are_refused_before_they_are_built():
    with pytest.raises(SpecError, match="unknowns; at most"):
        parse_spec(auction(6, tuple(range(1, 20))))
    with pytest.raises(SpecError, match="agents is 7 entries"):
        parse_spec(auction(7, (1, 2)))


@settings(max_examples=300)
@given(st.integers(0, len(GOOD) - 1), st.text(max_size=4), st.integers(0, 6))
def test_a_damaged_file_is_read_or_refused(at, put, cut):
    """No other exception escapes, whatever a few characters become."""
    try:
        parse_spec(GOOD[:at] + put + GOOD[at + cut :])
    except SpecError as error:
        assert "\n" not in str(error)  # noqa: PT017


def test_files(tmp_path):
    path = tmp_path / "spec.toml"
    path.write_text(GOOD)
    assert read_spec(path) == parse_spec(GOOD)
    with pytest.raises(SpecError, match="cannot read"):
        read_spec(tmp_path / "none.toml")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match="cannot be read"):
        read_spec(path)
    path.write_text(" " * (1 << 21))
    with pytest.raises(SpecError, match="larger than"):
        read_spec(path)
