#!/bin/sh
# SPDX-License-Identifier: MIT
#
# lint.sh - all checks of the sources that need no run.
#
# Usage: scripts/lint.sh
# Exit:  0 clean, 1 at least one finding, 2 a tool is missing.
#
# Another version of clang-format would want the code in another form, so
# the form is checked with the version that it was made with, or not at all.
set -u

PYTHON=${PYTHON:-/usr/bin/python3}
FORMAT_VERSION=14
status=0
cd "$(dirname "$0")/.." || exit 2

for tool in "$PYTHON" shellcheck; do
	if ! command -v "$tool" >/dev/null; then
		echo "lint: $tool: not found; run scripts/setup.sh test" >&2
		exit 2
	fi
done

"$PYTHON" scripts/check_style.py || status=1

# Names of what is in the tree; none of them holds a blank.
sources()
{
	find . -path ./build -prune -o -path ./.git -prune -o \( "$@" \) -print
}

format=
for tool in clang-format "clang-format-$FORMAT_VERSION"; do
	if "$tool" --version 2>/dev/null |
		grep -q "version $FORMAT_VERSION\."; then
		format=$tool
	fi
done
if [ -n "$format" ]; then
	# shellcheck disable=SC2046
	unformatted=$("$format" --dry-run -Werror $(sources -name '*.[ch]') \
		2>&1 | sed -n 's/^\.\/\([^:]*\):.* error: .*/\1/p' | sort -u)
	for file in $unformatted; do
		echo "$file: not formatted; run: $format -i $file"
		status=1
	done
else
	echo "lint: no clang-format $FORMAT_VERSION here: form not checked"
fi

# shellcheck disable=SC2046
shellcheck $(sources -name '*.sh' -o -path ./.ci/run) || status=1

"$PYTHON" -m pyflakes scripts/*.py fuzz/tests/*.py || status=1

exit "$status"
