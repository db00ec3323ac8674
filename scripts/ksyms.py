#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make the kernel's table of its own functions (see kernel/lib/backtrace.c).

Usage: nm -n KERNEL | ksyms.py > ksyms.S
Exit:  0 good, 1 no functions in the input, 2 the input is not from nm.

The table is the addresses of all functions as distances from the first, in
ascending order, and their names, each with a NUL, in the same order.  The
end of the text is a last entry without a name.
"""
import sys
from collections.abc import Iterable

# The linker script's marks of the text: no functions.
TEXT_START = "kernel_text"
TEXT_END = "kernel_etext"


def functions(lines: Iterable[str]) -> list[tuple[int, str]]:
    """Address and name of each function, one for each address."""
    found: dict[int, str] = {}
    for line in lines:
        fields = line.split()
        if len(fields) == 2 and fields[0] in "Uwv":
            continue  # not defined here: no address
        address, kind, name = fields
        if kind not in "tT" or name == TEXT_START or name[0] in ".$":
            continue
        if name == TEXT_END:
            name = ""
        found.setdefault(int(address, 16), name)
    return sorted(found.items())


def assembly(table: list[tuple[int, str]]) -> str:
    """The table as the assembler wants it."""
    first = table[0][0]
    return "\n".join([
        "/* Made by scripts/ksyms.py from the kernel's first link. */",
        '\t.section .ksyms, "a"',
        "\t.globl ksyms_base, ksyms_count, ksyms_addrs, ksyms_names",
        "\t.balign 8",
        "ksyms_base:",
        f"\t.quad {first:#x}",
        "ksyms_count:",
        f"\t.quad {len(table)}",
        "ksyms_addrs:",
        *(f"\t.word {address - first:#x}" for address, _ in table),
        "ksyms_names:",
        *(f'\t.asciz "{name}"' for _, name in table),
    ]) + "\n"


def main() -> int:
    try:
        table = functions(sys.stdin)
    except ValueError as err:
        print(f"ksyms: the input is not what nm -n prints: {err}",
              file=sys.stderr)
        return 2
    if not table:
        print("ksyms: no functions in the input: link the kernel first",
              file=sys.stderr)
        return 1
    sys.stdout.write(assembly(table))
    return 0


if __name__ == "__main__":
    sys.exit(main())
