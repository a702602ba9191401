"""Each client's own audit: its rows of the record, and of others nothing that they reported."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from safetensors.numpy import load_file

from marketproof.federation.audits import audits_of
from marketproof.federation.bills import COLUMNS
from marketproof.running.config import load_task, resolve
from marketproof.running.execution import Place, run

NAMES = ("alice", "bob", "carol")


@pytest.fixture(scope="module")
def given(tmp_path_factory, quick):
    """A run of three clients whose costs and gains are drawn, so that none is another's; and everybody's audits."""
    options = {
        "seed": 3, "seeds": 2, "methods": ["ipfl/ipfl-exact"], "mechanism": "ipfl-exact", "scale": "smoke",
        "clients": 3, "steps": 2, "rounds": 2,
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("audits") / "run"
    config = resolve("digits-niid", load_task("digits-niid"), options)
    done = run(config, folder, Place("rows", "cpu"), resume=False, quiet=True)
    return folder, done, list(audits_of(folder, done.audit, NAMES, "f" * 16))


def test_everybody_gets_one_of_each_training_with_its_own_rows(given):
    folder, _, parts = given
    assert len(parts) == 2
    for seed, found in zip((3, 4), parts, strict=True):
        market = load_file(folder / f"markets/ipfl__ipfl-exact-{seed}.safetensors")
        assert [audit.name for audit, _ in found] == list(NAMES)
        assert {audit.run for audit, _ in found} == {f"{'f' * 16}-ipfl__ipfl-exact-{seed}"}
        for k, (audit, arrays) in enumerate(found):
            rows = dict(zip(COLUMNS, arrays["rounds"].T, strict=True))
            assert rows["paid"] == pytest.approx(market["prices"][:, k].sum(axis=-1))
            assert rows["received"] == pytest.approx(market["prices"][:, :, k].sum(axis=-1))
            assert rows["exports"].tolist() == market["imports"][:, :, k].sum(axis=-1).tolist()
            assert rows["accuracy"].tolist() == market["accuracy"][:, k].tolist()
            assert audit.told["lowest_utility"] == rows["utility"].min()
            assert audit.told["individually_rational"]


def test_nobody_is_told_what_another_reported(given):
    """Also no amount of another's lie: what a lie gains follows from what its teller reported."""
    folder, done, parts = given
    lies = done.audit.methods["ipfl/ipfl-exact"].lies
    assert any(lie.pays for lie in lies.values())  # there is something to tell
    for seed, found in zip((3, 4), parts, strict=True):
        market = load_file(folder / f"markets/ipfl__ipfl-exact-{seed}.safetensors")
        for k, (audit, arrays) in enumerate(found):
            whole = json.dumps([asdict(audit), arrays["rounds"].tolist()])
            for j in set(range(3)) - {k}:
                secrets = [market[f"reported_{name}"][0, j] for name in ("cost", "gain")]
                assert not [secret for secret in secrets if repr(float(secret)) in whole]
            for lie in lies.values():
                if lie.pays:
                    assert (repr(lie.gain) in whole) == (lie.client == k)


def test_who_was_away_has_no_account(given):
    from analysis.run.records import read_market
    from marketproof.federation.audits import _rounds

    folder, _, _ = given
    record = read_market(folder / "markets/ipfl__ipfl-exact-3.safetensors")
    record.present[0, 1] = False
    rows = _rounds(record, 1)
    assert not rows[0].any()
    assert rows[1].any()
    assert np.isfinite(rows).all()
