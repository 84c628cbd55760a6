# SPDX-License-Identifier: MIT
# The daemon's own options complete, from its help; the scripts are ones for their shells.
. "$(dirname "$0")/../support/e2e.sh"

scripts=$SCHEDD_SOURCE/completions
mkdir "$E2E_DIR/place" "$E2E_DIR/place/folder"
: >"$E2E_DIR/place/config.yaml"

# What bash offers for the last of these words.
offers() {
	bash -c '. "$1"; cd "$2"; shift 2
		COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _schedd
		printf "%s\n" "${COMPREPLY[@]}" | sort' bash "$scripts/schedd.bash" "$E2E_DIR/place" "$SCHEDD" "$@"
}
is() {
	found=$(offers "$@" | tr '\n' ' ')
	[ "$found" = "$expected " ] || fail "schedd $*: $found, expected $expected"
}
expected='--log-file --log-format --log-level' is --log-
expected='debug error info warning' is --log-level ''
expected='json text' is --log-format ''
expected=debug is --log-level = de
expected=config.yaml is --config con
expected=folder is --state-dir ''
offers -- | grep -qx -- --check-config || fail "not all options"
"$SCHEDD" --help | grep -o -- ' --[a-z-]*' | tr -d ' ' | sort -u >"$E2E_DIR/told"
offers -- | sort -u >"$E2E_DIR/offered"
cmp -s "$E2E_DIR/told" "$E2E_DIR/offered" || fail "offered: $(cat "$E2E_DIR/offered"), told: $(cat "$E2E_DIR/told")"

! command -v zsh >/dev/null || zsh -n "$scripts/_schedd" || fail "zsh"
! command -v fish >/dev/null || fish -n "$scripts/schedd.fish" || fail "fish"
if command -v fish >/dev/null; then
	found=$(fish -c "source $scripts/schedd.fish; complete -C 'schedd --log-l'" 2>/dev/null)
	case $found in *--log-level*) ;; *) fail "fish: $found" ;; esac
fi
exit 0
