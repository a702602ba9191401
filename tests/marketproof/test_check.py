"""`check`: certificates of clearings and verdicts as files; what was changed is refused, sealed again or not."""

import copy
import itertools
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from mechanism import Market, Reports, market_mechanism
from mechanism.errors import InvalidMarketError
from mechanism.market.allocation.certificate_file import ClearingFile, certified, check_file, check_parts, digest_of
from mechanism.market.allocation.purchases import Purchases
from proofs_checks.evidence.recheck import contradictions
from tests.proofs_checks.changes import at, changed, leaves

RULES = ["ipfl-exact", "exact-marginal", "vcg-two-sided"]


def clearing(rule, m=6, seed=0):
    """The file of one certified clearing with penalties and effective sizes."""
    rng = np.random.default_rng(seed)
    d, e = rng.uniform(0, 1, (m, m)), rng.uniform(0, 800, (m, m))
    np.fill_diagonal(d, 0)
    reports = Reports(rng.uniform(50, 500, m), rng.uniform(0.1, 1, m), rng.uniform(1e3, 2e4, m))
    market, mechanism = Market(d, 0.3, effective=e), market_mechanism(rule)
    told, found = certified("abcdefgh"[:m], reports, market, mechanism.clear(reports, market), rule, mechanism.payment)
    assert found.proved
    return told


def another(value, rng):
    """Some other value of the same kind."""
    if isinstance(value, str):
        return value[:-1] + ("0" if value[-1:] != "0" else "1")
    if isinstance(value, int):
        return value + int(rng.choice([-1, 1]))
    return float(np.nextafter(value, np.inf)) if rng.random() < 0.5 else value + float(rng.normal())


@pytest.mark.parametrize("rule", RULES)
def test_any_change_is_refused_as_damage(rule):
    """Every number and word of a file, changed by the last bit or more: 1,000 and more changes, none accepted."""
    data, rng = clearing(rule), np.random.default_rng(1)
    assert check_file(data, "it").holds
    every = leaves(data)
    for _ in range(1 + 400 // len(every)):
        for path in every:
            with pytest.raises(InvalidMarketError):
                check_file(changed(data, path, another(at(data, path), rng)), "it")


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(4))
def test_false_money_and_purchases_are_refused_though_sealed_again(rule, seed):
    """The mathematics alone: money off by 2.1 tolerances or more, somebody bought more or less, a gap denied."""
    data, rng = clearing(rule, seed=seed), np.random.default_rng(seed)

    def refused(told):
        try:
            return not check_parts(ClearingFile.model_validate(told)).holds
        except InvalidMarketError:
            return True

    tolerance = check_parts(ClearingFile.model_validate(data)).tolerance.max()
    money = [path for path in leaves(data) if path[0] in ("prices", "centre", "sales")]
    for path in money * 8:
        wide = 2.1 if path[0] == "prices" else 20
        by = rng.choice([-1, 1]) * max(wide * tolerance, 10 ** rng.uniform(-8, 2))
        assert refused(changed(data, path, at(data, path) + by))
    m = len(data["clients"])
    for i in range(m):
        for j in set(range(m)) - {i}:
            told = copy.deepcopy(data)
            row, paid = told["imports"][i], told["prices"][i]
            if j in row:
                paid.pop(row.index(j))
                row.remove(j)
            else:
                row.append(j)
                row.sort()
                paid.insert(row.index(j), data["inputs"]["cost"][j])
            assert refused(told)


def nearby(value, rng):
    """Another value of the same kind: the next number, or one a little or far off."""
    if isinstance(value, str):
        return value + "x"
    if isinstance(value, int):
        return int(rng.integers(-1, 5))
    return float(rng.choice([np.nextafter(value, np.inf), value * (1 + 10 ** rng.uniform(-9, 0)), 0.0]))


def value(asks, i, chosen):
    """A set's gain, up to a constant, less its prices: by the paper's law, in plain sums."""
    data = asks.own[i] + sum(asks.size[i, j] for j in chosen)
    return -math.sqrt(asks.gain[i] / data) - sum(asks.price[i, j] for j in chosen)


