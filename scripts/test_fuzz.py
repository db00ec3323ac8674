# SPDX-License-Identifier: MIT
"""Tests of fuzz.py, fuzz_out.py and fuzz_corpus.py.

afl-fuzz, afl-cmin and our own tools are scripts here that do with folders
and signals what the real ones do, so every way in which a run can end is
tried in a second, and no kernel is run.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import fuzz
import fuzz_child
import fuzz_corpus
import fuzz_out
from qemu import Broken

SCRIPTS = Path(__file__).resolve().parent

# Keeps the queue if fuzzer_stats is whole, deletes it if not; a crash, and
# how it ends, by the environment.
AFL_FUZZ = '''#!{python}
import os, pathlib, signal, sys, time
words = sys.argv[1:]
def option(name):
    return words[words.index(name) + 1]
name = option("-S")
out = pathlib.Path(option("-o"), name)
queue, stats = out / "queue", out / "fuzzer_stats"
with open(os.environ["FAKE_CALLS"], "a") as calls:
    calls.write(" ".join(words) + " | " + " ".join(
        k + "=" + v for k, v in os.environ.items() if k[:4] == "AFL_") + "\\n")
if "die" in os.environ.get("FAKE", ""):
    print("\\x1b[1;31m[-] PROGRAM ABORT : \\x1b[0mno disk here")
    sys.exit(1)
for folder in queue, out / "crashes":
    folder.mkdir(parents=True, exist_ok=True)
if not (stats.exists() and stats.read_text().startswith("start_time")):
    for path in queue.iterdir():
        path.unlink()
    for n, path in enumerate(sorted(pathlib.Path(option("-i")).iterdir())):
        (queue / f"id:{{n:06}},orig:{{path.name}}").write_bytes(
            path.read_bytes())
if "crash" in os.environ.get("FAKE", ""):
    (out / "crashes/id:000000,sig:06").write_bytes(b"SP1 crash")
def write():
    stats.write_text("start_time        : 1\\nlast_update       : 2\\n"
        "run_time          : 10\\nexecs_done        : 12340\\n"
        f"corpus_count      : {{len(list(queue.iterdir()))}}\\n"
        "execs_per_sec     : inf\\nstability         : 100.00%\\n"
        "bitmap_cvg        : 6.25%\\nedges_found       : 4096\\n")
    (out / "plot_data").write_text("# relative_time, execs_per_sec, "
        "edges_found\\n1, 100.0, 40\\n2, 110.0, 50\\n")
def end(number, frame):
    write()
    sys.exit(0)
signal.signal(signal.SIGINT, end)
signal.signal(signal.SIGTERM, end)
write()
if "once" in os.environ.get("FAKE", "") and not (out / "once").exists():
    (out / "once").touch()
    sys.exit(1)
with open(os.environ["FAKE_CALLS"] + ".ready", "a") as ready:
    ready.write("x")
while True:
    time.sleep(0.05)
'''

TOOL = '''#!{python}
import pathlib, sys, time
words = sys.argv[1:]
stop = pathlib.Path(words[words.index("--stop-file") + 1])
findings = pathlib.Path(words[words.index("--out") + 1])
while not stop.exists():
    time.sleep(0.05)
for word in words:
    folder, _, kernel = word.partition("=")
    if kernel and any(pathlib.Path(folder).glob("crashes*/id:*")):
        one = findings / "001-panic-free"
        one.mkdir(parents=True, exist_ok=True)
        (one / "report.md").write_text(kernel)
'''

# As text a program begins with a word of its own.
PROG = '''#!/bin/sh
[ "$2" = -o ] || exit 2
grep -q 'SP1\\|program' "$4" || { echo "$4:1: not a program" >&2; exit 1; }
if [ "$1" = binary ]; then sed 's/^program/SP1/' "$4"
else sed 's/^SP1/program/' "$4"; fi > "$3"
'''

# Keeps those that say so.
AFL_CMIN = '''#!/bin/sh
[ "$1" = -i ] && [ "$3" = -o ] && mkdir "$4" || exit 1
grep -l keep "$2"/* | while read -r f; do cp "$f" "$4"; done
'''


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace("{python}", sys.executable)
                    .replace("{{", "{").replace("}}", "}"))
    path.chmod(0o755)


class Tree:
    """What `make fuzz` builds, a corpus, and tools that are scripts."""

    def __init__(self, folder: Path):
        self.folder, self.fuzz = folder, folder / "fuzz"
        self.corpus, self.bin = folder / "corpus", folder / "bin"
        script(self.bin / "afl-fuzz", AFL_FUZZ)
        script(self.bin / "afl-cmin", AFL_CMIN)
        script(self.fuzz / "stampede-fuzz", TOOL)
        script(self.fuzz / "prog", PROG)
        for name in ("monitor.elf", "mutator.so", "plain/kernel",
                     "asan/kernel"):
            (self.fuzz / name).parent.mkdir(exist_ok=True)
            (self.fuzz / name).write_text(name)
        self.add("seeds/fork", "a")
        self.add("regress/0001-leak", "b")

    def add(self, name: str, text: str) -> None:
        path = self.corpus / f"{name}.prog"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"program {text}\n")

    def start(self, *args: str, fake: str = "") -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(SCRIPTS / "fuzz.py"), "--fuzz",
             str(self.fuzz), "--corpus", str(self.corpus), *args],
            env={**os.environ, "FAKE": fake, "FAKE_CALLS":
                 str(self.folder / "calls"),
                 "PATH": f"{self.bin}:{os.environ['PATH']}"},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *args: str, fake: str = "") -> tuple[int, str, str]:
        """Stop it when an instance has done its part, if it does not end."""
        before = self.ready()
        process = self.start(*(args or ("--jobs", "1")), fake=fake)
        until(lambda: self.ready() > before or process.poll() is not None)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def ready(self) -> int:
        path = self.folder / "calls.ready"
        return path.stat().st_size if path.exists() else 0

    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def queue(self, name: str = "main") -> set[str]:
        """The programs of an instance, by what they say."""
        return {path.read_text().split()[-1] for path in
                fuzz_out.queue_files(self.fuzz / "out" / name)}

    def pids(self) -> list[int]:
        record = fuzz_out.Record.load(self.fuzz / "out")
        return record.pids if record else []


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    state = fuzz_out.read_text(Path(f"/proc/{pid}/stat")).rpartition(")")[2]
    return bool(state) and state.split()[0] != "Z"


# ---- options and what has to be there

@pytest.mark.parametrize("text, seconds", [
    ("", None), ("90s", 90), ("10m", 600), ("8h", 28800), ("1d", 86400),
    ("0.5h", 1800)])
def test_times(text: str, seconds: float | None) -> None:
    assert fuzz.parse_time(text) == seconds


@pytest.mark.parametrize("text", ["8", "h", "-1h", "8 h", "1h30m", "0s",
                                  "8H", "infs"])
def test_bad_times(text: str) -> None:
    with pytest.raises(Broken, match="such as FUZZ_TIME=90s"):
        fuzz.parse_time(text)


@pytest.mark.parametrize("args, advice", [
    (("--time", "8"), "FUZZ_TIME=8: give a number with its unit"),
    (("--jobs", "0"), "JOBS=0: give a number from 1 to 256"),
    (("--jobs", "two"), "JOBS=two: give a number from 1 to 256"),
    (("--seed", "x"), "SEED=x: give a number"),
    (("--flavors", "foo"), "is FLAVOR=foo right?"),
])
def test_wrong_options(tree: Tree, args: tuple[str, ...],
                       advice: str) -> None:
    status, _, err = tree.run(*args)
    assert status == 2 and advice in err
    assert len(err.splitlines()) == 1
    assert not tree.calls()
    if "--flavors" not in args:
        assert tree.run("--check", *args) == (2, "", err)


def test_right_options(tree: Tree) -> None:
    args = ("--check", "--time", "8h", "--jobs", "2", "--seed", "", "--fuzz",
            str(tree.folder / "none"))
    assert tree.run(*args) == (0, "", "")
    assert not (tree.folder / "none").exists()
    options = fuzz.parse_args(["--jobs", "2", "--flavors", "a b, c"])
    assert options.flavors == ["a", "b"]


def test_no_afl(tree: Tree) -> None:
    (tree.bin / "afl-fuzz").unlink()
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "fuzz.py"), "--fuzz", str(tree.fuzz)],
        env={**os.environ, "PATH": str(tree.bin)}, capture_output=True,
        text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("fuzz: afl-fuzz: not found; run `scripts/")


@pytest.mark.parametrize("name", ["mutator.so", "prog", "plain/kernel"])
def test_not_built(tree: Tree, name: str) -> None:
    (tree.fuzz / name).unlink()
    status, _, err = tree.run()
    assert status == 2 and name in err and "run `make fuzz`" in err


def test_no_space(tree: Tree) -> None:
    options = fuzz.parse_args(["--fuzz", str(tree.fuzz)])
    with pytest.raises(Broken, match="MB free, .* MB needed; make room"):
        fuzz.check_space(options, 1 << 60)


def test_bad_program_in_the_corpus(tree: Tree) -> None:
    (tree.corpus / "seeds/old.prog").write_text("nothing\n")
    status, _, err = tree.run()
    assert status == 2 and "old.prog:1: not a program" in err


# ---- a run

def test_run(tree: Tree) -> None:
    process = tree.start("--time", "1h", "--jobs", "3", "--flavors",
                         "plain,asan", "--seed", "7", "--every", "0.2")
    assert process.stdout
    assert process.stdout.readline() == \
        "fuzz: seed 7, 3600 s, 3 jobs: plain, asan, plain\n"
    until(lambda: "1,234 + 1,234 + 1,234/s" in process.stdout.readline())
    line = process.stdout.readline()
    assert "37,020 executions, 1,234 + 1,234 + 1,234/s, 2 programs" in line
    assert "4,096 edges (6.25%), stability 100%" in line
    assert "0 findings" in line
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, out + err
    calls = sorted(tree.calls())
    assert [c.split(" -t ")[0].split()[-2:] for c in calls] \
        == [["-S", "main"], ["-S", "s1"], ["-S", "s2"]]
    assert f"--kernel {tree.fuzz}/asan/kernel" in calls[1]
    assert "-s 8 " in calls[1]
    assert f"AFL_CUSTOM_MUTATOR_LIBRARY={tree.fuzz}/mutator.so" in calls[0]
    assert all("AFL_AUTORESUME=1" in call for call in calls)
    assert tree.queue() == {"a", "b"}
    assert "12,340" in (tree.fuzz / "report/index.html").read_text()
    assert not any(alive(pid) for pid in tree.pids())


def test_time_is_up(tree: Tree) -> None:
    process = tree.start("--jobs", "1", "--time", "0.1s")
    assert process.wait(30) == 0


def test_findings(tree: Tree) -> None:
    status, out, _ = tree.run(fake="crash")
    assert status == 1
    assert f"finding: {tree.fuzz}/findings/001-panic-free/report.md" in out
    assert "1 finding, 1 of them new" in out
    # Judged on the kernel that it was found in.
    assert (tree.fuzz / "findings/001-panic-free/report.md").read_text() \
        == str(tree.fuzz / "plain/kernel")
    status, out, _ = tree.run()
    assert status == 1 and "1 finding, 0 of them new" in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped(tree: Tree, number: int) -> None:
    process = tree.start("--jobs", "2")
    until(lambda: tree.ready() == 2)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, out + err
    assert "fuzz: stopping" in out and "0 findings" in out
    assert not any(alive(pid) for pid in tree.pids())


def test_killed(tree: Tree) -> None:
    """The children end, too, and the next run goes on."""
    process = tree.start("--jobs", "2")
    until(lambda: tree.ready() == 2)
    process.kill()
    process.communicate(timeout=30)
    pids = tree.pids()
    assert len(pids) == 2
    until(lambda: not any(alive(pid) for pid in pids))
    (tree.fuzz / "out/main/queue/id:000002,found").write_text("SP1 c\n")
    assert tree.run()[0] == 0
    assert tree.queue() == {"a", "b", "c"}


def test_one_at_a_time(tree: Tree) -> None:
    process = tree.start("--jobs", "1")
    until(tree.ready)
    status, _, err = tree.run()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert status == 2 and "runs there already" in err


def test_an_instance_that_ends_is_started_again(tree: Tree) -> None:
    status, out, _ = tree.run(fake="once")
    assert status == 0
    assert "main ended and is started again: exit status 1" in out
    assert len(tree.calls()) == 2


def test_an_instance_that_cannot_start(tree: Tree) -> None:
    status, out, err = tree.run(fake="die")
    assert status == 2
    assert err.strip() == "fuzz: afl-fuzz: no disk here"
    assert "main ends at once, given up" in out
    assert len(tree.calls()) == fuzz_child.TRIES


# ---- going on

@pytest.mark.parametrize("stats", [None, "", "start_time        : 1\nlast"])
def test_power_cut(tree: Tree, stats: str | None) -> None:
    """Torn figures, empty files: no program and no crash is lost."""
    tree.run(fake="crash")
    main = tree.fuzz / "out/main"
    (main / "queue/id:000002,found").write_text("SP1 c\n")
    (main / "queue/id:000003,found").write_text("")
    (main / "queue/id:000004,found").write_bytes(bytes(40))
    (main / "fuzzer_stats").unlink()
    if stats is not None:
        (main / "fuzzer_stats").write_text(stats)
    (tree.fuzz / "out/.run.json").write_text("")
    status, out, err = tree.run()
    assert status == 1, err
    assert "main: removed what is empty or torn of its queue, 2 files" in out
    assert "main: cannot go on from its figures" in out
    assert tree.queue() == {"a", "b", "c"}
    assert (main / "crashes.1/id:000000,sig:06").exists()


def test_cut_off_while_going_on(tree: Tree) -> None:
    """The old queue is in _resume, and the new one not complete."""
    tree.run()
    main = tree.fuzz / "out/main"
    (main / "queue/id:000002,found").write_text("SP1 c\n")
    (main / "queue").rename(main / "_resume")
    (main / "fuzzer_stats").unlink()
    assert tree.run()[0] == 0
    assert tree.queue() == {"a", "b", "c"}


def test_no_seed_is_fixed_unasked(tree: Tree) -> None:
    """With -s afl-fuzz does not favour fast programs."""
    process = tree.start("--time", "1h", "--jobs", "1", "--every", "0.2")
    assert process.stdout
    assert process.stdout.readline() == \
        "fuzz: no fixed seed, 3600 s, 1 job: plain\n"
    until(lambda: "1,234/s" in process.stdout.readline())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, out + err
    assert "no fixed seed;" in out
    (call,) = tree.calls()
    assert " -s " not in call


def test_new_seeds_reach_an_old_run(tree: Tree) -> None:
    tree.run()
    tree.add("regress/0002-new", "d")
    status, out, _ = tree.run()
    assert status == 0 and "main: 1 seeds that are new" in out
    assert tree.queue() == {"a", "b", "d"}
    assert "new" not in tree.run()[1].split("0 findings")[0]


def test_another_kernel(tree: Tree) -> None:
    tree.run(fake="crash")
    (tree.fuzz / "out/main/queue/id:000002,found").write_text("SP1 c\n")
    (tree.fuzz / "plain/kernel").write_text("mended")
    _, out, _ = tree.run()
    assert "is of another plain build: its programs are seeds now" in out
    assert tree.queue() == {"a", "b", "c"}
    assert (tree.fuzz / "out/main/crashes.1").is_dir()
    assert "seeds now" not in tree.run()[1]


def test_other_format(tree: Tree) -> None:
    tree.run()
    path = tree.fuzz / "out/.run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()),
                                "wire": "SP0"}))
    status, _, err = tree.run()
    assert status == 2 and "its programs have format SP0" in err
    assert len(err.splitlines()) == 1


def test_foreign_folder(tree: Tree) -> None:
    (tree.fuzz / "out/default/queue").mkdir(parents=True)
    (tree.fuzz / "out/default/queue/id:0").write_text("GIF89a")
    status, _, err = tree.run()
    assert status == 2 and "not written by this fuzzer" in err
    assert (tree.fuzz / "out/default/queue/id:0").exists()


# ---- shared memory

SEGMENTS = """\
       key      shmid perms       size  cpid  lpid nattch   uid   gid  cuid
         0         11   600    8388608   501   502      0     0     0     7
         0         12   600    1048580   501   502      1     0     0     7
         0         13   600    8388608   900   502      0     0     0     7
         0         14   600    8388608   501   502      0     0     0     8
