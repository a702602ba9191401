"""`frontier` end to end: record, table and figures; taken up again after a stop; wrong settings."""

import json

import pytest

import proofs_checks.evidence.tradeoffs as frontier_module
from marketproof.cli import execute
from tests.marketproof.conftest import dying

SPEC = """
mechanisms = ["ipfl", "ipfl-exact"]
lam = [0, 0.5]
cost_spread = [0, 1]
heterogeneity = [1]
clients = 4
markets = 5
"""


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text(SPEC)
    return path


@pytest.fixture
def undrawn(monkeypatch):
    """Leave the figures away, which take most of the time: of tests of the record."""
    monkeypatch.setattr("analysis.findings.several.trade_offs.figures", lambda rows: {})


def test_a_small_sweep_writes_everything(cli, tmp_path, spec):
    out, file = tmp_path / "sweep", tmp_path / "points.json"
    answer = cli("frontier", spec, "--out", out, "--json", file)
    assert (answer.status, answer.err) == (0, "")
    assert "8 points, 5 markets of 4 clients each" in answer.out
    points = json.loads(file.read_text())["points"]
    assert len(points) == 8
    assert all(p["best_lie"] == 0.0 for p in points if p["mechanism"] == "ipfl-exact")
    assert (out / "points.jsonl").read_text().count("\n") == 9
    for name in (
        "trade-off", "welfare", "best-lie", "gain-best-lie", "size-best-lie", "of-optimum", "lowest-utility", "deficit",
        "where-lies-pay", "where-gain-lies-pay", "where-size-lies-pay",
    ):  # fmt: skip
        for kind in ("svg", "png", "csv", "tex"):
            assert (out / f"{name}.{kind}").stat().st_size > 100
    assert (out / "points.csv").read_text().count("\n") == 9
    assert (out / "frontier.csv").read_text().startswith("mechanism,of optimum,")
    assert "ipfl-exact & " in (out / "frontier.tex").read_text()
    assert "welfare ±" in (out / "frontier.csv").read_text()
    does, lies = (line.split("│") for line in answer.out.splitlines() if line.startswith("│ ipfl-exact"))
    assert does[2].strip() == "100.00%"
    assert does[3].strip().startswith(f"{sum(p['welfare'] for p in points[1::2]) / 4:.3g}"[:3])
    assert [lies[k].strip() for k in (2, 4)] == ["0.00%", "100.00%"]
    assert "ipfl-exact: truthful in cost only" in answer.out
    assert "over the 5 markets drawn" in answer.out
    assert "markets with a lie: share of the markets in which some client gains" in answer.out


