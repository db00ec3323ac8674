# SPDX-License-Identifier: MIT
"""Tests of leakcheck.py and of its hooks.  No kernel is run."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import leakcheck

SCRIPTS = Path(__file__).resolve().parent


def sides() -> tuple[leakcheck.Side, leakcheck.Side]:
    return (leakcheck.Side("base", "a" * 40, Path(), []),
            leakcheck.Side("here", "b" * 40, Path(), []))


# ---- rows and their limits

@pytest.mark.parametrize("row, base, here, verdict", [
    ("pages leaked", 0, 0, "pass"),
    ("pages leaked", 0, 1, "fail"),
    ("pages leaked", None, 1, "fail"),      # by itself, without a base
    ("peak pages", 1000, 1050, "pass"),
    ("peak pages", 1000, 1051, "fail"),
    ("peak pages", None, 1051, "skipped"),
    ("peak pages", 1000, None, "skipped"),
    ("fork cost, ns", 100, 50, "pass"),
])
def test_limit(row: str, base: float | None, here: float | None,
               verdict: str) -> None:
    old, new = sides()
    if base is not None:
        old.values[row] = base
    if here is not None:
        new.values[row] = here
    assert leakcheck.judge(row, old, new).verdict == verdict


def test_costs_are_of_what_both_measure() -> None:
    base, here = sides()
    base.best = {"fault/a": 100.0}
    here.best = {"fault/a": 200.0, "fault/new": 9e9}
    leakcheck.set_costs(base, here)
    assert here.values["fault cost, ns"] == pytest.approx(200)
    assert leakcheck.too_much(base, here)


def test_a_finding_is_blamed_on_its_program_once() -> None:
    _, here = sides()
    lost = "audit: frame is lost: frame 80001000, counted 1, found 0"
    new = leakcheck.count_findings(here, {"one": [lost], "two": [lost]})
    assert new == {"one"}
    assert here.values["audit findings"] == 1
    assert here.guilty["one"] == ["audit: frame is lost"]


def test_consoles_are_cut_by_program() -> None:
    found = leakcheck.by_program(["up", "# start one seed 1", "a",
                                  "# start two seed 2", "b"])
    assert found["one"][1:] == ["a"] and found["two"][1:] == ["b"]


# ---- git

def git(folder: Path, *words: str) -> str:
    env = {**leakcheck.clean_environment(), "GIT_CONFIG_NOSYSTEM": "1",
           "HOME": str(folder)}
    return subprocess.run(
        ["git", "-C", str(folder), "-c", "user.name=t", "-c",
         "user.email=t@t", *words], capture_output=True, text=True,
        check=True, env=env).stdout.strip()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository of our scripts, with one commit."""
    shutil.copytree(SCRIPTS, tmp_path / "scripts",
                    ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "Makefile").write_text("all:\n\tfalse\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def check(tree: Path, *args: str, stdin: str = "",
          path: str | None = None) -> subprocess.CompletedProcess[str]:
    env = {**leakcheck.clean_environment(), "PYTHONDONTWRITEBYTECODE": "1"}
    if path is not None:
        env["PATH"] = path
    return subprocess.run(
        [sys.executable, str(tree / "scripts/leakcheck.py"), *args],
        input=stdin, capture_output=True, text=True, env=env, timeout=120)


def refused(done: subprocess.CompletedProcess[str], why: str) -> None:
    assert done.returncode == 2, done.stdout + done.stderr
    (line,) = [line for line in done.stderr.splitlines()
               if line.startswith("leakcheck: ")]
    assert why in line


def test_no_such_base(tree: Path) -> None:
    refused(check(tree, "--base", "nowhere"), "BASE=nowhere: there is no")


def test_dirty_tree(tree: Path) -> None:
    (tree / "Makefile").write_text("all:\n")
    refused(check(tree, "--base", "HEAD"), "dirty tree: Makefile")


def test_base_does_not_build(tree: Path) -> None:
    refused(check(tree, "--base", "HEAD"), "does not build; see ")
    assert "tree" not in git(tree, "worktree", "list").split("/")


def test_no_repository(tree: Path) -> None:
    shutil.rmtree(tree / ".git")
    refused(check(tree), "no git repository")


def test_no_git(tree: Path) -> None:
    refused(check(tree, path=str(tree)), "git: not found")


def test_a_push_of_something_else_is_not_checked(tree: Path) -> None:
    line = f"refs/heads/x {'1' * 40} refs/heads/x {'0' * 40}\n"
    done = check(tree, "--hook", "pre-push", stdin=line)
    assert done.returncode == 0 and "not checked" in done.stdout


def test_a_push_is_compared_with_what_is_there(tree: Path) -> None:
    head = git(tree, "rev-parse", "HEAD")
    line = f"refs/heads/x {head} refs/heads/x {head}\n"
    (tree / "Makefile").write_text("all:\n")
    refused(check(tree, "--hook", "pre-push", stdin=line), "dirty tree")


# ---- installing the hooks

def hooks(tree: Path, what: str) -> int:
    return subprocess.run(
        ["sh", str(tree / "scripts/install_hooks.sh"), what],
        capture_output=True, env=leakcheck.clean_environment()).returncode


def test_hooks_come_and_go(tree: Path) -> None:
    folder = tree / ".git/hooks"
    for hook in ("pre-push", "pre-merge-commit"):
        assert not (folder / hook).exists()
    assert hooks(tree, "install") == 0 and hooks(tree, "install") == 0
    for hook in ("pre-push", "pre-merge-commit"):
        assert os.access(folder / hook, os.X_OK)
    assert hooks(tree, "remove") == 0
    for hook in ("pre-push", "pre-merge-commit"):
        assert not (folder / hook).exists()


def test_a_foreign_hook_stays(tree: Path) -> None:
    foreign = tree / ".git/hooks/pre-push"
    foreign.parent.mkdir(exist_ok=True)
    foreign.write_text("#!/bin/sh\n")
    assert hooks(tree, "install") == 1 and hooks(tree, "remove") == 0
    assert foreign.read_text() == "#!/bin/sh\n"
