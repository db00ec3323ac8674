#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Put coverage in line: from gcc's assembly on stdin to stdout.

Usage: inline_cover.py NAME < in.s > out.s
Exit:  0 done, 2 wrong use.

gcc calls __sanitizer_cov_trace_pc() at the start of each basic block
(-fsanitize-coverage=trace-pc).  Under QEMU the return of such a call costs
more than most blocks do, for it is a jump to where only a look-up can tell.
What the function would do is ten instructions; a call may change the registers
they need anyway.  NAME, the source, and the number of the block in it give the
block its place in the map; fuzz/shim/cover.c has the rest.
"""
import re
import sys
import zlib

CALL = re.compile(r"^\s(call|tail)\s__sanitizer_cov_trace_pc$")
STRIDE = 40503          # odd: no two blocks of a file share a place
MAP = 1 << 16           # COVER_SIZE

# cover.before is the word in front of cover.map.
IN_LINE = """\
\tla\tt0, stampede_cover + 64
\tlw\tt1, -4(t0)
\tli\tt2, {here}
\txor\tt1, t1, t2
\tadd\tt1, t1, t0
\tlbu\tt3, 0(t1)
\tli\tt2, {before}
\tsw\tt2, -4(t0)
\taddi\tt3, t3, 1
\tsb\tt3, 0(t1)
"""


def main(argv: list[str]) -> int:
    if len(argv) != 1:
        print("inline_cover: give the source's name", file=sys.stderr)
        return 2
    here = zlib.crc32(argv[0].encode())
    for line in sys.stdin:
        call = CALL.match(line)
        if not call:
            sys.stdout.write(line)
            continue
        here = (here + STRIDE) % MAP
        sys.stdout.write(IN_LINE.format(here=here, before=here >> 1))
        if call[1] == "tail":
            sys.stdout.write("\tret\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
