#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Programs on their way between corpus/ and AFL++.

Usage: fuzz_corpus.py merge [--fuzz build/fuzz] [--corpus corpus]
Exit:  0 done, 2 it could not be done.

In corpus/ programs are text, for people and for git; for AFL++ they are
binary.  merge takes what the instances have found into corpus/found: of all
programs, old and new, afl-cmin chooses the few that reach all that is
reached, and the new ones among them are written as text.  A file is named by
its content, so two machines give the same program the same name.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import fuzz_out
from qemu import Broken, end_with_grace

FOLDERS = ("seeds", "regress", "found")
INSTALL = "run `scripts/setup.sh fuzz`, which installs what is missing"
SUFFIX = ".prog"


# ---- text and binary

def convert(prog: Path, form: str, source: Path, target: Path) -> None:
    """Write source to target as `binary` or as `text`."""
    try:
        done = subprocess.run([prog, form, "-o", target, source], text=True,
                              capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise Broken(f"{prog}: {error}; run `make fuzz`") from error
    if done.returncode:
        why = (done.stderr or done.stdout).strip().splitlines()
        raise Broken(why[-1] if why else f"{source}: not a program of this "
                     "version; remove it or write it anew")


def programs(corpus: Path) -> list[Path]:
    return [path for name in FOLDERS
            for path in sorted((corpus / name).glob(f"*{SUFFIX}"))]


def to_binary(prog: Path, corpus: Path, into: Path) -> list[Path]:
    """All of corpus/ in binary form; what did not change is not done again.

    Leaves nothing else in the folder.
    """
    into.mkdir(parents=True, exist_ok=True)
    wanted = {into / f"{path.parent.name}-{path.stem}": path
              for path in programs(corpus)}
    if not wanted:
        raise Broken(f"{corpus}: no programs in {' '.join(FOLDERS)}; "
                     "name a folder that holds some with --corpus")
    for path in into.iterdir():
        if path not in wanted:
            path.unlink()
    for target, source in wanted.items():
        newest = max(source.stat().st_mtime, prog.stat().st_mtime)
        if not target.exists() or target.stat().st_mtime < newest:
            convert(prog, "binary", source, target.with_name(".new"))
            target.with_name(".new").replace(target)
    return sorted(wanted)


# ---- what AFL++ found, into corpus/

def gather(known: list[Path], out: Path, into: Path) -> set[str]:
    """Copy all programs, each once; the names of those that are known."""
    into.mkdir()
    names = {fuzz_out.digest(path.read_bytes()) for path in known}
    for path in [*known, *(p for folder in sorted(out.glob("*/"))
                           for p in fuzz_out.queue_files(folder))]:
        data = path.read_bytes()
        if data.startswith(fuzz_out.WIRE):
            (into / fuzz_out.digest(data)).write_bytes(data)
    return names


def minimise(target: list[str], source: Path, into: Path, log: Path) -> None:
    """Let afl-cmin choose; target is the command that runs one input.

    By edges alone: with counts it would be several times as many programs,
    which a run finds again in minutes.
    """
    if shutil.which("afl-cmin") is None:
        raise Broken(f"afl-cmin: not found; {INSTALL}")
    env = {**os.environ, "AFL_ALLOW_TMP": "1", "AFL_CMIN_ALLOW_ANY": "1",
           "AFL_FORKSRV_INIT_TMOUT": "60000", "AFL_NO_AFFINITY": "1"}
    with log.open("w", encoding="utf-8") as file:
        done = subprocess.run(
            ["afl-cmin", "-i", source, "-o", into, "-e", "-m", "none", "-t",
             "60000", "--", *target], env=env, stdin=subprocess.DEVNULL,
            stdout=file, stderr=subprocess.STDOUT)
    if done.returncode or not any(into.glob("*")):
        raise Broken(f"afl-cmin: exit status {done.returncode}; see {log}")


def add_new(prog: Path, chosen: Path, known: set[str], found: Path,
            work: Path) -> int:
    """Write the new ones of the chosen as text; how many there were."""
    added = 0
    found.mkdir(parents=True, exist_ok=True)
    for path in sorted(chosen.iterdir()):
        convert(prog, "text", path, work / "text")
        convert(prog, "binary", work / "text", work / "canonical")
        name = fuzz_out.digest((work / "canonical").read_bytes())
        target = found / f"{name}{SUFFIX}"
        if path.name in known or name in known or target.exists():
            continue
        fuzz_out.write_whole(target, (work / "text").read_bytes())
        added += 1
    return added


def merge(fuzz: Path, corpus: Path, target: list[str]) -> str:
    """Do it; what to tell."""
    prog, found = fuzz / "prog", corpus / "found"
    out = fuzz / "out"
    if not any(fuzz_out.queue_files(folder) for folder in out.glob("*/")):
        raise Broken(f"{out}: nothing was found yet; run `make fuzz` first")
    with tempfile.TemporaryDirectory(prefix="merge-", dir=fuzz) as name:
        work = Path(name).resolve()
        known = to_binary(prog, corpus, work / "known")
        names = gather(known, out, work / "all")
        total = len(list((work / "all").iterdir()))
        minimise(target, work / "all", work / "chosen", fuzz / "cmin.log")
        chosen = len(list((work / "chosen").iterdir()))
        added = add_new(prog, work / "chosen", names, found, work)
    return (f"corpus-merge: {total} programs, {chosen} of them reach all "
            f"that is reached; {added} new in {found}/")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Take in what was found.")
    parser.add_argument("what", choices=("merge",))
    parser.add_argument("--fuzz", type=Path, default="build/fuzz")
    parser.add_argument("--corpus", type=Path, default="corpus")
    parser.add_argument("--flavor", default="plain")
    args = parser.parse_args(argv)
    end_with_grace()
    fuzz = args.fuzz.resolve()
    try:
        print(merge(fuzz, args.corpus, [
            str(fuzz / "stampede-fuzz"), "afl",
            "--kernel", str(fuzz / args.flavor / "kernel"),
            "--monitor", str(fuzz / "monitor.elf")]))
    except (Broken, OSError) as error:
        print(f"corpus-merge: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("corpus-merge: interrupted", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
