"""Runs whose gains are measured: one law for all rounds, accounts by that law, and what the audit says of it."""

import json

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file, save

from analysis.run.records import read_market
from learning.trainer import Trainer
from learning.valuation import Valuation, value
from learning.valuation.curves import Curve
from marketproof.running.config import load_task, overridden, resolve
from marketproof.running.execution import Place, run
from marketproof.running.finish import audit_run, valuations
from marketproof.running.loop import Valuer
from mechanism import Types
from mechanism.errors import MarketProofError
from mechanism.market.accounting import MONEY
from mechanism.market.gains import PowerGain, TableGain
from tests.analysis.synthetic import forget_digests
from tests.marketproof.conftest import Killed, command, dying

pytestmark = pytest.mark.usefixtures("quick")

TASK = """
[data]
dataset = "digits"
clients = 5
[split]
kind = "niid"
beta = 100.0
[model]
name = "mlp"
[training]
batch = 32
[market]
lam = 0.01
eta = 5.0
cost = [0.005, 0.01]
gain = 1.5e4
[scale.smoke]
rounds = 3
steps = 10
"""
"""Alike clients and cheap models: small measured gains are worth a price, and there is trade."""

METHODS = "fedavg,ipfl/ipfl-exact"
MARKET = "markets/ipfl__ipfl-exact-0.safetensors"


@pytest.fixture(scope="module", params=["measured", "fitted"])
def valued(request, tmp_path_factory):
    """A run of each valuation, from the command line."""
    root = tmp_path_factory.mktemp(request.param)
    (root / "valued.toml").write_text(TASK)
    answer = command(
        "run", root / "valued.toml", "--valuation", request.param, "--methods", METHODS, "--backend", "rows",
        "--out", root / "run",
    )  # fmt: skip
    assert (answer.status, answer.err) == (0, "")
    return request.param, root / "run"


def law_value(kind, arrays, unit, own, total):
    """The gain of a total over one's own data by the recorded law, written down plainly."""
    if kind == "fitted":
        e = float(arrays["valuation_exponent"][0])
        return (unit / own) ** e - (unit / total) ** e
    x, y = arrays["valuation_knots"][0]
    used = x > 0
    table = lambda t: np.interp(t, x[used], y[used])  # noqa: E731
    return unit * (table(total) - table(own))


def test_there_is_trade_and_its_accounts_follow_from_the_law(valued):
    kind, folder = valued
    arrays = load_file(folder / MARKET)
    rounds = pl.read_parquet(folder / "rounds.parquet").filter(pl.col("method") == "ipfl/ipfl-exact")
    ledger = pl.read_parquet(folder / "ledger.parquet").filter(pl.col("method") == "ipfl/ipfl-exact")
    assert ledger.height > 0
    assert rounds["gain"].max() > 0
    imports, size, cost, gain = (arrays[name].astype(float) for name in ("imports", "size", "cost", "gain"))
    total = size + (imports * size[:, None, :]).sum(-1)
    for row in rounds.to_dicts():
        r, i = row["round"] - 1, row["client"]
        expected = law_value(kind, arrays, gain[r, i], size[r, i], total[r, i])
        assert row["gain"] == pytest.approx(expected, rel=1e-9, abs=1e-12)
        assert row["cost"] == pytest.approx(cost[r, i] * imports[r, :, i].sum())
        assert row["paid"] == pytest.approx(arrays["prices"][r, i].sum())
        assert row["received"] == pytest.approx(arrays["prices"][r, :, i].sum())
        money = row["gain"] - row["cost"] - row["paid"] + row["received"]
        assert row["utility"] == pytest.approx(money, abs=1e-12)
        root = np.sqrt(gain[r, i] / size[r, i]) - np.sqrt(gain[r, i] / total[r, i])
        assert total[r, i] == size[r, i] or abs(row["gain"] - root) > 1e-6  # and not from the paper's law


def test_the_summary_counts_utilities_by_the_law(valued):
    told = json.loads((valued[1] / "summary.json").read_text())["methods"]
    rounds = pl.read_parquet(valued[1] / "rounds.parquet")
    for name, figures in told.items():
        mine = rounds.filter(pl.col("method") == name)
        assert figures["utility_mean"] == pytest.approx(mine["utility"].mean())
        assert figures["welfare"] == pytest.approx((mine["gain"] - mine["cost"]).sum())


def before_buying(curve):
    """The sets that were tried before the market cleared: all but the last column."""
    return Curve(curve.own, curve.start, curve.total[:, :-1], curve.drop[:, :-1])


def test_what_was_bought_is_measured_and_bounds_what_a_buyer_may_lose(valued):
    kind, folder = valued
    arrays, record = load_file(folder / MARKET), read_market(folder / MARKET)
    bought = 0
    for r, valuation in enumerate(valuations(record)):
        curve, size = valuation.curve, record.types.size[r]
        for i, row in enumerate(record.outcome.imports[r]):
            expected = size[i] + size[row].sum() if row.any() else 0.0
            assert curve.total[i, -1] == expected
            if row.any():
                bought += 1
                law = law_value(kind, arrays, valuation.gain[i], size[i], expected)
                measured = valuation.worth[i] * curve.drop[i, -1]
                assert law - valuation.under[i] <= measured + 1e-9 <= law + valuation.over[i] + 2e-9
    assert bought


