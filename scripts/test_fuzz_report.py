# SPDX-License-Identifier: MIT
"""Tests of fuzz_report.py: what it shows, and that nothing gets out of it."""
import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import pytest

import fuzz_out
import fuzz_report

SCRIPTS = Path(__file__).resolve().parent
NASTY = "</td><script>alert('x')</script>&\"<img src=x onerror=y>"
VOID = ("meta", "line", "br", "polyline")


class Strict(HTMLParser):
    """Text and tags of a page; every tag must be closed where it should."""

    def __init__(self, page: str):
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str,
                        attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            if name in ("href", "src"):
                self.links.append(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str,
                           attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def instance(fuzz: Path, name: str, **stats: object) -> None:
    folder = fuzz / "out" / name
    folder.mkdir(parents=True)
    (folder / "fuzzer_stats").write_text("".join(
        f"{key:18}: {value}\n" for key, value in stats.items()))
    (folder / "plot_data").write_text(
        "# relative_time, execs_per_sec, edges_found\n" + "".join(
            f"{n * 60}, {1000 + n % 7}.5, {n}\n" for n in range(1, 2000)))


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """Everything there can be, with texts that want to be HTML."""
    instance(tmp_path, "main", execs_done=123456789, run_time=100000,
             corpus_count=321, edges_found=4567, bitmap_cvg="6.97%",
             stability="100.00%", command_line=NASTY)
    instance(tmp_path, "s1", execs_done=1000, run_time=10)
    fuzz_out.Record(kernels={"plain": NASTY}, seed=99).save(tmp_path / "out")
    for name in ("001-panic-free", "002-late"):
        (tmp_path / "findings" / name).mkdir(parents=True)
        (tmp_path / "findings" / name / "report.md").touch()
    for path, content in {
            "findings/index.json": {"findings": [
                {"path": "001-panic-free", "what": NASTY, "detail": NASTY,
                 "class": "panic", "hits": 3, "reproduced": 9, "repeats": 10,
                 "ops": 4}], "unreproduced": [{}, {}]},
            "coverage/coverage.json": {
                "total": {"lines": 200, "lines_hit": 51},
                "files": [{"name": NASTY, "lines": 10, "lines_hit": 7,
                           "blocks": 4, "blocks_hit": 1, "functions": [
                               {"name": "copyout", "blocks": 4,
                                "blocks_hit": 1}]}]},
            "bench.json": [{"name": NASTY, "value": 20123.4, "unit": "/s",
                            "baseline": None, "ratio": 0.81}]}.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(json.dumps(content))
    return tmp_path


def test_all_is_shown(full: Path) -> None:
    page = Strict(fuzz_report.write(full).read_text())
    for text in ("123.5 M", "123,456,789", "1,235", "321", "4,567", "6.97%",
                 "9 of 10", "panic", "25.5 %", "70.0 % of lines", "copyout",
                 "1 of 4", "20,123 /s", "0.81", "99", "002-late",
                 "findings/unreproduced: 2"):
        assert text in page.text, text


def test_texts_stay_texts(full: Path) -> None:
    page = Strict(fuzz_report.page(full))
    assert "script" not in page.tags and "img" not in page.tags
    assert page.text.count(NASTY) == 6


def test_nothing_from_outside(full: Path) -> None:
    text = fuzz_report.page(full)
    page = Strict(text)
    assert page.links == ["../findings/001-panic-free/report.md",
                          "../findings/002-late/report.md"]
    assert "://" not in text and "@import" not in text and "url(" not in text
    assert 'name="viewport"' in text and "prefers-color-scheme" in text


def test_diagrams(full: Path) -> None:
    text = fuzz_report.page(full)
    pieces = text.split("<svg")[1:]
    assert len(pieces) == 2
    for piece in pieces:
        root = ElementTree.fromstring("<svg" + piece.split("</svg>")[0]
                                      + "</svg>")
        curves = root.findall("polyline")
        assert len(curves) == 2
        for curve in curves:
            points = [tuple(map(float, pair.split(",")))
                      for pair in curve.attrib["points"].split()]
            assert len(points) <= fuzz_report.POINTS
            assert all(0 <= x <= fuzz_report.WIDTH
                       and 0 <= y <= fuzz_report.HEIGHT for x, y in points)


def test_a_start_is_no_loss() -> None:
    """It counts edges anew, and has no rate yet."""
    rows = [{"relative_time": 1, "execs_per_sec": 9, "edges_found": 50},
            {"relative_time": 2, "execs_per_sec": 0, "edges_found": 20},
            {"relative_time": 3, "execs_per_sec": 8, "edges_found": 60}]
    one = fuzz_out.Instance("main", {}, rows)
    assert fuzz_report.edges(one).points == [(1, 50), (2, 50), (3, 60)]
    assert fuzz_report.rates(one).points == [(1, 9), (3, 8)]


@pytest.mark.parametrize("broken", ["", "{", "[1, 2]", '{"files": 3}',
                                    '"x"', "null"])
def test_nothing_or_nonsense_to_show(tmp_path: Path, broken: str) -> None:
    for name in ("findings/index.json", "coverage/coverage.json",
                 "bench.json", "out/.run.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(broken)
    page = Strict(fuzz_report.page(tmp_path))
    assert "No instance has written its figures yet." in page.text
    assert "None." in page.text


@pytest.mark.parametrize("seconds, text", [
    (0, "0 s"), (59, "59 s"), (60, "1:00 min"), (3599, "59:59 min"),
    (3600, "1:00 h"), (30000, "8:20 h"), (90000, "1 d 1:00 h")])
def test_durations(seconds: float, text: str) -> None:
    assert fuzz_report.duration(seconds) == text


@pytest.mark.parametrize("most", [0.001, 1, 7, 99, 4321, 1e7])
def test_grid_lines_are_few_and_reach_the_top(most: float) -> None:
    assert 1.5 <= most / fuzz_report.step(most) <= 4.01
    assert most / fuzz_report.time_step(most) <= 6


def test_command(tmp_path: Path) -> None:
    def run(folder: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(SCRIPTS / "fuzz_report.py"), "--fuzz",
             str(folder)], capture_output=True, text=True, timeout=60)
    assert run(tmp_path).returncode == 0
    assert (tmp_path / "report/index.html").exists()
    done = run(tmp_path / "none")
    assert done.returncode == 2 and "run `make fuzz`" in done.stderr
