"""A run on effective data, from the command line to its record, its audit, and going on after a kill."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from analysis.findings.rules.regions import all_regions
from analysis.playground.recorded import Place, first_place, state_of, words
from analysis.playground.state import PlayError, from_json, from_query, to_json, to_query
from analysis.run.files import RecordError
from analysis.run.records import read_market, read_run
from learning.valuation.peers import Peers
from mechanism.market.accounting import MONEY
from mechanism.market.gains import SqrtGain
from mechanism.market.mechanisms import market_mechanism
from mechanism.wording import number
from tests.marketproof.conftest import command

METHODS = (
    "ipfl-effective/ipfl-exact,ipfl-effective/pooled-price,ipfl-effective/realised,ipfl-effective/ipfl-exact-earned"
)


RUN = (
    "run", "digits-skew", "--population", "attackers-flip", "--clients", 6, "--steps", 30, "--backend", "rows",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("effective") / "run"
    answer = command(*RUN, "--methods", METHODS, "--rounds", 3, "--out", out)
    assert answer.status == 0, answer.err
    return out


def audit(folder):
    return json.loads((folder / "audit.json").read_text())["methods"]


def record(folder, mechanism):
    return read_market(folder / "markets" / f"ipfl-effective__{mechanism}-0.safetensors")


def test_effective_data_are_recorded_and_the_audit_clears_on_them(folder):
    assert all(method["reproduced"] for method in audit(folder).values())
    priced = audit(folder)["ipfl-effective/pooled-price"]
    assert all(priced["best_lie"][coordinate]["gain"] <= MONEY for coordinate in ("cost", "gain", "size"))
    for mechanism in ("ipfl-exact", "pooled-price"):
        one = record(folder, mechanism)
        e = one.market.effective
        assert e.shape == (3, 6, 6)
        assert not e[0].any()
        assert e.any()
        assert not one.imports[e == 0].any()
        total = one.size + (one.imports * e).sum(-1)
        np.testing.assert_allclose(one.accounts.gain, SqrtGain().value(one.gain, one.size, total))
        junk = one.roles[0] == 4
        assert junk.sum() == 1
        assert not one.imports[..., junk].any()
        assert not one.accounts.received[:, junk].any()


def test_the_scope_is_that_of_measured_sizes_and_of_each_kind_where_there_are_two(folder, tmp_path):
    told = json.loads((folder / "audit.json").read_text())["scope"]
    assert told.startswith("Truthfulness is claimed for one clearing with the effective sizes and the model differ")
    out = tmp_path / "both"
    both = "ipfl-effective/pooled-price,local,ipfl/pooled-price,ipfl-effective/ipfl-exact"
    assert command(*RUN, "--methods", both, "--scale", "smoke", "--out", out).status == 0
    first, second = json.loads((out / "audit.json").read_text())["scope"].split(" Under ")
    measured = "Under ipfl-effective/pooled-price and ipfl-effective/ipfl-exact: Truthfulness is claimed"
    assert first.startswith(f"{measured} for one clearing with the effective sizes and the model differences given")
    assert second.startswith("ipfl/pooled-price: Truthfulness is claimed for one clearing with the model differences")


def test_realised_settles_on_gains_that_were_measured_after_mixing(folder):
    one = record(folder, "realised")
    np.testing.assert_array_equal(one.accounts.gain, one.gained)
    bought = one.imports.any(-1)
    assert bought.any()
    assert not one.gained[~bought].any()
    law = SqrtGain().value(one.gain, one.size, one.size + (one.imports * one.market.effective).sum(-1))
    assert not np.allclose(one.gained, law)
    off = (one.gained - law).sum(-1)
    (words,) = [w for w in audit(folder)["ipfl-effective/realised"]["words"] if "measured when models" in w]
    assert f"up to {number(max(0.0, -off.min()))} less and {number(max(0.0, off.max()))} more than" in words
    assert not any("measured when models" in w for w in audit(folder)["ipfl-effective/ipfl-exact"]["words"])


def test_what_is_earned_follows_what_models_brought_and_nobody_loses(folder):
    cleared, one = record(folder, "ipfl-exact"), record(folder, "ipfl-exact-earned")
    np.testing.assert_array_equal(one.imports, cleared.imports)
    np.testing.assert_array_equal(one.accuracy, cleared.accuracy)  # only money differs
    brought, surprise, peers = one.valuation["brought"], one.valuation["surprise"], Peers(6)
    fell, used = one.loss_trained - one.loss, one.loss != one.loss_trained
    assert (brought[used] > 0).any()
    assert not brought[~used].any()
    assert used.any()
    assert np.corrcoef(brought[used], fell[used])[0, 1] > 0.3
    for k in range(3):
        np.testing.assert_array_equal(surprise[k], peers.surprise(brought[k], one.imports[k]))
        peers.seen(brought[k], one.imports[k])
    more = one.accounts.paid - cleared.accounts.paid
    assert (np.sign(more) == np.sign(surprise))[np.abs(more) > 1e-12].all()
    assert np.abs(more).max() > 0.01
    assert not (one.prices < one.cost[:, None, :] - MONEY)[one.imports].any()
    assert one.accounts.utility.min() >= -MONEY
    (words,) = [w for w in audit(folder)["ipfl-effective/ipfl-exact-earned"]["words"] if "settled on what models" in w]
    assert f"{number(float(surprise[one.imports.any(-1)].max()))} at most" in words


@pytest.mark.usefixtures("undrawn")
def test_a_run_that_goes_on_expects_what_one_run_does(folder, tmp_path):
    short = (*RUN, "--methods", "ipfl-effective/ipfl-exact-earned", "--rounds", 2, "--no-audit", "--out")
    assert command(*short, tmp_path / "short").status == 0
    longer = ("run", "--continue", tmp_path / "short", "--rounds", 3, "--quiet", "--out", tmp_path / "longer")
    assert command(*longer).status == 0
    one, other = record(folder, "ipfl-exact-earned"), record(tmp_path / "longer", "ipfl-exact-earned")
    np.testing.assert_array_equal(one.valuation["surprise"], other.valuation["surprise"])
    np.testing.assert_array_equal(one.prices, other.prices)
    afresh = Peers(6).surprise(one.valuation["brought"][2], one.imports[2])
    assert not np.array_equal(afresh, one.valuation["surprise"][2])  # what was found before counts


def test_what_is_earned_needs_a_measurement():
    answer = command("run", "digits-skew", "--methods", "ipfl/ipfl-exact-earned")
    assert answer.status == 2
    assert "does not measure what models bring" in " ".join(answer.err.split())
    answer = command("clear", "nothing.csv", "--mechanism", "clock-price-earned")
    assert answer.status == 2
    assert "expected --mechanism clock-price, " in " ".join(answer.err.split())


def test_lies_on_it_are_replayed(folder):
    lies = audit(folder)["ipfl-effective/ipfl-exact"]["best_lie"]
    assert any(lie["witness"] for lie in lies.values())
    answer = command("replay", folder / "audit.json")
    assert (answer.status, answer.err) == (0, "")
    assert "NOT reproduced" not in answer.out


def test_the_playground_shows_its_clearings_as_they_were(folder):
    run, place = read_run(folder), Place("ipfl-effective/pooled-price", 0, 3)
    assert first_place(run) == Place("ipfl-effective/ipfl-exact", 0, 3)
    state, one = state_of(run, place), run.market_round("ipfl-effective/pooled-price", 0, 3)
    np.testing.assert_allclose(state.market().effective, one.market.effective, rtol=1e-8)
    outcome = market_mechanism("pooled-price").clear(state.types().truthful(), state.market())
    np.testing.assert_array_equal(outcome.imports, one.imports)
    assert from_json(to_json(state)).effective == from_query(to_query(state)).effective == state.effective
    assert "was measured in the run, not reported" in words(run, place)
    with pytest.raises(PlayError, match="effective: expected 6 rows of 6 numbers"):
        from_query({**to_query(state), "effective": "[[0]]"})


def test_regions_are_those_of_what_was_measured(folder):
    run = read_run(folder)
    regions = all_regions(run)
    one = run.market_round("ipfl-effective/ipfl-exact", 0, 3)
    for region in regions:
        assert "round 3" in region.where
        assert all(one.market.effective[region.buyer, seller] > 0 for seller in region.sellers)
        assert np.ptp(region.bought) > 0
    assert regions[0].bought[0, 0] == 3  # for nothing, the exact rule buys both


@pytest.mark.usefixtures("undrawn")
def test_private_training_and_clients_who_leave_go_with_it(tmp_path, monkeypatch):
    monkeypatch.setenv("MARKETPROOF_KEYS", str(tmp_path / "keys"))
    options = ["--clients", 4, "--rounds", 3, "--steps", 5, "--backend", "rows", "--dp-epsilon", 8]
    out = tmp_path / "run"
    answer = command(
        "run", "digits-skew", "--methods", "ipfl-effective/clock-price", "--population", "dropout-strict", *options,
        "--out", out,
    )  # fmt: skip
    assert answer.status == 0, answer.err
    assert "measured on held-out samples, such as effective data with the imports" in " ".join(answer.out.split())
    spent = json.loads((out / "summary.json").read_text())["methods"]["ipfl-effective/clock-price"]["epsilon"]
    assert 0 < spent <= 8
    assert audit(out)["ipfl-effective/clock-price"]["reproduced"]
    one = record(out, "clock-price")
    assert np.array_equal(one.leaving, one.present & (one.accounts.utility < -MONEY))  # nobody loses, so nobody leaves


def test_a_record_whose_effective_data_do_not_fit_is_refused(folder, tmp_path):
    tensors = load_file(folder / "markets" / "ipfl-effective__ipfl-exact-0.safetensors")
    for e in (tensors["valuation_effective"][..., :5], -1.0 - tensors["valuation_effective"]):
        save_file({**tensors, "valuation_effective": np.ascontiguousarray(e)}, tmp_path / "m.safetensors")
        with pytest.raises(RecordError, match="effective"):
            read_market(tmp_path / "m.safetensors")