def test_no_bound_is_claimed_where_nobody_reports(valued):
    told = audit_run(valued[1]).as_json()["methods"]["fedavg"]
    assert told["premise"]["kind"] == valued[0]
    assert told["premise"]["regret"] is None
    assert not any("a false cost gains" in line for line in told["words"])


def test_the_law_is_the_same_in_all_rounds_and_rests_on_the_first(valued):
    kind, folder = valued
    record = read_market(folder / MARKET)
    first, *others = valuations(record)
    assert len(others) == 2
    assert isinstance(first.law, TableGain if kind == "measured" else PowerGain)
    assert record.market.law == first.law
    config = resolve(str(folder.parent / "valued.toml"), load_task(str(folder.parent / "valued.toml")), options())
    assert config.market.gain == (1.5e4, 1.5e4)
    again = value(kind, np.full(5, 1.5e4), before_buying(first.curve), 0, record.types.size[0])
    assert again.law == first.law
    assert np.array_equal(again.gain, first.gain)
    assert np.array_equal(record.types.gain, np.tile(first.gain, (3, 1)))
    for later in others:
        assert later.law == first.law
        assert np.array_equal(later.gain, first.gain)
        assert not np.array_equal(later.curve.drop, first.curve.drop)  # measured anew, and held against the law
        assert np.array_equal(later.over, first.against(later.curve).over)
    fedavg = read_market(folder / "markets" / "fedavg-0.safetensors")
    same = before_buying(valuations(fedavg)[0].curve)
    assert np.array_equal(same.drop, before_buying(first.curve).drop)  # the first round is the same for all


def options(**changes):
    given = {"seed": 0, "seeds": 1, "methods": ["ipfl/ipfl-exact"], "mechanism": "ipfl-exact"}
    return {**given, **changes}


def test_departures_are_the_largest_distance_from_what_was_measured(valued):
    kind, folder = valued
    arrays, record = load_file(folder / MARKET), read_market(folder / MARKET)
    worth = np.sqrt(1.5e4 / record.types.size[0].mean())
    for number, valuation in enumerate(valuations(record)):
        curve = valuation.curve
        assert curve.sets >= 5 * 4
        for i in range(5):
            errors = [0.0]
            for x, drop in zip(curve.total[i], curve.drop[i], strict=True):
                if x:
                    law = law_value(kind, arrays, valuation.gain[i], curve.own[i], x)
                    errors.append(worth * drop - law)
            assert valuation.over[i] == pytest.approx(max(errors), abs=1e-9), (number, i)
            assert valuation.under[i] == pytest.approx(-min(errors), abs=1e-9), (number, i)


def test_the_audit_tells_the_premise_of_the_worst_round(valued):
    kind, folder = valued
    audit, record = audit_run(folder).as_json(), read_market(folder / MARKET)
    assert audit == json.loads((folder / "audit.json").read_text())
    told = audit["methods"]["ipfl/ipfl-exact"]
    premise = told["premise"]
    regret = max(float((v.over + v.under).max()) for v in valuations(record))
    worst = max(valuations(record), key=lambda v: float((v.over + v.under).max()))
    assert premise["kind"] == kind
    assert premise["regret"] == pytest.approx(regret)
    assert regret > 0
    assert premise["cost_regret"] == 0.0
    assert premise["lowest_utility"] == pytest.approx(-worst.under.max())
    assert premise["welfare"] == pytest.approx((worst.over + worst.under).sum())
    assert premise["words"] == worst.sentences()
    assert all(line in told["words"] for line in premise["words"])
    assert set(premise["fit"]) >= {"residual", "explained"}
    assert told["reproduced"] is True
    assert told["best_lie"]["cost"]["gain"] <= MONEY
    assert told["lowest_utility"]["client"] >= -MONEY
    assert told["optimality_gap"] <= MONEY


def test_a_lie_of_such_a_market_replays_by_its_law(valued, cli):
    _, folder = valued
    assert any(
        lie is not None and lie["witness"]
        for lie in audit_run(folder).as_json()["methods"]["ipfl/ipfl-exact"]["best_lie"].values()
    )
    answer = cli("replay", folder / "audit.json")
    assert answer.status == 0
    assert "reproduced to the bit" in answer.out