@pytest.mark.parametrize("rule", RULES)
def test_what_is_accepted_though_changed_and_sealed_again_is_true(rule):
    """400 single changes anywhere, market and certificate, of each rule: refused, or true of the numbers there now."""
    data, rng = clearing(rule, m=5, seed=3), np.random.default_rng(3)
    every = [p for p in leaves(data) if p[0] not in ("format", "mechanism", "payment", "digest", "inputs_digest")]
    every = [p for p in every if p[:2] != ("inputs", "law")]
    accepted = 0
    for path in (every[k] for k in rng.integers(len(every), size=400)):
        told = changed(data, path, nearby(at(data, path), rng))
        try:
            found = check_parts(ClearingFile.model_validate(told))
        except (InvalidMarketError, ValueError):
            continue
        if not found.holds:
            continue
        accepted += 1
        given = told["inputs"]
        reports = Reports(*(np.array(given[name]) for name in ("size", "cost", "gain")))
        market = Market(np.array(given["differences"]), given["lam"], effective=np.array(given["effective"]))
        asks = Purchases.of(reports, market)
        slack = 1e-7
        for i, (row, paid) in enumerate(zip(told["imports"], told["prices"], strict=True)):
            pool = [j for j in range(5) if j != i]
            worth = {s: value(asks, i, s) for r in range(5) for s in itertools.combinations(pool, r)}
            top = max(worth.values())
            assert top - worth[tuple(row)] <= found.gap[i] + slack
            for j, price in zip(row, paid, strict=True):
                without = max(of for s, of in worth.items() if j not in s)
                rest = worth[tuple(k for k in row if k != j)]
                due = {"ipfl-exact": top - without, "exact-marginal": worth[tuple(row)] - rest, "vcg-two-sided": None}
                if due[rule] is not None:
                    assert abs(price - asks.cost[j] - due[rule]) <= 2 * found.gap[i] + slack
    assert 0 < accepted < 400


def test_a_file_is_of_one_clearing(cli, tmp_path):
    """Sealed parts of two clearings, another rule's name, no digest, no certificate: one line each, status 2."""
    one, two = clearing("ipfl-exact"), clearing("ipfl-exact", seed=5)

    def sealed(**parts):
        told = {**one, **parts}
        return {**told, "digest": digest_of({k: v for k, v in told.items() if k != "digest"})}

    cases = {
        "inputs of another": sealed(inputs=two["inputs"]),
        "another rule": sealed(mechanism="exact-marginal"),
        "unknown rule": sealed(mechanism="best-of-all"),
        "empty digest": {**one, "digest": ""},
        "another format": sealed(format="marketproof-clearing-2"),
        "deep": sealed(nodes=[0] * 3000),
        "nothing": {},
        "no tree": sealed(nodes=[], slopes=[], others=[]),
    }
    for name, told in cases.items():
        (tmp_path / "it.json").write_text(json.dumps(told))
        answer = cli("check", tmp_path / "it.json")
        assert (name, answer.status, answer.err.count("\n")) == (name, 2, 1)
    other = sealed(inputs=two["inputs"], inputs_digest=two["inputs_digest"])
    (tmp_path / "it.json").write_text(json.dumps(other))
    answer = cli("check", tmp_path / "it.json")
    assert answer.status == 1
    assert "may miss the optimum" in answer.err


def test_clear_writes_what_check_accepts(cli, tmp_path):
    table = tmp_path / "A.csv"
    table.write_text("client,size,cost,gain\nbuyer,100,0,3600\ndear,300,1.1,0\ncheap,300,1.0,0\n")
    proof, result = tmp_path / "A.json", tmp_path / "out.json"
    answer = cli("clear", table, "--certificate", proof, "--json", tmp_path / "clear.json")
    assert answer.status == 0
    assert "Proved by certificate" in " ".join(answer.out.split())
    assert json.loads((tmp_path / "clear.json").read_text())["audit"]["certificate"]["proved"]
    answer = cli("check", proof, "--json", result)
    assert answer.status == 0
    assert json.loads(result.read_text())["holds"]
    changed_price = json.loads(proof.read_text())
    changed_price["prices"][0][0] = 1.2
    proof.write_text(json.dumps(changed_price))
    answer = cli("check", proof)
    assert answer.status == 2
    assert "changed after it was written" in answer.err
    answer = cli("clear", table, "--certificate", table)
    assert answer.status == 2
    answer = cli("clear", table, "--mechanism", "posted-price", "--certificate", tmp_path / "no.json")
    assert answer.status == 2
    assert not (tmp_path / "no.json").exists()


