#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Write what fuzzing has come to as one HTML file.

Usage: fuzz_report.py [--fuzz build/fuzz]
Exit:  0 written, 2 it could not be.

Everything is in the file itself, build/fuzz/report/index.html, but for links
to the findings' own folders.  What was not measured is left out, so it can be
written at any time; a run of scripts/fuzz.py does so every ten minutes.
"""
import argparse
import json
import math
import os
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import fuzz_out

WIDTH, HEIGHT = 720, 240            # of a diagram, in its own units
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 32
POINTS = 400                        # of a line, at most
COLOURS = 6
SMALL, DAY = 60, 86400

STYLE = """
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5b6675;
  --page: #f6f7f9; --card: #fff; --line: #d9dee5; --good: #1c7c4a;
  --bad: #b3261e; --bar: #3c7dd9; --c0: #2467c9; --c1: #c2570c;
  --c2: #1c7c4a; --c3: #8e3bb0; --c4: #a3820a; --c5: #b3265e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee;
  --soft: #9aa5b4; --page: #14171c; --card: #1d2128; --line: #343b46;
  --good: #58c48b; --bad: #ff8a80; --bar: #5b9bf0; --c0: #6aa8ff;
  --c1: #ff9f5a; --c2: #58c48b; --c3: #d08bf0; --c4: #e0c050;
  --c5: #ff7fae; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; color: var(--ink);
  background: var(--page); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: .5rem 0 0; }
h2 { font-size: 1.15rem; margin: 0 0 .5rem; }
p { margin: .25rem 0 .75rem; }
.soft { color: var(--soft); font-size: .9rem; }
section { background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem; padding: 1rem; margin: 1rem 0; }
.tiles { display: grid; gap: .75rem; margin: 1rem 0;
  grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); }
.tile { background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem; padding: .6rem .8rem; }
.tile b { display: block; font-size: 1.35rem; line-height: 1.3;
  font-variant-numeric: tabular-nums; white-space: nowrap; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem;
  font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--soft); font-weight: 600;
  white-space: nowrap; }
th, td { padding: .25rem .6rem .25rem 0; border-bottom: 1px solid
  var(--line); vertical-align: top; }
.n { text-align: right; white-space: nowrap; }
td:last-child, th:last-child { padding-right: 0; }
code { font-family: ui-monospace, monospace; font-size: .9em;
  overflow-wrap: anywhere; }
td code { display: block; min-width: 8rem; }
a { color: var(--c0); }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
.grid { stroke: var(--line); stroke-width: 1; }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round;
  vector-effect: non-scaling-stroke; }
.key { display: flex; flex-wrap: wrap; gap: .25rem 1rem;
  font-size: .9rem; margin: .25rem 0 0; }
.key i { display: inline-block; width: 1rem; height: .25rem;
  margin-right: .4rem; vertical-align: middle; border-radius: 2px; }
.bar { display: block; min-width: 4rem; height: .6rem; margin-top: .45rem;
  background: var(--line); border-radius: .3rem; overflow: hidden; }
.bar i { display: block; height: 100%; background: var(--bar); }
.good { color: var(--good); } .bad { color: var(--bad); }
summary { cursor: pointer; padding: .3rem 0; }
summary .bar { display: inline-block; width: 6rem; margin: 0 .6rem;
  vertical-align: middle; }
summary code { display: inline-block; min-width: 14rem; }
@media (max-width: 40rem) { svg text { font-size: 20px; }
  summary .soft { display: block; } }
