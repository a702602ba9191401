"""The report: one page that is well formed, loads nothing, escapes everything, and says what the record says."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from analysis import write_report
from analysis.run.files import RecordError
from mechanism.errors import MarketProofError
from tests.analysis.synthetic import METHODS, change_json, renew_digests, write_run

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """Parses a page strictly: tags nest, and what the tests ask about is collected."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[int] = []
        self.words: list[str] = []
        self.figures: list[set[str]] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "figure":
            self.figures.append(set())
        if "figure" in self.open:
            self.figures[-1].add(tag)
            if tag == "svg" and dict(attrs).get("aria-label") and dict(attrs).get("role") == "img":
                self.figures[-1].add("labelled")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def make(tmp_path: Path, *folders: Path) -> tuple[str, Page]:
    text = write_report(list(folders), tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    return text, Page(text)


def assert_sound(text: str, page: Page) -> None:
    """What must hold of every report."""
    assert text.startswith("<!DOCTYPE html>")
    assert ("html", {"lang": "en"}) in page.tags
    ids = [a["id"] for _, a in page.tags if a.get("id")]
    assert len(ids) == len(set(ids))
    for tag, attributes in page.tags:
        assert tag not in {"script", "iframe", "object", "embed", "base", "form"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in {"src", "href", "xlink:href", "action", "srcset"}:
                assert value is not None
                assert value.startswith(("#", "data:"))
                if value.startswith("#"):
                    assert value[1:] in ids
    for target in re.findall(r"url\(([^)]*)\)", text):
        assert target.startswith("#")
        assert target[1:] in ids
    bare = re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
    assert "http://" not in bare
    assert "https://" not in bare
    assert page.figures
    for figure in page.figures:
        assert {"figcaption", "labelled"} <= figure
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(page.headings, page.headings[1:], strict=False))


def test_one_run(report: str) -> None:
    page = Page(report)
    assert_sound(report, page)
    assert len(page.figures) == 15
    for words in ("Does anybody lose", "Who pays whom", "Does lying about one’s cost pay?", "not for effects on later"):
        assert words in page.text
    assert "refuted" in page.text
    assert "searched" in page.text


def test_the_answers_are_the_records(folder: Path, report: str) -> None:
    audit = json.loads((folder / "audit.json").read_text())["methods"]
    page = Page(report)
    lie = audit["ipfl/ipfl"]["best_lie"]["cost"]
    assert f"Under ipfl/ipfl it does: client {lie['client']}" in page.text
    assert f"Under ipfl/ipfl-exact none of {lie['deviations']} reports tried beats the truth." in page.text
    for method in audit.values():
        for sentence in method["words"]:
            assert sentence in page.text


@pytest.mark.parametrize(
    ("clients", "rounds", "seeds", "methods"),
    [
        (1, 1, (7,), METHODS),
        (2, 1, (0,), {"local": None}),
        (5, 2, (0, 3, 4), {"ipfl": "ipfl-exact"}),
        (50, 1, (0,), {"fedavg": None, "a": "ipfl", "b": "exact-marginal", "c": "ipfl-exact"}),
        (3, 2, (-1,), {f"m{k}": None for k in range(11)}),
    ],
    ids=["one client", "no market", "only a market", "fifty clients", "eleven methods"],
)
def test_any_shape_of_run(
    tmp_path: Path, clients: int, rounds: int, seeds: tuple[int, ...], methods: dict[str, str | None]
) -> None:
    folder = write_run(tmp_path / "run", clients=clients, rounds=rounds, seeds=seeds, methods=methods)
    text, page = make(tmp_path, folder)
    assert_sound(text, page)
    assert len(text) < 5_000_000
    assert "Who pays whom?" in page.text
    assert ("Nobody pays anybody" in page.text) != any(methods.values())


def test_several_runs(folder: Path, tmp_path: Path) -> None:
    other = write_run(tmp_path / "other", clients=3, rounds=1, seeds=(5,), task="fashion-skew")
    text, page = make(tmp_path, folder, other)
    assert_sound(text, page)
    assert "2 runs compared" in page.text
    assert "Run 2: fashion-skew (other)" in page.text


EVIL = '<script>alert(1)</script>"><img src=x onerror=alert(2)>$\\frac$'


def test_records_are_hostile_text(tmp_path: Path) -> None:
    """Names, tasks, words, settings: whatever a record says is shown as text and never acts."""
    methods = {EVIL: "ipfl", "</svg><b onload=alert(3)>": None, "{{ 7 * 7 }}": "ipfl-exact", "a\x01\ud7ff--><!--": None}
    folder = write_run(tmp_path / "run", methods=methods, task=f"</title>{EVIL}".replace('"', "'"))
    change_json(folder / "audit.json", lambda audit: audit.update(scope=EVIL))
    change_json(folder / "audit.json", lambda audit: audit["methods"][EVIL].update(words=[EVIL, "\ud800 lone"]))
    renew_digests(folder)
    change_json(folder / "manifest.json", lambda told: told.update(machine={EVIL: [EVIL, "javascript:alert(4)"]}))
    text, page = make(tmp_path, folder)
    assert_sound(text, page)
    assert EVIL in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert "49" not in re.findall(r"<b>([^<]*)</b>", text)
    assert "\x01" not in text


def test_wrong_folders_are_one_line_and_leave_no_page(folder: Path, copy: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    (copy / "audit.json").unlink()
    for folders, fragment in (
        ([], "no run"),
        ([tmp_path / "none"], "no such folder"),
        ([folder, copy], r"audit\.json"),
    ):
        with pytest.raises(MarketProofError, match=fragment) as caught:
            write_report(folders, out)
        assert "\n" not in str(caught.value)
    assert not out.exists()


def test_an_old_page_survives_a_failure(copy: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    out.write_text("old")
    (copy / "rounds.parquet").write_bytes(b"PAR1")
    with pytest.raises(RecordError):
        write_report([copy], out)
    assert out.read_text() == "old"


def test_the_usual_size_is_small(tmp_path: Path) -> None:
    """10 clients, 4 methods, 3 seeds: at most 5 MB."""
    folder = write_run(tmp_path / "run", clients=10, rounds=5, seeds=(0, 1, 2))
    page = write_report([folder], tmp_path / "report.html")
    assert page.stat().st_size < 5_000_000


def test_the_same_record_gives_the_same_page_from_threads_too(folder: Path, report: str, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        pages = list(pool.map(lambda k: write_report([folder], tmp_path / f"{k}.html").read_text("utf-8"), range(2)))
    assert pages == [report, report]
