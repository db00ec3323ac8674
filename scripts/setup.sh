#!/bin/sh
# SPDX-License-Identifier: MIT
#
# setup.sh - install what a target needs and this machine lacks.
#
# Usage: scripts/setup.sh build|stress|fuzz|test
# Exit:  0 all is there, 2 something is missing and was not installed.
#
# A tool counts as present if it can be found, wherever it came from, so this
# does nothing on a machine that is set up in another way.  Packages come
# from apt, as root or by sudo.  NO_INSTALL=1 prints the command instead.
set -eu

CROSS=${CROSS:-riscv64-unknown-elf-}
QEMU=${QEMU:-qemu-system-riscv64}
PYTHON=${PYTHON:-/usr/bin/python3}
missing=

fail()
{
	echo "setup: $*" >&2
	exit 2
}

# A line for each need: which targets, how to see that it is there, package,
# and what it is for.  No word of a check may hold a blank.
needs()
{
	cat <<-EOF
	build  command ${CROSS}gcc        gcc-riscv64-unknown-elf      compiler
	build  command ${CROSS}ld         binutils-riscv64-unknown-elf linker
	build  command $PYTHON           python3                      scripts
	stress command $QEMU             qemu-system-misc             machine
	fuzz   command cc                gcc                          host-tools
	fuzz   file    stdio.h           libc6-dev                    host-tools
	fuzz   command afl-fuzz          afl++                        fuzzer
	fuzz   command genhtml           lcov                         coverage
	test   command cc                gcc                          host-tests
	test   file    stdio.h           libc6-dev                    host-tests
	test   file    cmocka.h          libcmocka-dev                host-tests
	test   module  pytest            python3-pytest               host-tests
	test   module  pexpect           python3-pexpect              boot-tests
	test   module  pyflakes          python3-pyflakes             lint
	test   command shellcheck        shellcheck                   lint
	test   command clang-format      clang-format                 lint
	EOF
}

present()
{
	case $1 in
	command) command -v "$2" >/dev/null ;;
	file) [ -e "/usr/include/$2" ] || [ -e "/usr/local/include/$2" ] ;;
	module) has_module "$2" ;;
	esac
}

# Where Debian's packages put modules first: to ask Python costs 50 ms each.
has_module()
{
	[ -d "/usr/lib/python3/dist-packages/$1" ] ||
		"$PYTHON" -c "import $1" 2>/dev/null
}

# Sets `missing` to the packages that the given target lacks.
look()
{
	case $1 in
	build) targets="build" ;;
	stress) targets="build stress" ;;
	fuzz) targets="build stress fuzz" ;;
	test) targets="build stress fuzz test" ;;
	*) fail "no set-up for '$1'; choose build, stress, fuzz or test" ;;
	esac
	why=
	while read -r target kind what package purpose; do
		case " $targets " in
		*" $target "*) ;;
		*) continue ;;
		esac
		if ! present "$kind" "$what"; then
			missing="$missing $package"
			why="$why, $package ($purpose)"
		fi
	done <<-EOF
	$(needs)
	EOF
}

# apt-get knows a package only once its lists have been fetched.
lists_known()
{
	for package in $missing; do
		apt-cache show "$package" >/dev/null 2>&1 || return 1
	done
}

install()
{
	as_root=
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || fail "missing:$missing;" \
			"not root and no sudo: as root," \
			"run: apt-get install --no-install-recommends$missing"
		as_root=sudo
	fi
	echo "setup: installing by apt${as_root:+ with sudo}:${why#,}"
	lists_known || $as_root apt-get -qq update ||
		fail "apt-get update failed; is there a network?"
	apt_install || { $as_root apt-get -qq update && apt_install; } ||
		fail "apt-get could not install:$missing"
}

apt_install()
{
	# shellcheck disable=SC2086 # a list of words
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
		--no-install-recommends $missing </dev/null >/dev/null
}

check_qemu()
{
	[ "$1" != build ] || return 0
	version=$("$QEMU" --version | sed -n 's/.*version \([0-9.]*\).*/\1/p')
	major=${version%%.*}
	minor=${version#*.}
	minor=${minor%%.*}
	if [ -z "$version" ]; then
		fail "$QEMU does not tell its version; set QEMU= to another"
	fi
	if [ "$major" -lt 7 ] || { [ "$major" = 7 ] && [ "$minor" -lt 2 ]; }
	then
		fail "$QEMU is version $version, older than 7.2;" \
			"set QEMU= to a newer one"
	fi
}

[ $# = 1 ] || fail "usage: scripts/setup.sh build|stress|fuzz|test"
look "$1"
if [ -n "$missing" ]; then
	if ! command -v apt-get >/dev/null; then
		fail "missing:$missing (names of Debian's packages);" \
			"no apt here: install them by hand"
	fi
	if [ -n "${NO_INSTALL:-}" ] && [ "$NO_INSTALL" != 0 ]; then
		fail "missing; run:" \
			"apt-get install --no-install-recommends$missing"
	fi
	install
	missing=
	look "$1"
	[ -z "$missing" ] || fail "still missing after the installation:" \
		"$missing"
fi
check_qemu "$1"
