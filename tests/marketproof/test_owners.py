"""Clients are called by the owners of their data, in every table; who takes no part is named with the reason."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import marketproof
from learning.data import load
from learning.data.owners import client_names, left_out
from tests.learning.data.conftest import Maker

pytestmark = pytest.mark.usefixtures("quick")

DIGITS = load("digits")
OF = np.repeat([0, 1, 2, 3], [20, 9, 30, len(DIGITS.train_y) - 59])
WHOSE = replace(DIGITS, groups=OF, owners=dict(enumerate(["ann", "bob", "cy", "dee"])))


def held(*groups):
    return [np.flatnonzero(group == OF) for group in groups]


def test_names_are_those_of_the_owners_numbered_where_they_are_shared():
    assert client_names(WHOSE, held(0, 2, 3)) == ("ann", "cy", "dee")
    halves = [*np.array_split(held(3)[0], 2), held(0)[0]]
    assert client_names(WHOSE, halves) == ("dee 1", "dee 2", "ann")
    assert client_names(WHOSE, [np.arange(15, 25)]) == ()  # of two owners
    assert client_names(DIGITS, held(0, 2)) == ()


def test_who_takes_no_part_is_named_with_the_reason():
    said = "1 owner with fewer than 10 training samples (bob) and 1 owner that the seed did not draw for 2 clients"
    assert left_out(WHOSE, "natural", 2) == said
    assert left_out(WHOSE, "natural", 3) == "1 owner with fewer than 10 training samples (bob)"
    assert left_out(WHOSE, "domain", 4) == left_out(DIGITS, "natural", 4) == ""
    many = replace(WHOSE, groups=np.arange(len(OF)) // 9, owners={})
    assert "training samples (0, 1, 2, 3, 4, …)" in left_out(many, "natural", 0)


def test_a_run_on_writers_names_them_in_all_its_tables(cli, tmp_path):
    Maker.femnist(tmp_path / "data")
    options = ("--clients", 2, "--rounds", 1, "--steps", 1, "--methods", "fedavg,ipfl", "--data-dir", tmp_path / "data")
    answer = cli("run", "femnist", "--scale", "smoke", *options, "--out", tmp_path / "run")
    assert answer.status == 0, answer.err
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    names = manifest["names"]
    assert len(set(names)) == 2
    assert all(name.startswith("writer ") for name in names)
    assert manifest["owners"] == {"0": names}
    assert f"Clients: 0 {names[0]}, 1 {names[1]}" in answer.out
    for line in manifest["left_out"]:
        assert f"note: left out {line}" in " ".join(answer.err.split())
    run = marketproof.load(tmp_path / "run")
    assert run.rounds["name"].to_list() == names * 2
    assert run.ledger.columns[-2:] == ["importer_name", "exporter_name"]
    assert [names[k] for k in run.ledger["importer"]] == run.ledger["importer_name"].to_list()
    assert cli("check", tmp_path / "run").status == 0
    export = ("export-model", tmp_path / "run", "--client", names[1], "--method", "ipfl")
    assert f"client {names[1]}" in cli(*export, "--out", tmp_path / "m.safetensors").out


def test_names_that_differ_by_seed_stand_in_the_tables_of_each():
    from analysis.run.ledger import _named

    frame = pl.DataFrame({"seed": [0, 0, 1, 1], "client": [0, 1, 0, 1]})
    named = _named(frame, {0: ["a", "b"], 1: ["c", "a"]}, client="name")
    assert named["name"].to_list() == ["a", "b", "c", "a"]
    assert _named(frame, {0: ["a", "b"], 1: []}, client="name").columns == frame.columns
