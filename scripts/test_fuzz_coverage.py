# SPDX-License-Identifier: MIT
"""Tests of coverage.py, with a small program in place of the kernel."""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import coverage
from qemu import Broken

SCRIPTS = Path(__file__).resolve().parent
CC = os.environ.get("CROSS", "riscv64-unknown-elf-") + "gcc"
FLAGS = ["-O2", "-g", "-march=rv64gc", "-mabi=lp64d", "-mcmodel=medany",
         "-mno-relax", "-ffreestanding", "-nostdlib"]

# Line numbers matter: choose() begins in line 5.
SOURCE = """\
volatile int seen;

static inline __attribute__((always_inline)) int half(int x) { return x / 2; }

int
choose(int x)
{
	if (x > 3)
		seen = half(x);
	else
		seen = 7;
	return seen;
}

int
never(int x)
{
	return x + seen;
}

void
uart_put(void)
{
	seen = 0;
}
"""
START = """\
void __sanitizer_cov_trace_pc(void) { }
int choose(int); int never(int); void uart_put(void);
void _start(void) { choose(1); never(2); uart_put(); }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree with kernel/dev/uart.c, compiled as the kernel is."""
    root = tmp_path_factory.mktemp("coverage")
    (root / "kernel/dev").mkdir(parents=True)
    (root / "kernel/dev/uart.c").write_text(SOURCE)
    (root / "start.c").write_text(START)
    for words in (
            ["-fsanitize-coverage=trace-pc", "-fno-optimize-sibling-calls",
             "-c", "-o", "uart.o", "kernel/dev/uart.c"],
            ["-Wl,-Ttext=0x80000000", "-o", "kernel.elf", "start.c",
             "uart.o"]):
        subprocess.run([CC, *FLAGS, *words], cwd=root, check=True, timeout=60)
    return root


@pytest.fixture
def kernel(folder: Path) -> Path:
    return folder / "kernel.elf"