details { border-bottom: 1px solid var(--line); }
details table { margin: .25rem 0 .75rem; }
"""


# ---- numbers as people read them

def count(value: float) -> str:
    return f"{value:,.0f}"


def rounded(value: float) -> str:
    for size, unit in ((1e9, "G"), (1e6, "M")):
        if value >= 10 * size or value >= size >= 1e9:
            return f"{value / size:,.1f} {unit}"
    return count(value)


def plain(value: float) -> str:
    return count(value) if abs(value) >= 1000 else f"{value:.4g}"


def share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def duration(seconds: float) -> str:
    whole = int(seconds)
    if whole < SMALL:
        return f"{whole} s"
    days, rest = divmod(whole, DAY)
    clock = f"{rest // 3600}:{rest % 3600 // 60:02} h" if whole >= 3600 \
        else f"{rest // 60}:{rest % 60:02} min"
    return f"{days} d {clock}" if days else clock


# ---- pieces of HTML; what they are given is text, not HTML

def cell(value: object, kind: str = "") -> str:
    return f'<td{kind and f" class={kind}"}>{escape(str(value))}</td>'


def table(head: Sequence[str], rows: Iterable[str], left: int = 1) -> str:
    """Rows are ready; all columns but the first few hold numbers."""
    names = "".join(f'<th{" class=n" if n >= left else ""}>{escape(name)}'
                    "</th>" for n, name in enumerate(head))
    return (f'<div class="wide"><table><thead><tr>{names}</tr></thead>'
            f'<tbody>{"".join(f"<tr>{row}</tr>" for row in rows)}</tbody>'
            "</table></div>")


def section(title: str, body: str, note: str = "") -> str:
    if not body:
        return ""
    said = f'<p class="soft">{escape(note)}</p>' if note else ""
    return f"<section><h2>{escape(title)}</h2>{said}{body}</section>"


def bar(part: float, whole: float) -> str:
    width = 100 * min(1.0, part / whole) if whole else 0
    return f'<span class="bar"><i style="width:{width:.1f}%"></i></span>'


# ---- diagrams

@dataclass
class Line:
    name: str
    points: list[tuple[float, float]]


def thin(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most POINTS points: each the mean of a stretch; the ends stay."""
    if len(points) <= POINTS:
        return list(points)
    out = [points[0]]
    inner = points[1:-1]
    size = len(inner) / (POINTS - 2)
    for n in range(POINTS - 2):
        part = inner[int(n * size):max(int(n * size) + 1,
                                       int((n + 1) * size))]
        out.append((sum(x for x, _ in part) / len(part),
                    sum(y for _, y in part) / len(part)))
    return out + [points[-1]]


def step(most: float, steps: int = 4) -> float:
    """A round distance of grid lines: about that many up to most."""
    raw = max(most, 1e-9) / steps
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * f for f in (1, 2, 5, 10) if power * f >= raw)


def time_step(most: float) -> float:
    return next((s for s in (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200,
                             14400, 28800, DAY) if most / s <= 6),
                math.ceil(most / 6 / DAY) * DAY)


def short(value: float) -> str:
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{value / (1e3 if unit == 'k' else size):g}{unit}"
    return f"{value:g}"


def ticks(most: float, distance: float) -> list[float]:
    return [n * distance for n in range(int(most / distance + 1e-9) + 1)]


def diagram(title: str, lines: Sequence[Line]) -> str:
    """Lines over time, from zero up, as SVG with a key."""
    lines = [line for line in lines if len(line.points) > 1]
    if not lines:
        return ""
    last = max(x for line in lines for x, _ in line.points) or 1
    top = max(y for line in lines for _, y in line.points) or 1
    rise = step(top)
    top = math.ceil(top / rise) * rise

    def at(x: float, y: float) -> tuple[float, float]:
        return (LEFT + x / last * (WIDTH - LEFT - RIGHT),
                HEIGHT - BOTTOM - y / top * (HEIGHT - TOP - BOTTOM))

    parts = []
    for value in ticks(top, rise):
        x, y = at(0, value)
        parts.append(f'<line class="grid" x1="{x}" y1="{y:.1f}" '
                     f'x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>'
                     f'<text x="{x - 8}" y="{y + 4:.1f}" '
                     f'text-anchor="end">{short(value)}</text>')
    for value in ticks(last, time_step(last)):
        x, y = at(value, 0)
        anchor = "end" if x > WIDTH - 3 * RIGHT else "middle"
        parts.append(f'<text x="{x:.1f}" y="{y + 20:.1f}" '
                     f'text-anchor="{anchor}">{duration(value)}</text>')
    for n, line in enumerate(lines):
        path = " ".join("{:.1f},{:.1f}".format(*at(x, y))
                        for x, y in thin(line.points))
        parts.append(f'<polyline class="curve" style="stroke:var(--c'
                     f'{n % COLOURS})" points="{path}"/>')
    key = "".join(f'<span><i style="background:var(--c{n % COLOURS})"></i>'
                  f"{escape(line.name)}</span>"
                  for n, line in enumerate(lines))
    return (f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{escape(title)}">{"".join(parts)}</svg>'
            f'<div class="key">{key}</div>')


def edges(one: fuzz_out.Instance) -> Line:
    """Never falling: a start counts anew what was reached before."""
    most, points = 0.0, []
    for row in one.plot:
        most = max(most, row.get("edges_found", 0))
        points.append((row.get("relative_time", 0), most))
    return Line(one.name, points)