@pytest.fixture(scope="module")
def verdicts(cli, tmp_path_factory):
    """Verdicts of all grades about the first-price auction and a market, as `verify --json` writes them."""
    folder = tmp_path_factory.mktemp("verdicts")
    told = []
    for name, asked in (("second-price", ["dsic", "split-proof", "group-dsic"]), ("ipfl-exact", ["split-proof=half"])):
        file = folder / f"{name}.json"
        asks = [part for prop in asked for part in ("--property", prop)]
        assert (
            cli("verify", name, *asks, "--budget", 60 if name == "ipfl-exact" else 6, "--json", file, "-q").status == 0
        )
        told.append(json.loads(file.read_text()))
    file = folder / "grid.json"
    exhausted = ("--property", "ir", "--grade", "exhausted", "--budget", 4)
    assert cli("verify", "second-price", *exhausted, "--json", file, "-q").status == 0
    told.append(json.loads(file.read_text()))
    return told


def test_verdicts_stand_and_a_refuted_variant_replays(cli, verdicts, tmp_path):
    grades = set()
    for told in verdicts:
        (tmp_path / "v.json").write_text(json.dumps(told))
        assert cli("check", tmp_path / "v.json").status == 0
        grades |= {verdict["grade"] for verdict in told["verdicts"]}
    assert grades >= {"proved", "searched", "refuted", "exhausted"}
    (tmp_path / "v.json").write_text(json.dumps(verdicts[1]))
    assert cli("replay", tmp_path / "v.json").status == 0


def test_verdicts_that_were_relabelled_emptied_or_mixed_do_not_stand(cli, verdicts, tmp_path):
    second, market, grid = verdicts

    def status(told, name, **parts):
        told = copy.deepcopy(told)
        verdict = next(v for v in told["verdicts"] if v["property"] == name)
        for path, value in parts.items():
            inner = verdict
            *keys, last = path.split("__")
            for key in keys:
                inner = inner[key]
            inner[last] = value
        (tmp_path / "v.json").write_text(json.dumps(told))
        answer = cli("check", tmp_path / "v.json")
        assert answer.err.count("\n") == (answer.status != 0)
        return answer.status

    refuted = next(v for v in second["verdicts"] if v["property"] == "group-dsic")
    proved = next(v for v in second["verdicts"] if v["property"] == "dsic")
    relabelled = [
        {"grade": "proved"}, {"grade": "proved", "holds": True}, {"grade": "proved", "holds": True, "witness": None},
        {"grade": "searched", "holds": True, "witness": None}, {"holds": True}, {"witness": None}, {"grade": "perfect"},
        {"grade": "proved", "holds": True, "witness": None, "evidence": proved["evidence"]},
        {"witness__digest": ""}, {"witness__sentence": "nothing"}, {"witness__mechanism": "first-price"},
        {"witness__violation": 2.0}, {"property": "group-dsic=weak"}, {"evidence": None}, {"statement": "it is fine"},
        {"witness": market["verdicts"][0]["witness"]},
    ]  # fmt: skip
    for parts in relabelled:
        assert status(second, "group-dsic", **parts) == 1, parts
    searched = [
        {"evidence__uniform_profiles": 10**9, "evidence__tried": 10**9}, {"evidence__share": 1e-9}, {"bound": "never"},
        {"evidence__tried": 0}, {"evidence__confidence": 0.5}, {"evidence__share": None}, {"grade": "exhausted"},
        {"grade": "proved"}, {"witness": refuted["witness"]}, {"evidence__uniform_profiles": "many"},
    ]  # fmt: skip
    for parts in searched:
        assert status(second, "split-proof", **parts) == 1, parts
    emptied = ({"evidence__certificate": {}}, {"evidence__certificate": None}, {"evidence__code": None})
    for parts in (*emptied, {"evidence__formula__name": "another"}, {"property": "group-dsic=weak"}):
        assert status(second, "dsic", **parts) == 1, parts
    for parts in ({"evidence__grid": ""}, {"evidence__profiles": 0}, {"grade": "proved"}):
        assert status(grid, "ir", **parts) == 1, parts
    assert status(market, "split-proof=half", witness__variant={}) == 1
    mixed = {**second, "verdicts": second["verdicts"] + market["verdicts"]}
    assert status(mixed, "split-proof=half") == 1
    assert status({**second, "verdicts": second["verdicts"] * 2}, "dsic") == 2
    assert status({**second, "mechanism": "first-price"}, "dsic") == 1
    assert status({**second, "mechanism": "mine.py:rule"}, "dsic") == 2


