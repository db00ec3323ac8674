#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Check the sources against the rules that a compiler cannot check.

Usage: check_style.py [FILE...]          the whole tree if no file is named
       check_style.py --commits RANGE    subjects of commits
Exit:  0 clean, 1 at least one finding, 2 the check itself is broken.

Every rule carries texts that it must flag and texts that it must pass.  They
are tried first, so a rule that has stopped working stops the build instead
of passing everything.
"""
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("kernel", "user", "stress", "fuzz", "scripts")
C_KINDS = (".c", ".h", ".S", ".ld", ".def")
KINDS = C_KINDS + (".py", ".sh")
COLUMNS, TAB, FUNCTION_LINES, SUBJECT = 80, 8, 70, 72
SPDX = "SPDX-License-Identifier: MIT"
VAGUE_NAMES = ("util", "utils", "common", "misc", "helper", "helpers", "defs")

Text = list[str]
Finding = tuple[int, str]       # line number from 1, what to do


@dataclass(frozen=True)
class Rule:
    """check() yields what is wrong in a file of one of the kinds."""

    kinds: tuple[str, ...]
    check: Callable[[Path, Text], Iterator[Finding]]
    must_flag: tuple[tuple[str, str], ...]      # file name and text
    must_pass: tuple[tuple[str, str], ...]


def in_lines(pattern: str, advice: str, plain: bool = False
             ) -> Callable[[Path, Text], Iterator[Finding]]:
    """A check that flags lines; plain: without strings and comments."""
    compiled = re.compile(pattern)

    def check(path: Path, lines: Text) -> Iterator[Finding]:
        for number, line in enumerate(code(lines) if plain else lines, 1):
            if compiled.search(line):
                yield number, advice
    return check


def code(lines: Text) -> Text:
    """The lines with strings and C comments blanked out."""
    out, inside = [], False
    for line in lines:
        kept = ""
        for part in re.split(r'("(?:\\.|[^"\\])*"|/\*|\*/)', line):
            if part == "/*":
                inside = True
            elif part == "*/":
                inside = False
            elif not inside:
                kept += '""' if part.startswith('"') else part
        out.append(kept)
    return out


# ---- checks that see more than a line

def width(path: Path, lines: Text) -> Iterator[Finding]:
    for number, line in enumerate(lines, 1):
        if len(line.expandtabs(TAB)) > COLUMNS:
            yield number, f"longer than {COLUMNS} columns"


def licence(path: Path, lines: Text) -> Iterator[Finding]:
    if path.suffix in C_KINDS:
        wanted, place = f"/* {SPDX} */", lines[:1]
    else:
        wanted, place = f"# {SPDX}", lines[:2]
    if wanted not in place:
        yield 1, f"begin with `{wanted}`"


def head_comment(path: Path, lines: Text) -> Iterator[Finding]:
    """The first comment says what the file is; in C it names it."""
    head = [line for line in lines[:6] if SPDX not in line]
    text = "\n".join(head)
    name = re.escape(path.stem)
    if path.suffix == ".py":
        good = re.match(r'(#!.*\n)?"""\w', text)
    elif path.suffix == ".sh":
        good = re.match(rf"(#!.*\n)?#\n# {name}(\.sh)? - ", text)
    else:
        good = re.match(rf"/\*\s+(\* )?{name}(\.\w+)? - \S", text)
    if not good:
        yield 2, f"say at the head what this is: `{path.name} - ...`"


def guard(path: Path, lines: Text) -> Iterator[Finding]:
    text = "\n".join(lines)
    stem = re.sub(r"\W", "_", path.stem).upper()
    found = re.search(r"^#ifndef (\w+)\n#define (\w+)$", text, re.M)
    if not found or found[1] != found[2] \
            or not found[1].endswith(f"{stem}_H"):
        yield 1, f"guard the header by #ifndef and #define ..._{stem}_H"


def file_name(path: Path, lines: Text) -> Iterator[Finding]:
    if path.stem in VAGUE_NAMES:
        yield 1, "name the file by what it is about"


