# SPDX-License-Identifier: MIT
"""Verdicts, and the two forms in which they are given: table and JUnit XML.

A verdict is pass, fail, broken (the test could not run: no finding), or
skipped.  exit_status() maps a set of them to what the scripts return: 0 all
well, 1 at least one failure, 2 nothing failed but something was broken.
"""
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

VERDICTS = ("pass", "fail", "broken", "skipped")
JUNIT_TAG = {"fail": "failure", "broken": "error", "skipped": "skipped"}
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")


@dataclass
class Result:
    """The outcome of one test."""

    name: str
    verdict: str = "broken"
    reason: str = ""        # one line
    details: str = ""       # whatever helps to understand the reason
    secs: float = 0.0


def exit_status(results: Iterable[Result]) -> int:
    verdicts = {r.verdict for r in results}
    if "fail" in verdicts:
        return 1
    return 2 if "broken" in verdicts else 0


def summary(results: Iterable[Result]) -> str:
    """`3 passed, 0 failed`, with broken and skipped ones if there are any."""
    verdicts = [r.verdict for r in results]
    text = f"{verdicts.count('pass')} passed, {verdicts.count('fail')} failed"
    for verdict in ("broken", "skipped"):
        if verdict in verdicts:
            text += f", {verdicts.count(verdict)} {verdict}"
    return text


def table(rows: Sequence[Sequence[str]], left: Iterable[int]) -> str:
    """Align columns; those numbered in left to the left, others right."""
    left = set(left)
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) if n in left else cell.rjust(width)
                  for n, (cell, width) in enumerate(zip(row, widths))
                  ).rstrip()
        for row in rows)


def write_junit(path: Path, suite: str, results: Sequence[Result],
                properties: dict[str, str] | None = None) -> None:
    """Write the results as one JUnit test suite."""
    root = ElementTree.Element("testsuites")
    verdicts = [r.verdict for r in results]
    node = ElementTree.SubElement(
        root, "testsuite", name=suite, tests=str(len(results)),
        failures=str(verdicts.count("fail")),
        errors=str(verdicts.count("broken")),
        skipped=str(verdicts.count("skipped")),
        time=f"{sum(r.secs for r in results):.3f}")
    if properties:
        props = ElementTree.SubElement(node, "properties")
        for name, value in properties.items():
            ElementTree.SubElement(props, "property", name=name, value=value)
    for result in results:
        case = ElementTree.SubElement(
            node, "testcase", classname=suite, name=result.name,
            time=f"{result.secs:.3f}")
        tag = JUNIT_TAG.get(result.verdict)
        if tag:
            sub = ElementTree.SubElement(
                case, tag, message=NOT_XML.sub("?", result.reason))
            sub.text = NOT_XML.sub("?", result.details)
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(root).write(
        path, encoding="utf-8", xml_declaration=True)
