"""The house as it stands: no circles, folders and files that a reader can hold in the head, central nouns once."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import grimp
import networkx as nx

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("mechanism", "learning", "proofs_checks", "analysis", "marketproof")
FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
MODULES = [path for path in FILES if path.name != "__init__.py"]

LONGER = {"kernels.py"}
"""Compiled call trees: numba's cache misses a change in another file, so each stands in one."""

CLOCKS = {"time", "monotonic", "perf_counter", "process_time", "thread_time", "times", "now", "today", "timeit"}
CLOCKS |= {f"{name}_ns" for name in CLOCKS} | {"getrusage", "alarm", "setitimer", "st_mtime", "st_ctime"}
KEEPERS = {"time", "os", "datetime", "timeit", "resource", "signal", "asyncio", "sched"}
PAGE_CLOCK = re.compile(r"\b(?:performance|Date)\.now\(|\bnew Date\(")
"""The same in a script for a page."""

WAITING = {
    ("tests/marketproof/test_run.py", "test_a_killed_training_is_resumed_to_the_same_bits"),
    ("tests/learning/backends/test_pool.py", "wait_until"),
    ("tests/conftest.py", "budgets_in_processor_time"),
}
"""Loops of tests that wait for an event of another process; running out of time is their failure. And what gives all
tests a clock that a busy machine does not move."""

WAITS = {"wait", "communicate"}

PATIENCE = 120
"""Seconds at least after which a test gives a process up that it started: so long nothing takes that does not hang."""

ONCE = ("Witness", "Lie", "Verdict", "Run", "Finding")
"""Nouns of which there is one class."""


def test_nothing_imports_itself_in_a_circle():
    """Imports inside functions count: a circle that is opened only late is still one."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    imports = nx.DiGraph()
    for module in graph.modules:
        imports.add_edges_from((module, other) for other in graph.find_modules_directly_imported_by(module))
    circles = [sorted(part) for part in nx.strongly_connected_components(imports) if len(part) > 1]
    assert circles == []


def test_a_folder_holds_at_most_sixteen_modules():
    held = Counter(path.parent.relative_to(ROOT).as_posix() for path in MODULES)
    assert {folder: count for folder, count in held.items() if count > 16} == {}


def test_a_file_has_at_most_three_hundred_lines():
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in FILES}
    assert {name: n for name, n in lengths.items() if n > 300 and Path(name).name not in LONGER} == {}


def test_a_name_of_a_file_stands_at_most_twice():
    assert {name: count for name, count in Counter(path.name for path in MODULES).items() if count > 2} == {}


def test_central_nouns_are_one_class_each():
    classes = Counter(
        node.name for path in FILES for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)
    )
    assert {name: classes[name] for name in ONCE if classes[name] != 1} == {}


def test_no_test_reads_a_clock():
    """A busy machine must not fail a test: work is counted, a clock is moved by the test, timings are benchmarks."""
    read, impatient = set(), set()
    for path in sorted((ROOT / "tests").rglob("*.py")):
        tree = ast.parse(path.read_text())
        imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        keepers = {
            alias.asname or alias.name
            for node in imported
            for alias in node.names
            if (node.module if isinstance(node, ast.ImportFrom) else alias.name) in KEEPERS
        }
        name = path.relative_to(ROOT).as_posix()
        for part in tree.body:
            for node in ast.walk(part):
                owner: ast.AST = node
                while isinstance(owner, ast.Attribute | ast.Call):
                    owner = owner.value if isinstance(owner, ast.Attribute) else owner.func
                root = owner.id if isinstance(owner, ast.Name) else ""
                asked = isinstance(node, ast.Attribute) and node.attr in CLOCKS and root in keepers
                taken = isinstance(node, ast.ImportFrom) and node.module in KEEPERS and node.module != "signal"
                script = str(node.value) if isinstance(node, ast.Constant) else ""
                if asked or PAGE_CLOCK.search(script) or (taken and {alias.name for alias in node.names} & CLOCKS):
                    read.add((name, getattr(part, "name", "")))
                waits = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WAITS
                limits = (
                    node.args
                    if waits
                    else [node.value]
                    if isinstance(node, ast.keyword) and node.arg == "timeout"
                    else []
                )
                seconds = [limit.value for limit in limits if isinstance(limit, ast.Constant)]
                impatient |= {(name, limit) for limit in seconds if isinstance(limit, int | float) and limit < PATIENCE}
    assert read == WAITING
    assert impatient == set()