def functions(lines: Text) -> Iterator[tuple[int, int, Text]]:
    """Start, body's start (from 0) and signature of every definition."""
    for number, line in enumerate(lines):
        if line != "{":
            continue
        start = number
        while start > 0 and re.match(r"[\w\s*(]", lines[start - 1]) \
                and not lines[start - 1].rstrip().endswith((";", "}", "*/")):
            start -= 1
        signature = lines[start:number]
        if any("(" in part for part in signature):
            yield start, number, signature


def function_length(path: Path, lines: Text) -> Iterator[Finding]:
    for start, body, _ in functions(lines):
        end = next((n for n in range(body, len(lines)) if lines[n] == "}"),
                   len(lines))
        if end - body - 1 > FUNCTION_LINES:
            yield start + 1, (f"{end - body - 1} lines of one function: "
                              "divide it")


def return_type(path: Path, lines: Text) -> Iterator[Finding]:
    for start, _, signature in functions(lines):
        named = next(part for part in signature if "(" in part)
        # With an attribute, clang-format insists on a single line.
        if "__attribute__" not in named and not re.match(r"\w+\(", named):
            yield start + 1, "put the return type on its own line"


def own_randomness(path: Path, lines: Text) -> Iterator[Finding]:
    """Programs of the host, the unit tests, may use the host's library."""
    if not ("kernel" in path.parts and path.parent.name == "tests"):
        yield from in_lines(r"(?<![\w.>])(s?rand|random|time)\(",
                            "numbers come from the run's own generator",
                            plain=True)(path, lines)


GUEST = ("/* d */\nint\nmain(void)\n{\n\treturn 0;\n}\n")