def test_what_help_promises_is_written(cli, tmp_path, spec, undrawn, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    said = cli("frontier", "--help").out
    assert "into the folder frontier of the working directory" in " ".join(said.split())
    monkeypatch.chdir(tmp_path)
    assert cli("frontier", spec, "--quiet").status == 0
    for name in ("points.jsonl", "points.csv", "frontier.csv", "frontier.tex"):
        assert name in said
        assert (tmp_path / "frontier" / name).is_file()


def test_a_sweep_that_is_complete_is_told_to_be_and_shown_again(cli, tmp_path, spec, undrawn):
    out = tmp_path / "sweep"
    first = cli("frontier", spec, "--out", out)
    line = cli("frontier", spec, "--out", out).line()
    assert "holds this sweep, complete with 8 points; add --resume to see its table again" in line
    assert cli("frontier", spec, "--out", out, "--resume").out == first.out
    assert "holds a sweep with other settings" in cli("frontier", spec, "--out", out, "--seed", 1).line()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The lines of a complete record of the sweep."""
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "sweep.toml").write_text(SPEC)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analysis.findings.several.trade_offs.figures", lambda rows: {})
        assert execute(["frontier", str(folder / "sweep.toml"), "--out", str(folder / "out"), "--quiet"]) == 0
    return (folder / "out" / "points.jsonl").read_bytes().splitlines(keepends=True)


def _third(key, value):
    def change(lines):
        row = json.loads(lines[2])
        row[key] = value
        if value is None:
            del row[key]
        return [*lines[:2], json.dumps(row).encode() + b"\n", *lines[3:]]

    return change


DAMAGES = {
    "no list": (lambda x: [b"[\n"], "line 1 is no JSON"),
    "no object": (lambda x: [b"7\n"], "line 1 is a int, no object"),
    "other settings": (lambda x: [b"{}\n", *x[1:]], "line 1 is not the settings of a sweep"),
    "nothing": (lambda x: [*x[:2], b"{}\n", *x[3:]], "line 3 has no mechanism"),
    "a list": (lambda x: [*x[:2], b"[]\n", *x[3:]], "line 3 is a list, no object"),
    "a number": (lambda x: [*x[:2], b"1\n", *x[3:]], "line 3 is a int, no object"),
    "a name alone": (lambda x: [*x[:2], b'{"mechanism":"ipfl"}\n', *x[3:]], "line 3 has no lam"),
    "an empty line": (lambda x: [*x[:2], b"\n", *x[2:]], "line 3 is no JSON"),
    "nested": (lambda x: [*x[:2], b"[" * 3000 + b"\n", *x[3:]], "line 3 is no JSON"),
    "bytes at the end": (lambda x: [*x, b"\xff\xfe"], "line 10 is no beginning of a line"),
    "bytes in a line": (lambda x: [*x[:2], b"\xff\xfe\n", *x[3:]], "line 3 is no JSON"),
    "bytes after a stop": (lambda x: [*x[:4], b"\xff\xfe"], "line 5 is no beginning of a line"),
    "a line too many": (lambda x: [*x, x[-1]], "line 10 is one too many: the sweep has 8 points"),
    "half a line too many": (lambda x: [*x, b'{"mechanism": "ip'], "line 10 is no beginning"),
    "another lam": (_third("lam", 77), "line 3 has lam 77; the grid has 0.0 there"),
    "another rule": (_third("mechanism", "ipfl"), "line 3 has mechanism 'ipfl'; the grid has 'ipfl-exact' there"),
    "true for 0": (_third("lam", False), "line 3 has lam False"),
    "other markets": (_third("markets", 6), "line 3 has markets 6; the grid has 5 there"),
    "swapped": (lambda x: [x[0], x[2], x[1], *x[3:]], "line 2 has mechanism 'ipfl-exact'"),
    "text": (_third("welfare", "1"), "line 3 has welfare '1'; expected a number"),
    "no number": (_third("welfare", float("nan")), "line 3 has welfare nan; expected a number"),
    "endless": (_third("best_lie", float("inf")), "line 3 has best_lie inf; expected a number"),
    "huge": (_third("best_lie", 10**400), "line 3 has best_lie 1"),
    "true": (_third("deficit", True), "line 3 has deficit True"),
    "unknown error": (_third("welfare_se", [1]), "line 3 has welfare_se [1]"),
    "older": (_third("size_best_lie", None), "line 3 has no size_best_lie, as versions before this one wrote it"),
    "more": (_third("colour", 1), "line 3 has 'colour', which a sweep does not write"),
    "long": (lambda x: [*x, b" " * 5_000_000], "is longer than a record of 8 points can be"),
}


@pytest.mark.parametrize(
    ("case", "resume"), [*((case, True) for case in DAMAGES), ("a list", False), ("a line too many", False)]
)
def test_a_damaged_record_is_told(cli, tmp_path, spec, recorded, case, resume):
    change, words = DAMAGES[case]
    out = tmp_path / "sweep"
    out.mkdir()
    damaged = b"".join(change(recorded))
    (out / "points.jsonl").write_bytes(damaged)
    line = cli("frontier", spec, "--out", out, *(["--resume"] if resume else [])).line()
    assert words in line
    assert "name another --out" in line
    assert [path.name for path in out.iterdir()] == ["points.jsonl"]
    assert (out / "points.jsonl").read_bytes() == damaged


def test_somebody_elses_file_is_not_taken_for_a_record_that_was_cut_short(cli, tmp_path, spec):
    out = tmp_path / "sweep"
    (out / "points.jsonl").mkdir(parents=True)
    assert "is no file; name another --out" in cli("frontier", spec, "--out", out, "--resume").line()
    (out / "points.jsonl").rmdir()
    (out / "points.jsonl").write_text("notes of mine")
    assert "line 1 is no beginning" in cli("frontier", spec, "--out", out, "--resume").line()
    assert (out / "points.jsonl").read_text() == "notes of mine"


@pytest.mark.parametrize("kept", [0, 9, 400, 2000, -1])
def test_a_record_cut_anywhere_goes_on_to_the_same_one(cli, tmp_path, spec, recorded, undrawn, kept):
    out = tmp_path / "sweep"
    out.mkdir()
    whole = b"".join(recorded)
    (out / "points.jsonl").write_bytes(whole[:kept])
    assert cli("frontier", spec, "--out", out, "--resume", "--quiet").status == 0
    assert (out / "points.jsonl").read_bytes() == whole


def test_a_sweep_that_was_stopped_goes_on_to_the_same_record(cli, tmp_path, spec, undrawn, monkeypatch):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert cli("frontier", spec, "--out", whole, "--quiet").status == 0
    with monkeypatch.context() as patch:
        dying(patch, frontier_module, "measure", 4, error=KeyboardInterrupt)
        answer = cli("frontier", spec, "--out", cut, "--quiet")
    assert answer.status == 130
    assert "stopped after 3 of 8 points" in answer.err
    with open(cut / "points.jsonl", "a") as file:
        file.write('{"mechanism": "ip')  # a line that was being written
    assert "3 of 8 points; add --resume" in cli("frontier", spec, "--out", cut).line()
    assert cli("frontier", spec, "--out", cut, "--resume", "--quiet").status == 0
    assert (cut / "points.jsonl").read_bytes() == (whole / "points.jsonl").read_bytes()


def test_another_sweep_is_not_taken_up(cli, tmp_path, spec, undrawn):
    out = tmp_path / "sweep"
    assert cli("frontier", spec, "--out", out, "--quiet").status == 0
    assert "was swept with seed 0" in cli("frontier", spec, "--out", out, "--resume", "--seed", 1).line()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colour = 1\n", "unknown key 'colour'"),
        ('mechanisms = ["second-price"]\n', "mechanisms is ['second-price']; expected a list of ipfl-exact"),
        ("lam = [-1]\n", "lam[0] is -1; expected greater than or equal to 0"),
        ("clients = 2\n", "clients is 2; expected greater than or equal to 3"),
        ("lam = 1\n", "lam is 1; expected a list"),
        ("markets = true\n", "markets is True; expected a valid integer"),
        ("lam = [\n", "is no TOML"),
    ],
)
def test_wrong_settings_are_one_line_and_leave_nothing(cli, tmp_path, text, words):
    path = tmp_path / "sweep.toml"
    path.write_text(text)
    assert words in cli("frontier", path, "--out", tmp_path / "out").line()
    assert not (tmp_path / "out").exists()