def test_code_proofs_are_checked_on_the_code_that_is_named(cli, tmp_path):
    """A certificate of regions stands for the code that it is about, and for no other."""
    from mechanism.catalogue import direct_mechanism
    from proofs_checks.evidence.grounds import proved_code
    from proofs_checks.evidence.recheck import About, recheck_all
    from proofs_checks.properties.registry import PROPERTY
    from proofs_checks.symbolic.prove import CodeProof, prove_code

    rule = direct_mechanism("second-price", 3)
    found = prove_code(rule, "dsic", 20.0)
    assert isinstance(found, CodeProof)
    words = f"{PROPERTY['dsic'].statement} [{PROPERTY['dsic'].formula}]"
    evidence = json.loads(json.dumps(proved_code(rule, PROPERTY["dsic"], found, 7)))
    told = {"property": "dsic", "grade": "proved", "holds": True, "statement": words, "evidence": evidence}
    told |= {"bound": None, "witness": None}
    for name, stands in (("second-price", True), ("first-price", False)):
        about = About(name, lambda agents, name=name: direct_mechanism(name, agents))
        assert (recheck_all([told], about)[0].wrong is None) == stands


def test_the_kernel_needs_coq_and_a_check_something_to_check(cli, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda tool: None)
    for arguments, said in (((), "nothing is to be checked"), (("--kernel",), "Coq is not installed here")):
        answer = cli("check", *arguments)
        assert answer.status == 2
        assert said in answer.err
        assert answer.err.strip().count("\n") == 0


def test_what_the_kernel_says_is_told(cli, monkeypatch):
    """That Coq accepts the proofs is tested beside them; here, that its answer decides."""
    monkeypatch.setattr("shutil.which", lambda tool: f"/bin/{tool}")
    for code, said in ((0, "7 theorems checked here"), (1, "the record's theorems are not what was checked here")):
        done = SimpleNamespace(returncode=code, stdout=said, stderr="")
        monkeypatch.setattr("subprocess.run", lambda *arguments, done=done, **more: done)
        answer = cli("check", "--kernel")
        assert answer.status == code
        assert said in " ".join((answer.out + answer.err).split())


def test_what_holds_beside_a_refuted_consequence_does_not_stand():
    """Implications are those of verify: a coalition of one is a coalition, what is dominant is expected."""

    def told(**grades):
        return [
            {"property": name.replace("_", "-"), "grade": grade, "holds": grade != "refuted", "evidence": {}}
            for name, grade in grades.items()
        ]

    assert [name for name, _ in contradictions(told(dsic="refuted", group_dsic="searched", ir="searched"))] == [
        "group-dsic"
    ]
    assert [name for name, _ in contradictions(told(bic="refuted", dsic="exhausted", group_dsic="searched"))] == [
        "dsic", "group-dsic",
    ]  # fmt: skip
    assert list(contradictions(told(group_dsic="refuted", dsic="searched", bic="searched", nothing="refuted"))) == []