RULES = (
    Rule(KINDS, in_lines(r"[ \t]+$", "trailing blank"),
         (("a.c", "x;\t"), ("a.py", "x ")), (("a.c", "x;"),)),
    Rule(KINDS, in_lines(r"\r$", "end lines as Unix does"),
         (("a.c", "x;\r"),), (("a.c", "x;"),)),
    Rule(KINDS, width,
         (("a.c", "\t" * 9 + "123456789"), ("a.py", "x" * 81)),
         (("a.c", "\t" * 9 + "12345678"),)),
    Rule(KINDS, in_lines(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b(?!\(#\d+\))",
                         "write TO" "DO(#issue), or do it now"),
         (("a.c", "/* XX" "X later */"), ("a.py", "# TO" "DO: x")),
         (("a.c", "/* TO" "DO(#7): x */"),)),
    Rule((".c", ".h"), in_lines(r"^\t* {8,}[^\s\\]", "indent by tabs"),
         (("a.c", "        x = 1;"),), (("a.c", "\tx = 1;"),
                                        ("a.c", " * text"))),
    Rule((".c", ".h"), in_lines(r"//", "comment by /* */", plain=True),
         (("a.c", "x; // why"),), (("a.c", 'x("http://"); /* a//b */'),)),
    Rule((".c", ".h"), in_lines(r"\btypedef struct\b",
                                "structs have tags, no typedef"),
         (("a.h", "typedef struct x y;"),), (("a.h", "struct x y;"),)),
    Rule((".c",), in_lines(r'\bpanic\("(?!\w+: \S)',
                           'panic("who: what", ...), so that reports can be '
                           "told apart"),
         (("a.c", 'panic("oops", 1);'),),
         (("a.c", 'panic("kfree: a hole", 1);'),)),
    Rule((".c",), own_randomness,
         (("a.c", "x = rand();"), ("user/tests/a.c", "t = time(0);")),
         (("a.c", "x = rdtime() + my_rand(); /* time() */"),
          ("kernel/dev/tests/a_test.c", "x = rand();"))),
    Rule(KINDS, licence,
         (("a.c", "int x;"), ("a.py", '"""x."""'), ("a.h", "\n/* x */")),
         (("a.c", f"/* {SPDX} */"), ("a.sh", f"#!/bin/sh\n# {SPDX}"))),
    Rule(KINDS, head_comment,
         (("a.c", f"/* {SPDX} */\nint x;"), ("a.py", f"# {SPDX}\nimport x"),
          ("a.sh", f"# {SPDX}\nset -e"), ("a.c", "/* b.c - no */")),
         (("a.c", f"/* {SPDX} */\n/*\n * a.c - the letter.\n */"),
          ("a.h", f"/* {SPDX} */\n/* a.h - the letter. */"),
          ("a.py", f'#!x\n# {SPDX}\n"""The letter."""'),
          ("a.sh", f"#!/bin/sh\n# {SPDX}\n#\n# a.sh - the letter"))),
    Rule((".h",), guard,
         (("a.h", "int x;"), ("a.h", "#ifndef B_H\n#define B_H\n"),
          ("a.h", "#ifndef A_H\n#define AA_H\n")),
         (("a.h", "#ifndef K_A_H\n#define K_A_H\n"),)),
    Rule(KINDS, file_name, (("util.c", ""), ("common.h", "")),
         (("a.c", ""),)),
    Rule((".c", ".h"), function_length,
         (("a.c", "int\nf(void)\n{\n" + "\tx;\n" * 71 + "}\n"),),
         (("a.c", "int\nf(void)\n{\n" + "\tx;\n" * 70 + "}\n"),)),
    Rule((".c", ".h"), return_type,
         (("a.c", "static int f(void)\n{\n}"),
          ("a.c", "int f(int a,\n\tint b)\n{\n}"),
          ("a.c", "static int *f(void)\n{\n}")),
         (("a.c", GUEST), ("a.c", "int\nf(int a,\n\tint b)\n{\n}"),
          ("a.c", "void __attribute__((noreturn)) f(void)\n{\n}"))),
)


def broken_rules() -> list[str]:
    """Samples that are not treated as they must be."""
    wrong = []
    for number, rule in enumerate(RULES):
        for samples, expect in ((rule.must_flag, True),
                                (rule.must_pass, False)):
            for name, text in samples:
                lines = text.split("\n")
                if any(rule.check(Path(name), lines)) != expect:
                    wrong.append(f"rule {number} "
                                 f"{'misses' if expect else 'flags'} {text!r}")
    return wrong


def findings(path: Path, name: str) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        lines = file.read().split("\n")
    return [f"{name}:{number}: {advice}" for rule in RULES
            if path.suffix in rule.kinds
            for number, advice in rule.check(path, lines)]


def tree() -> list[Path]:
    return sorted(path for folder in FOLDERS
                  for path in (ROOT / folder).rglob("*")
                  if path.suffix in KINDS and path.is_file())


# ---- commits

SUBJECTS = re.compile(r"[a-z0-9_./*-]+(, [a-z0-9_./*-]+)*: \S.*[^.\s]")


def bad_subject(subject: str) -> str:
    if len(subject) > SUBJECT:
        return f"longer than {SUBJECT} characters"
    if not SUBJECTS.fullmatch(subject):
        return "write `folder: what`, without a full stop"
    return ""


def commit_findings(revisions: str) -> list[str]:
    done = subprocess.run(
        ["git", "-C", str(ROOT), "log", "--format=%h %s", revisions, "--"],
        capture_output=True, text=True, check=True)
    pairs = (line.split(" ", 1) for line in done.stdout.splitlines())
    return [f"{commit}: {why}: {subject}" for commit, subject in pairs
            if (why := bad_subject(subject))]


def main(argv: list[str]) -> int:
    wrong = broken_rules()
    if wrong:
        print("\n".join(f"check_style: {w}" for w in wrong), file=sys.stderr)
        return 2
    try:
        if argv[:1] == ["--commits"] and len(argv) == 2:
            found = commit_findings(argv[1])
        else:
            paths = [Path(name).resolve() for name in argv] or tree()
            found = [f for path in paths for f in findings(
                path, str(path.relative_to(ROOT)
                          if path.is_relative_to(ROOT) else path))]
    except (OSError, UnicodeDecodeError,
            subprocess.SubprocessError) as error:
        print(f"check_style: {error}", file=sys.stderr)
        return 2
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
