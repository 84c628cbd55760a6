# SPDX-License-Identifier: MIT
# cmake --install puts everything in its place, and systemd takes the units.
. "$(dirname "$0")/../support/e2e.sh"

prefix=$E2E_DIR/prefix
cmake --install "$SCHEDD_BINARY_DIR" --prefix "$prefix" >/dev/null
for file in bin/schedd bin/schedctl include/schedd/scheduler.h share/man/man8/schedd.8 \
	share/man/man5/schedd.yaml.5 share/man/man1/schedctl.1 lib/systemd/system/schedd.service \
	lib/systemd/system/schedd.socket lib/systemd/user/schedd.service \
	share/schedd/schedd-jobs.schema.json libexec/schedd/schedctl-top \
	share/bash-completion/completions/schedctl share/zsh/site-functions/_schedctl \
	share/fish/vendor_completions.d/schedctl.fish; do
	[ -s "$prefix/$file" ] || fail "not installed: $file"
done
find "$prefix" -name schedd.pc | grep -q . || fail "not installed: schedd.pc"
grep -q '^ExecStart=/.*/bin/schedd$' "$prefix/lib/systemd/system/schedd.service" || fail "ExecStart"
grep -q -- '--check-config' "$prefix/share/man/man8/schedd.8" && fail "roff takes hyphens for minus signs"
grep -q 'limits.clients' "$prefix/share/man/man5/schedd.yaml.5" || fail "schedd.yaml(5) lacks settings"

if command -v systemd-analyze >/dev/null; then
	# The program it names is not installed there: that alone may be said.
	for unit in system/schedd.service system/schedd.socket user/schedd.service; do
		systemd-analyze verify --man=no "$prefix/lib/systemd/$unit" 2>&1 | grep "$(basename "$unit"):" |
			grep -v 'not executable\|is not installed' && fail "systemd refuses $unit"
	done
fi
exit 0