def rates(one: fuzz_out.Instance) -> Line:
    """Without the zeros that a start begins with."""
    return Line(one.name, [
        (row.get("relative_time", 0), row["execs_per_sec"])
        for row in one.plot if row.get("execs_per_sec", 0) > 0])


# ---- what there is to show

def load(path: Path) -> object:
    try:
        return json.loads(fuzz_out.read_text(path))
    except ValueError:
        return None


def dicts(found: object, key: str = "") -> list[dict]:
    """A list of dictionaries, bare or under a key; else nothing."""
    if key and isinstance(found, dict):
        found = found.get(key)
    return [one for one in found if isinstance(one, dict)] \
        if isinstance(found, list) else []


def number(found: dict, key: str) -> float:
    value = found.get(key, 0)
    return float(value) if isinstance(value, (int, float)) else 0.0


def tiles(instances: Sequence[fuzz_out.Instance], findings: int,
          coverage: object) -> str:
    total = sum(i.number("execs_done") for i in instances)
    seconds = max((i.number("run_time") for i in instances), default=0)
    shown = [("executions", rounded(total), ""),
             ("time", duration(seconds), ""),
             ("per second", count(sum(
                 i.rate() for i in instances)), ""),
             ("programs", count(max(
                 (i.number("corpus_count") for i in instances), default=0)),
              ""),
             ("findings", str(findings), "bad" if findings else "good")]
    whole = coverage.get("total") if isinstance(coverage, dict) else None
    if isinstance(whole, dict):
        shown.append(("kernel lines", share(
            number(whole, "lines_hit"), number(whole, "lines")), ""))
    return '<div class="tiles">' + "".join(
        f'<div class="tile"><span class="soft">{escape(name)}</span>'
        f'<b class="{kind}">{escape(value)}</b></div>'
        for name, value, kind in shown) + "</div>"


def instance_table(instances: Sequence[fuzz_out.Instance]) -> str:
    if not instances:
        return "<p>No instance has written its figures yet.</p>"
    return table(
        ("instance", "executions", "per second", "programs", "edges", "map",
         "stability", "crash files", "hangs"),
        (cell(one.name)
         + cell(count(one.number("execs_done")), "n")
         + cell(count(one.rate()), "n")
         + cell(count(one.number("corpus_count")), "n")
         + cell(count(one.number("edges_found")), "n")
         + cell(one.stats.get("bitmap_cvg", ""), "n")
         + cell(one.stats.get("stability", ""), "n")
         + "".join(cell(count(one.number(key)), "n") for key in
                   ("saved_crashes", "saved_hangs"))
         for one in instances))


def finding_list(fuzz: Path) -> list[dict]:
    """From index.json; from the folders' names where that lacks them."""
    found = dicts(load(fuzz / "findings/index.json"), "findings")
    known = {folder_of(one) for one in found}
    return found + [{"path": path.name} for path in
                    sorted((fuzz / "findings").glob("[0-9]*-*/"))
                    if path.name not in known]


def folder_of(finding: dict) -> str:
    return Path(str(finding.get("path", ""))).name


def finding_row(one: dict, fuzz: Path) -> str:
    name = escape(folder_of(one))
    target = fuzz / "findings" / folder_of(one) / "report.md"
    if folder_of(one) and target.exists():
        link = os.path.relpath(target, fuzz / "report")
        name = f'<a href="{escape(link)}">{name}</a>'
    detail = one.get("detail", "")
    if detail:
        detail = f'<br><span class="soft">{escape(str(detail))}</span>'
    often = f"{one.get('reproduced', '?')} of {one['repeats']}" \
        if "repeats" in one else ""
    return (f"<td><code>{name}</code></td>"
            f"<td>{escape(str(one.get('what', '')))}{detail}</td>"
            + cell(one.get("class", "")) + cell(one.get("hits", ""), "n")
            + cell(often, "n") + cell(one.get("ops", ""), "n"))


def finding_table(fuzz: Path, found: Sequence[dict]) -> str:
    body = '<p class="good">None.</p>'
    if found:
        body = table(("finding", "what", "class", "hits", "reproduced",
                      "calls"), (finding_row(one, fuzz) for one in found),
                     left=3)
    odd = len(dicts(load(fuzz / "findings/index.json"), "unreproduced"))
    if odd:
        body += ('<p class="soft">Inputs that failed once and not again, in '
                 f"findings/unreproduced: {odd}.</p>")
    return body


