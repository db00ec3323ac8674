#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Put coverage in line: from gcc's assembly on stdin to stdout.

Usage: inline_cover.py < in.s > out.s
Exit:  0 done, 2 wrong use.

gcc calls __sanitizer_cov_trace_pc() at the start of each basic block
(-fsanitize-coverage=trace-pc).  Under QEMU the return of such a call costs
more than most blocks do, for it is a jump to where only a look-up can tell.
What the function would do is a dozen instructions; a call may change the
registers they need anyway.

Each block has SLOTS counters of its own in the map (fuzz/shim/cover.c), and
counts in the one that the block before it says.  So code that lies together
counts together: a map that edges were hashed all over was 16 pages, each of
which QEMU had to look up again after each flush of the TLB.  The linker gives
out the places: every file reserves its own in a section that no one loads,
which therefore begins at 0, so a label in it is an offset in the map.
"""
import re
import sys

CALL = re.compile(r"^\s(call|tail)\s__sanitizer_cov_trace_pc$")
SLOTS = 8

# cover.before is the word in front of cover.map.
IN_LINE = """\
\tla\tt0, stampede_cover + 64
\tlw\tt1, -4(t0)
\tlui\tt2, %hi(.Lstampede_map + {place})
\taddi\tt2, t2, %lo(.Lstampede_map + {place})
\tadd\tt1, t1, t2
\tadd\tt1, t1, t0
\tlbu\tt3, 0(t1)
\tli\tt2, {before}
\tsw\tt2, -4(t0)
\taddi\tt3, t3, 1
\tsb\tt3, 0(t1)
"""

PLACES = """\
\t.section .stampede_map, "", @nobits
\t.balign {slots}
.Lstampede_map:
\t.zero {size}
"""


def main(argv: list[str]) -> int:
    if argv:
        print("inline_cover: takes no arguments", file=sys.stderr)
        return 2
    block = 0
    for line in sys.stdin:
        call = CALL.match(line)
        if not call:
            sys.stdout.write(line)
            continue
        sys.stdout.write(IN_LINE.format(place=block * SLOTS,
                                        before=block % SLOTS))
        block += 1
        if call[1] == "tail":
            sys.stdout.write("\tret\n")
    if block > 0:
        sys.stdout.write(PLACES.format(slots=SLOTS, size=block * SLOTS))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
