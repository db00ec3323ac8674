#!/bin/sh
# SPDX-License-Identifier: MIT
#
# install_hooks.sh - have git run leakcheck before a push and before a merge.
#
# Usage: install_hooks.sh install|remove
# Exit:  0 done, 1 a hook of somebody else is in the way, 2 not possible.
#
# Puts two hooks where git looks for them.  A hook that is there already and
# is not ours stays as it is, and the line to add to it is shown.  Git's own
# --no-verify skips them once.
set -eu
cd "$(dirname "$0")/.."

hooks='pre-push pre-merge-commit'
mark="# Put here by make install-hooks; make remove-hooks removes it."

fail()
{
	echo "hooks: $2" >&2
	exit "$1"
}

ours()
{
	grep -qxF "$mark" "$1" 2>/dev/null
}

# The line that a hook consists of.  Git starts it at the top of the tree.
command_for()
{
	echo "scripts/leakcheck.py --hook $1 || exit"
}

install()
{
	if [ -e "$2" ] && ! ours "$2"; then
		echo "hooks: $2 is not ours and stays; to have both, add"
		command_for "$1"
		return 1
	fi
	printf '#!/bin/sh\n%s\n' "$mark" >"$2"
	command_for "$1" >>"$2"
	chmod +x "$2"
	echo "hooks: $2 installed; git's --no-verify skips it"
}

remove()
{
	if ours "$1"; then
		rm "$1"
		echo "hooks: $1 removed"
	elif [ -e "$1" ]; then
		echo "hooks: $1 is not ours and stays"
	fi
}

case ${1-} in
install | remove) ;;
*) fail 2 "say install or remove" ;;
esac
command -v git >/dev/null || fail 2 "git: not found; install it"
folder=$(git rev-parse --git-path hooks 2>/dev/null) ||
	fail 2 "no git repository here to put hooks into"
mkdir -p "$folder"
status=0
for hook in $hooks; do
	if [ "$1" = install ]; then
		install "$hook" "$folder/$hook" || status=1
	else
		remove "$folder/$hook"
	fi
done
exit $status