def coverage_part(coverage: object) -> str:
    """One fold for each file, with its functions in it."""
    files = dicts(coverage, "files")
    if not files:
        return ""
    parts = []
    for one in files:
        functions = dicts(one.get("functions"))
        rows = [cell(f.get("name", ""))
                + "".join(cell(f"{count(number(f, f'{what}_hit'))} of "
                               f"{count(number(f, what))}", "n")
                          for what in ("blocks", "lines"))
                + f"<td>{bar(number(f, 'blocks_hit'), number(f, 'blocks'))}"
                "</td>" for f in functions]
        parts.append(
            f"<details><summary><code>{escape(str(one.get('name', '')))}"
            f"</code>{bar(number(one, 'lines_hit'), number(one, 'lines'))}"
            f'<span class="soft">'
            f"{share(number(one, 'lines_hit'), number(one, 'lines'))}"
            " of lines, "
            f"{share(number(one, 'blocks_hit'), number(one, 'blocks'))}"
            " of blocks</span></summary>"
            + table(("function", "blocks", "lines", ""), rows)
            + "</details>")
    return "".join(parts)


def bench_table(bench: object) -> str:
    rows = []
    for one in dicts(bench, "results"):
        value, base = number(one, "value"), number(one, "baseline")
        rows.append(cell(one.get("name", ""))
                    + cell(f"{plain(value)} {one.get('unit', '')}", "n")
                    + cell(plain(base) if base else "", "n")
                    + cell(f"{number(one, 'ratio'):.3g}"
                           if one.get("ratio") is not None else "", "n"))
    return table(("measured", "value", "baseline", "ratio"),
                 rows) if rows else ""


def setting_table(fuzz: Path,
                  instances: Sequence[fuzz_out.Instance]) -> str:
    rows = []
    record = fuzz_out.Record.load(fuzz / "out")
    if record:
        rows += [("seed", "not fixed" if record.seed is None
                  else str(record.seed)), ("format", record.wire)]
        rows += [(f"build of {name}", build)
                 for name, build in sorted(record.kernels.items())]
    version = next((i.stats["afl_version"] for i in instances
                    if "afl_version" in i.stats), "")
    if version:
        rows.append(("AFL++", version))
    rows += [(f"{i.name}, command", i.stats["command_line"])
             for i in instances if "command_line" in i.stats]
    return table(("setting", "value"),
                 (cell(name) + f"<td><code>{escape(value)}</code></td>"
                  for name, value in rows), left=2) if rows else ""


def page(fuzz: Path) -> str:
    """The whole document."""
    instances = fuzz_out.read_instances(fuzz / "out", plots=True)
    coverage = load(fuzz / "coverage/coverage.json")
    found = finding_list(fuzz)
    written = time.strftime("%Y-%m-%d %H:%M:%S %Z")
    body = [
        "<h1>Stampede: fuzzing</h1>",
        f'<p class="soft">written {escape(written)}</p>',
        tiles(instances, len(found), coverage),
        section("Findings", finding_table(fuzz, found)),
        section("Instances", instance_table(instances)),
        section("Coverage over time", diagram(
            "edges over time", [edges(one) for one in instances]),
            "Edges in the map of each instance; flavours differ in how many "
            "they have."),
        section("Throughput over time", diagram(
            "executions per second over time",
            [rates(one) for one in instances]),
            "Executions per second of each instance."),
        section("Throughput measured", bench_table(
            load(fuzz / "bench.json")), "By the last run of make fuzz-bench."),
        section("Kernel coverage", coverage_part(coverage),
                "By all programs, as of the last run of make coverage.  A "
                "file opens to its functions."),
        section("Settings", setting_table(fuzz, instances))]
    return ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, '
            'initial-scale=1"><title>Stampede: fuzzing</title>'
            f"<style>{STYLE}</style></head><body>{''.join(body)}</body>"
            "</html>\n")


def write(fuzz: Path) -> Path:
    """Write the report of build/fuzz; where it is."""
    target = fuzz / "report/index.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    fuzz_out.write_whole(target, page(fuzz).encode(errors="replace"))
    return target


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Write the HTML report.")
    parser.add_argument("--fuzz", type=Path, default="build/fuzz")
    args = parser.parse_args(argv)
    try:
        if not args.fuzz.is_dir():
            raise OSError(f"{args.fuzz}: no such folder; run `make fuzz`")
        print(f"report: {write(args.fuzz)}")
    except OSError as error:
        print(f"fuzz_report: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
