"""The audit reads the record alone: it finds the lies that are there, and does not believe what does not add up."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save

from analysis.run.files import RecordError
from analysis.run.market import MarketRecord, encode, stack
from analysis.run.records import read_market
from marketproof.running.finish import _worst, audit_method, audit_run
from mechanism import Market, Types, fixed_outcome, market_mechanism
from mechanism.market.settling import clear_and_settle, measure, objectives, sentences
from proofs_checks import Witness, replay

TRUTHFUL = Types([100, 300, 300], [0.0, 1.1, 1.0], [3600, 0, 0])
"""Theory, example 2: under the reference rule the second client gains 1.9 by saying 0.9."""

FREE = np.zeros((3, 3))


def record(types, mechanism, differences=FREE, lam=0.0, imports=None, present=None):
    market, reports = Market(differences, lam), types.truthful()
    flat = np.full(types.clients, 0.5)
    there = flat < 1 if present is None else np.array(present, dtype=bool)
    if mechanism is None:
        outcome = fixed_outcome(imports)
    else:
        outcome = clear_and_settle(market_mechanism(mechanism), reports, types, market, there)
    reached, optimal, gap = objectives(reports, outcome.imports, market, there)
    return MarketRecord.of(
        types, reports, market, outcome,
        objective=reached, optimal_objective=optimal, optimal_gap=gap, accuracy=flat, loss=flat, present=there,
    )  # fmt: skip


def recorded(tmp_path, *rounds, name="m"):
    path = tmp_path / f"{name}.safetensors"
    path.write_bytes(encode(stack(rounds)))
    return read_market(path)


def audited(mechanism, seeds, records):
    return audit_method(mechanism, seeds, records).model_dump()


def test_finds_the_lie_of_the_theory_and_a_witness_that_replays(tmp_path):
    calm = Types([100, 300, 300], [0.0, 5.0, 1.0], [0, 0, 0])
    told = audited(market_mechanism("ipfl"), [7], [recorded(tmp_path, record(calm, "ipfl"), record(TRUTHFUL, "ipfl"))])
    lie = told["best_lie"]["cost"]
    assert (lie["seed"], lie["round"], lie["client"], lie["truth"]) == (7, 2, 1, 1.1)
    assert lie["gain"] == pytest.approx(1.9, abs=1e-9)
    assert lie["gain"] == lie["utility_lying"] - lie["utility_truthful"]
    assert "client 1" in lie["sentence"]
    witness = Witness.from_dict(lie["witness"])
    assert replay(witness).reproduces
    assert told["lowest_utility"] == {"client": 0.0, "buyer": 0.0, "seller": 0.0}
    assert told["budget_imbalance"] == 0.0


def test_finds_no_lie_under_the_exact_rule_and_says_that_none_can_be_better(tmp_path):
    told = audited(market_mechanism("ipfl-exact"), [0], [recorded(tmp_path, record(TRUTHFUL, "ipfl-exact"))])
    lie = told["best_lie"]["cost"]
    assert (lie["gain"], lie["witness"]) == (0.0, None)
    assert lie["deviations"] > 0
    assert "no other report could do better" in lie["sentence"]
    assert told["reproduced"] is True


@pytest.mark.parametrize("mechanism", ["ipfl", "realised-bilateral"])
def test_a_lie_about_a_gain_or_a_size_is_called_that_by_replay(cli, tmp_path, mechanism):
    types = Types([100, 300, 250], [0.3, 1.1, 0.4], [9e3, 4e3, 2e4])
    told = audited(market_mechanism(mechanism), [0], [recorded(tmp_path, record(types, mechanism))])
    path = tmp_path / "audit.json"
    path.write_text(json.dumps({"methods": {"ipfl": told}}))
    paying = [name for name, lie in told["best_lie"].items() if lie["witness"] is not None]
    assert {"gain", "size"} <= set(paying)
    answer = cli("replay", path)
    assert (answer.status, answer.err) == (0, "")
    for name in paying:
        assert told["best_lie"][name]["witness"]["property"] == f"dsic-{name}"
        assert f"dsic-{name} under {mechanism}" in " ".join(answer.out.split())


def test_the_best_lie_is_the_best_of_all_seeds(tmp_path):
    calm = recorded(tmp_path, record(Types([100, 300, 300], [0.0, 5.0, 1.0], [0, 0, 0]), "ipfl"), name="a")
    lively = recorded(tmp_path, record(TRUTHFUL, "ipfl"), name="b")
    told = audited(market_mechanism("ipfl"), [3, 4, 5], [calm, lively, calm])
    assert told["best_lie"]["cost"]["seed"] == 4


def test_reports_the_gap_of_a_rule_that_stops_too_early(tmp_path):
    market = Types([100, 10000, 300], [0.0, 7.0, 1.0], [3600, 0, 0])
    told = audited(market_mechanism("ipfl"), [0], [recorded(tmp_path, record(market, "ipfl"))])
    assert (told["objective"], told["optimal_objective"]) == pytest.approx((0.0, 2.0), abs=1e-9)
    assert told["optimality_gap"] == pytest.approx(2.0, abs=1e-9)


def test_says_who_loses_where_nobody_pays(tmp_path):
    everyone = ~np.eye(3, dtype=bool)
    told = audited(None, [0], [recorded(tmp_path, record(TRUTHFUL, None, imports=everyone))])
    assert told["best_lie"] == {"cost": None, "gain": None, "size": None}
    assert told["lowest_utility"]["client"] == pytest.approx(-2.2)
    assert told["lowest_utility"]["seller"] == pytest.approx(-2.2)
    assert any("Somebody loses" in sentence for sentence in told["words"])


def test_lies_of_a_round_with_absences_are_those_of_who_is_there(tmp_path):
    """Theory, example 2, with a stranger between buyer and sellers who sells for nothing, but is not there."""
    types = Types([100, 900, 300, 300], [0.0, 0.0, 1.1, 1.0], [3600, 9e9, 0, 0])
    there, calm = [True, False, True, True], Types([100, 900, 300, 300], [0.0, 5.0, 5.0, 1.0], [0, 0, 0, 0])
    rounds = [record(calm, "ipfl", np.zeros((4, 4))), record(types, "ipfl", np.zeros((4, 4)), present=there)]
    told = audited(market_mechanism("ipfl"), [7], [recorded(tmp_path, *rounds)])
    lie = told["best_lie"]["cost"]
    assert (lie["round"], lie["client"], lie["present"]) == (2, 2, [0, 2, 3])
    assert lie["gain"] == pytest.approx(1.9, abs=1e-9)
    assert "client 2" in lie["sentence"]
    witness = Witness.from_dict(lie["witness"])
    assert witness.case.types[0, :, 0].tolist() == [100.0, 300.0, 300.0]
    assert witness.case.deviators.tolist() == [[False, True, False]]
    assert replay(witness).reproduces
    assert told["reproduced"] is True
    assert told["optimal_objective"] == pytest.approx(2.0)


def test_a_seed_in_which_nobody_met_hides_no_lie_of_another(tmp_path):
    lonely = recorded(tmp_path, record(TRUTHFUL, "ipfl", present=[True, False, False]), name="a")
    lively = recorded(tmp_path, record(TRUTHFUL, "ipfl"), name="b")
    told = audited(market_mechanism("ipfl"), [0, 1], [lonely, lively])
    assert told["best_lie"]["cost"]["seed"] == 1
    calm = Types([100, 300, 300], [0.0, 5.0, 1.0], [0, 0, 0])
    quiet = recorded(tmp_path, record(calm, "ipfl"), name="c")
    assert audited(market_mechanism("ipfl"), [0, 1], [lonely, quiet])["best_lie"]["cost"]["seed"] == 1
    told = audited(market_mechanism("ipfl"), [0], [lonely])
    assert told["best_lie"] == {"cost": None, "gain": None, "size": None}
    assert "No lie was searched for: no two clients ever met." in told["words"]
    assert told["reproduced"] is True


def test_the_centre_of_a_two_sided_rule_counts_for_both_roles(tmp_path):
    told = audited(market_mechanism("vcg-two-sided"), [0], [recorded(tmp_path, record(TRUTHFUL, "vcg-two-sided"))])
    assert told["budget_imbalance"] == pytest.approx(0.1)
    assert min(told["lowest_utility"].values()) >= 0.0
    assert "The books miss balance: the centre pays in 0.1." in told["words"]


def test_a_centre_that_pays_in_here_and_keeps_there_is_told_both_ways(tmp_path):
    """Two sellers: one of them missed by 0.1; one seller, missed by nothing, and a penalty that the centre keeps."""
    alone = Types([100, 300, 300], [0.0, 1.0, 1.0], [90000, 0, 0])
    d = np.full((3, 3), 0.5) * ~np.eye(3, dtype=bool)
    rounds = [record(TRUTHFUL, "vcg-two-sided", d, 1e-9), record(alone, "vcg-two-sided", d, 1.0)]
    kept = [float(one.outcome.centre.sum()) for one in rounds]
    assert kept[0] == pytest.approx(-0.1)
    assert kept[1] > 0.1
    promises = [measure(r.types, r.outcome, r.market, r.objective, r.optimal_objective)[0] for r in rounds]
    worst = _worst(promises)
    assert (worst.pays_in, worst.keeps) == pytest.approx((0.1, kept[1]))
    expected = f"the centre pays in up to 0.1 in one clearing and keeps up to {kept[1]:.6g} in another."
    assert f"The books miss balance: {expected}" in sentences(worst, clearings=2)


def test_a_price_that_was_changed_in_the_record_is_noticed(tmp_path):
    one = recorded(tmp_path, record(TRUTHFUL, "ipfl-exact"))
    told = audited(market_mechanism("ipfl-exact"), [0], [replace(one, prices=one.prices * 2.0)])
    assert told["reproduced"] is False
    assert any("does NOT" in sentence for sentence in told["words"])


def test_a_record_reads_back_to_the_bit(tmp_path):
    d = np.array([[0.0, 0.3, 0.7], [0.3, 0.0, 1.9], [0.7, 1.9, 0.0]])
    one = record(TRUTHFUL, "ipfl-exact", d, 0.25)
    back = recorded(tmp_path, one, one)
    assert back.rounds == 2
    assert np.array_equal(back.outcome.prices[1], one.outcome.prices)
    assert np.array_equal(back.outcome.imports[1], one.outcome.imports)
    assert np.array_equal(back.market.differences[0], d)
    assert back.market.lam == 0.25


def test_damaged_records_are_told_in_a_line(tmp_path):
    with pytest.raises(RecordError, match=r"manifest\.json: no such file"):
        audit_run(tmp_path)
    told = {"methods": ["ipfl"], "mechanisms": {"ipfl": "ipfl"}, "seeds": [0], "clients": 3}
    (tmp_path / "manifest.json").write_text(json.dumps(told))
    with pytest.raises(RecordError, match="ipfl-0"):
        audit_run(tmp_path)
    (tmp_path / "markets").mkdir()
    path = tmp_path / "markets" / "ipfl-0.safetensors"
    path.write_bytes(b"\xff" * 100)
    with pytest.raises(RecordError, match="the file is damaged"):
        audit_run(tmp_path)
    arrays = stack([record(TRUTHFUL, "ipfl")]).tensors()
    del arrays["prices"]
    path.write_bytes(save(arrays))
    with pytest.raises(RecordError, match="tensor 'prices' is missing"):
        audit_run(tmp_path)


@pytest.mark.parametrize("mechanism", ["ipfl-exact", "exact-marginal", "vcg-two-sided", "realised"])
def test_recorded_clearings_are_proved_by_certificate(tmp_path, mechanism):
    """With absences and penalties; what was changed in the record is not proved, whatever the rule would do again."""
    rng = np.random.default_rng(0)
    types = Types(rng.uniform(50, 500, 5), rng.uniform(0.1, 1, 5), rng.uniform(1e3, 2e4, 5))
    differences = rng.uniform(0, 1, (5, 5)) * (1 - np.eye(5))
    rounds = [
        record(types, mechanism, differences, 0.3, present=there) for there in ([1] * 5, [1, 0, 1, 1, 1], [0] * 5)
    ]
    rule, market = market_mechanism(mechanism), recorded(tmp_path, *rounds)
    told = audited(rule, [0], [market])
    assert {key: told["certified"][key] for key in ("clearings", "checked", "proved")} == {
        "clearings": 3, "checked": 3, "proved": 3,
    }  # fmt: skip
    assert told["certified"]["words"] in told["words"]
    i, j = np.argwhere(market.imports[1])[0]
    imports = market.imports.copy()
    imports[1, i, j] = False
    assert audited(rule, [0], [replace(market, imports=imports)])["certified"]["proved"] == 2
    if mechanism != "realised":
        part = "sales" if mechanism == "vcg-two-sided" else "prices"
        money = getattr(market, part).copy()
        money[(0, j) if part == "sales" else (0, *np.argwhere(market.imports[0])[0])] += 1e-6
        assert audited(rule, [0], [replace(market, **{part: money})])["certified"]["proved"] == 2
    assert audited(market_mechanism("ipfl"), [0], [recorded(tmp_path, record(TRUTHFUL, "ipfl"))])["certified"] is None


def test_an_audit_that_was_left_out_is_said_to_be_and_checked_as_such(cli, tmp_path, monkeypatch):
    for costly in ("best_lie", "certified", "_reproduces"):
        monkeypatch.setattr(f"marketproof.running.finish.{costly}", lambda *given: pytest.fail("audited"))
    out = tmp_path / "run"
    answer = cli("run", "digits-niid", "--methods", "local,ipfl", "--scale", "smoke", "--no-audit", "--out", out)
    assert answer.status == 0, answer.err
    said = "No lie was searched for: the audit was left out (--no-audit), and nothing was cleared again or certified."
    assert f"ipfl: {said}" in " ".join(answer.out.split())
    audit = json.loads((out / "audit.json").read_text())["methods"]
    assert said in audit["ipfl"]["words"]
    assert (audit["ipfl"]["reproduced"], audit["ipfl"]["certified"]) == (None, None)
    assert not any("No lie" in line for line in audit["local"]["words"])
    assert audit["ipfl"]["lowest_utility"]["client"] is not None
    assert "the audit was left out" in (out / "report.html").read_text()
    assert cli("check", out).status == 0