def test_the_record_reads_back_to_the_same_valuations(valued):
    _, folder = valued
    arrays = load_file(folder / MARKET)
    for number, valuation in enumerate(valuations(read_market(folder / MARKET))):
        for name, array in valuation.arrays().items():
            np.testing.assert_array_equal(array, arrays[name][number], err_msg=name)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda a: a.pop("valuation_gain"),
        lambda a: a.update(valuation_kind=a["valuation_kind"] * 0 + 7.0),
        lambda a: a.update(valuation_exponent=a["valuation_exponent"] - 9.0, valuation_knots=-a["valuation_knots"]),
        lambda a: a.update(valuation_worth=a["valuation_worth"] * np.nan),
        lambda a: a.update(valuation_total=a["valuation_total"][:, :2]),
    ],
)
def test_a_damaged_valuation_is_told_in_one_line(valued, tmp_path, spoil):
    _, folder = valued
    arrays = load_file(folder / MARKET)
    spoil(arrays)
    (tmp_path / "run" / "markets").mkdir(parents=True)
    for name in ("config.toml", "manifest.json", "summary.json", "audit.json", "rounds.parquet", "ledger.parquet",
                 "markets/fedavg-0.safetensors"):  # fmt: skip
        (tmp_path / "run" / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "run" / MARKET).write_bytes(save(arrays))
    forget_digests(tmp_path / "run")
    with pytest.raises(MarketProofError) as caught:
        audit_run(tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert "run again into a new folder" in str(caught.value)


@pytest.mark.parametrize("fatal", [1, 2, 3, 5])
def test_a_killed_valued_run_goes_on_to_the_same_bits(valued, tmp_path, monkeypatch, fatal):
    kind, whole = valued
    path = str(whole.parent / "valued.toml")
    config = resolve(path, load_task(path), options(methods=METHODS.split(","), valuation=kind))
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        dying(patch, Trainer, "evaluate", fatal)
        with pytest.raises(Killed):
            run(config, folder, Place("rows"), resume=False, quiet=True)
    run(config, folder, Place("rows"), resume=True, quiet=True)
    for name in (MARKET, "markets/fedavg-0.safetensors", "models/fedavg-0.safetensors", "rounds.parquet",
                 "ledger.parquet", "audit.json", "config.toml"):  # fmt: skip
        assert (folder / name).read_bytes() == (whole / name).read_bytes(), name


def test_what_is_held_out_counts_as_a_clients_data(valued):
    """The sizes of the market are all samples of a client: what it holds out is still its data."""
    _, folder = valued
    record = read_market(folder / MARKET)
    assert record.types.size[0].sum() == 1438
    assert (valuations(record)[0].curve.own == record.types.size[0]).all()


def arrived(kind, folder, **changes):
    text = TASK.replace("rounds = 3", "rounds = 2").replace("steps = 10", "steps = 2")
    path = folder / "task.toml"
    path.write_text(text)
    values = resolve(str(path), load_task(str(path)), options(valuation=kind)).model_dump()
    return overridden({**values, "population": {**values["population"], **changes}}, {})


@pytest.mark.parametrize("kind", ["measured", "fitted"])
@pytest.mark.parametrize("here", [0, 1, 4])
def test_a_first_round_with_few_or_nobody_still_gives_a_law(kind, here, tmp_path):
    """What was never measured is worth nothing: the law is flat, which is said, and the run goes on."""
    schedule = [[client, 2, 0] for client in range(here, 5)]
    config = arrived(kind, tmp_path, schedule=schedule)
    finished = run(config, tmp_path / "run", Place("rows"), resume=False, quiet=True)
    record = read_market(tmp_path / "run" / MARKET)
    assert record.present.sum(1).tolist() == [here, 5]
    first = valuations(record)[0]
    assert not first.curve.tried[~record.present[0]].any()
    assert valuations(record)[1].curve.tried.any(axis=1).all()
    words = finished.audit.as_json()["methods"]["ipfl/ipfl-exact"]["words"]
    if here < 2:
        assert first.curve.sets == 0
        assert first.flat
        assert not record.outcome.imports.any()
        assert any("the law is flat" in line for line in words)
    else:
        assert first.curve.sets >= 4 * 3


def test_a_size_valuation_records_none(tmp_path):
    config = arrived("size", tmp_path)
    finished = run(config, tmp_path / "run", Place("rows"), resume=False, quiet=True)
    assert valuations(read_market(tmp_path / "run" / MARKET)) == []
    assert finished.audit.as_json()["methods"]["ipfl/ipfl-exact"]["premise"] is None


def test_a_valuer_finds_its_law_once_and_restores_it_from_the_first_round():
    own = np.array([100.0, 120.0])
    early = Curve(own, np.ones(2), np.array([[220.0], [220.0]]), np.array([[0.3], [0.2]]))
    late = Curve(own, np.ones(2), np.array([[220.0], [220.0]]), np.array([[0.1], [0.5]]))
    types = Types(own, [1.0, 1.0], [3600.0, 900.0])
    one = Valuer("measured", 0)
    first, second = one.value(types, lambda: early), one.value(types, lambda: late)
    assert first.law == second.law
    other = Valuer("measured", 0)
    other.restore(first.arrays())
    again = other.value(types, lambda: late)
    for name, array in again.arrays().items():
        np.testing.assert_array_equal(array, second.arrays()[name])
    assert isinstance(again, Valuation)
