"""`make gpu` on the CPU, reduced: every part runs and holds; on a GPU it has to be run by who has one."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "gpu.py"


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPT.parent)
    spec = importlib.util.spec_from_file_location("gpu_page", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.usefixtures("quick")
def test_the_whole_page_is_made_and_says_that_it_is_of_no_gpu(gpu, tmp_path, capsys):
    page = tmp_path / "gpu.md"
    assert gpu.main(["--device", "cpu", "--reduced", "--out", str(page)]) == 0
    text = page.read_text()
    assert "This machine has no CUDA device" in text
    assert text.count("## ") == 5
    assert "**NO**" not in text
    for name in (*gpu.ALGORITHMS, *gpu.MODELS, "digits-niid", "DP-SGD", "LoRA, tiny"):
        assert f"| {name} |" in text, name
    assert text.count(" rounds/s: ") == 2


def test_a_part_that_breaks_is_a_line_and_the_others_are_still_asked(gpu, tmp_path, monkeypatch, capsys):
    def breaks(device, reduced):
        yield "first", True, "ok"
        raise RuntimeError("CUDA error: out of memory")

    for part in ("parity_of_networks", "parity_of_methods", "speed", "private_and_adapted"):
        monkeypatch.setattr(gpu, part, lambda *given: iter([("asked", True, "ok")]))
    monkeypatch.setattr(gpu, "tasks", breaks)
    page = tmp_path / "gpu.md"
    assert gpu.main(["--device", "cpu", "--out", str(page)]) == 1
    assert "| first | yes | ok |\n| stopped | **NO** | RuntimeError: CUDA error: out of memory |" in page.read_text()
    assert page.read_text().count("| asked | yes | ok |") == 4


def test_models_that_went_other_ways_are_told_apart(gpu):
    start = gpu.torch.zeros(5)
    rows = gpu.torch.ones(2, 5)
    other = rows.clone()
    other[1, 0] += 0.1
    assert gpu.apart(rows, rows, start) == 0
    assert gpu.apart(rows, other, start) == pytest.approx(0.1 / 5**0.5)