"""


def test_leaked_segments() -> None:
    """Of our processes, of this user, with nobody attached."""
    assert fuzz_out.leaked_segments(SEGMENTS, {501}, 7) == [11]
    assert fuzz_out.leaked_segments("", {501}, 7) == []


def test_segments_of_before_a_reboot_are_not_ours() -> None:
    record = fuzz_out.Record(boot="another", pids=[1, os.getpid()])
    assert fuzz_out.remove_segments(record) == 0


# ---- figures

def test_plot_data() -> None:
    text = ("# relative_time, map_size, edges_found\n"
            "60, 3.5%, 100\n120, 4\n180, nonsense, 1\n240, 5.00%, 2")
    assert fuzz_out.parse_plot(text) == [
        {"relative_time": 60, "map_size": 3.5, "edges_found": 100},
        {"relative_time": 240, "map_size": 5, "edges_found": 2}]
    assert fuzz_out.parse_plot("1, 2") == []


@pytest.mark.parametrize("stats, rate", [
    ("run_time : 10\nexecs_done : 500", 50),
    ("run_time : 0\nexecs_done : 500\nexecs_per_sec : inf", 0),
    ("", 0), ("run_time : x..\nexecs_done : .", 0)])
def test_rate(stats: str, rate: float) -> None:
    assert fuzz_out.Instance("main", fuzz_out.parse_stats(stats),
                             []).rate() == rate


# ---- the corpus

@pytest.fixture
def merged(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tree]:
    monkeypatch.setenv("PATH", f"{tree.bin}:{os.environ['PATH']}")
    queue = tree.fuzz / "out/main/queue"
    queue.mkdir(parents=True)
    (queue / "id:000000,orig").write_text("SP1 a keep\n")
    (queue / "id:000001,new").write_text("SP1 x keep\n")
    (queue / "id:000002,new").write_text("SP1 dull\n")
    (queue / "id:000003,torn").write_text("")
    tree.add("seeds/fork", "a keep")
    yield tree


def merge(tree: Tree) -> str:
    return fuzz_corpus.merge(tree.fuzz, tree.corpus, ["target"])


def test_merge_adds_what_is_new_once(merged: Tree) -> None:
    assert "4 programs, 2 of them reach all" in merge(merged)
    found = list((merged.corpus / "found").iterdir())
    assert [path.read_text() for path in found] == ["program x keep\n"]
    assert found[0].stem == fuzz_out.digest(b"SP1 x keep\n")
    assert "0 new in" in merge(merged)
    assert not list(merged.fuzz.glob("merge-*"))


def test_merge_without_a_run(tree: Tree) -> None:
    with pytest.raises(Broken, match="run `make fuzz` first"):
        merge(tree)


def test_merge_when_afl_cmin_fails(merged: Tree) -> None:
    script(merged.bin / "afl-cmin", "#!/bin/sh\nexit 3\n")
    with pytest.raises(Broken, match="afl-cmin: exit status 3; see "):
        merge(merged)
    assert not (merged.corpus / "found").exists()


def test_seeds_follow_the_corpus(tree: Tree) -> None:
    into = tree.folder / "in"
    prog = tree.fuzz / "prog"
    assert [p.name for p in fuzz_corpus.to_binary(prog, tree.corpus, into)] \
        == ["regress-0001-leak", "seeds-fork"]
    assert (into / "seeds-fork").read_text() == "SP1 a\n"
    (tree.corpus / "seeds/fork.prog").unlink()
    fuzz_corpus.to_binary(prog, tree.corpus, into)
    assert [p.name for p in into.iterdir()] == ["regress-0001-leak"]
    shutil.rmtree(tree.corpus)
    with pytest.raises(Broken, match="no programs in"):
        fuzz_corpus.to_binary(prog, tree.corpus, into)