@pytest.fixture
def root(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(coverage, "ROOT", folder)
    return folder


def sites(kernel: Path) -> dict[str, list[int]]:
    """The calls of each function, in order."""
    blocks = coverage.disassemble(kernel)
    places = coverage.find_places(kernel, (b.site - 1 for b in blocks))
    found: dict[str, list[int]] = {}
    for block in blocks:
        function = places[block.site - 1].function
        found.setdefault(function, []).append(block.site)
    return found


def measured(kernel: Path, hit: set[int]) -> coverage.File:
    blocks = coverage.disassemble(kernel)
    places = coverage.find_places(kernel, {
        a for b in blocks for a in (b.site, b.site - 1, *b.code)})
    [file] = coverage.measure(blocks, places, hit)
    return file


def test_every_call_is_a_block(root: Path, kernel: Path) -> None:
    listing = subprocess.run(
        [CC.removesuffix("gcc") + "objdump", "-d", kernel], text=True,
        capture_output=True, check=True, timeout=60).stdout
    assert len(coverage.disassemble(kernel)) \
        == listing.count(f"<{coverage.CALLBACK}>\n")
    assert set(sites(kernel)) == {"choose", "half", "never", "uart_put"}


def test_nothing_was_run(root: Path, kernel: Path) -> None:
    file = measured(kernel, set())
    assert file.name == "kernel/dev/uart.c"
    assert not any(any(f.lines.values()) for f in file.functions.values())
    assert [row[1] for row in coverage.missed([file])] \
        == ["half", "choose", "never", "uart_put"]


def test_all_was_run(root: Path, kernel: Path) -> None:
    hit = {site for found in sites(kernel).values() for site in found}
    file = measured(kernel, hit)
    assert all(all(f.lines.values()) for f in file.functions.values())
    assert coverage.missed([file]) == []


def test_one_side_of_a_branch(root: Path, kernel: Path) -> None:
    lines = coverage.tracefile([measured(kernel, set(
        sites(kernel)["choose"]))]).splitlines()
    assert f"SF:{root}/kernel/dev/uart.c" in lines
    assert "FNDA:1,choose" in lines and "FNDA:0,never" in lines
    assert "DA:8,1" in lines and "DA:18,0" in lines
    # Of the blocks of choose(), those of line 11 alone.
    first, *others = sites(kernel)["choose"]
    blocks = coverage.disassemble(kernel)
    places = coverage.find_places(
        kernel, {a for b in blocks for a in b.code})
    other = next(b.site for b in blocks if b.site in others
                 and 11 in {places[a].line for a in b.code if a in places})
    function = measured(kernel, {first, other}).functions["choose"]
    assert function.lines[8] and function.lines[11]
    assert not function.lines[9]


def test_addresses_of_another_kernel(root: Path, kernel: Path) -> None:
    blocks = coverage.disassemble(kernel)
    with pytest.raises(Broken, match="1 of 1 addresses .* such as 0x1234"):
        coverage.check_hits(blocks, {0x1234})


def test_a_callback_that_is_jumped_to() -> None:
    """Its return address would lie in another function."""
    text = ("0000000080000000 <f>:\n    80000000:\tnop\n"
            f"    80000002:\tj\t80000010 <{coverage.CALLBACK}>\n")
    with pytest.raises(Broken, match="-fno-optimize-sibling-calls"):
        coverage.find_blocks(*coverage.parse_listing(text.splitlines()))


def test_code_without_callbacks(root: Path, tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("void _start(void) { }\n")
    subprocess.run([CC, *FLAGS, "-o", tmp_path / "a", tmp_path / "a.c"],
                   check=True, timeout=60)
    with pytest.raises(Broken, match="compile it with -fsanitize-coverage"):
        coverage.disassemble(tmp_path / "a")


def test_why_not_reached(root: Path, kernel: Path) -> None:
    """Known reasons come last; what is not known is to be looked at."""
    file = coverage.File("kernel/proc/x.c", {
        "x_init": coverage.Function("x_init", 1, {4: False}),
        "x_run": coverage.Function("x_run", 9, {8: False})})
    assert [(row[1], bool(row[2])) for row in coverage.missed([file])] \
        == [("x_run", False), ("x_init", True)]


@pytest.fixture
def genhtml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where what stands for lcov's program says how it was called."""
    (tmp_path / "bin").mkdir()
    tool = tmp_path / "bin/genhtml"
    tool.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/genhtml\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    return tmp_path / "genhtml"


def run(*args: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPTS / "coverage.py"), *map(str, args)],
        capture_output=True, text=True, timeout=120)


def test_all_files_are_written(root: Path, kernel: Path, genhtml: Path,
                               tmp_path: Path,
                               capsys: pytest.CaptureFixture[str]) -> None:
    pcs = tmp_path / "pcs"
    pcs.write_text("".join(f"{s:x}\n" for s in sites(kernel)["never"]))
    assert coverage.main(["--kernel", str(kernel), "--pcs", str(pcs),
                          "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert re.search(r"uart\.c:\d+ +choose", said)
    assert not re.search(r"uart\.c:\d+ +never", said)
    info = (tmp_path / "out/kernel.info").read_text()
    assert "FNDA:1,never" in info and "FNDA:0,choose" in info
    found = json.loads((tmp_path / "out/coverage.json").read_text())
    assert found["total"]["lines"] == found["files"][0]["lines"] > 0
    assert genhtml.read_text().endswith(f"{tmp_path}/out/kernel.info\n")


def test_bad_addresses(kernel: Path, genhtml: Path, tmp_path: Path) -> None:
    (tmp_path / "pcs").write_text("no number\n")
    done = run("--kernel", kernel, "--pcs", tmp_path / "pcs", "--out",
               tmp_path)
    assert done.returncode == 2
    assert "one hexadecimal address a line" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_no_kernel(genhtml: Path, tmp_path: Path) -> None:
    done = run("--fuzz", tmp_path)
    assert done.returncode == 2 and "run `make coverage`" in done.stderr


def test_figures_for_the_report(root: Path, kernel: Path) -> None:
    found = json.loads(json.dumps(measured(kernel, set(
        sites(kernel)["never"])).figures()))
    assert [f["name"] for f in found["functions"]] \
        == ["half", "choose", "never", "uart_put"]
    never = found["functions"][2]
    assert never["blocks"] == never["blocks_hit"] >= 1
    assert found["lines_hit"] == never["lines_hit"] < found["lines"]
