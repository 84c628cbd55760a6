# SPDX-License-Identifier: MIT
# cmake --install puts everything in its place, and systemd takes the units.
. "$(dirname "$0")/../support/e2e.sh"

prefix=$E2E_DIR/prefix
cmake --install "$SCHEDD_BINARY_DIR" --prefix "$prefix" >/dev/null
for file in bin/schedd bin/schedctl include/schedd/scheduler.h share/man/man8/schedd.8 \
	share/man/man5/schedd.yaml.5 share/man/man1/schedctl.1 lib/systemd/system/schedd.service \
	lib/systemd/system/schedd.socket lib/systemd/user/schedd.service \
	share/schedd/schedd-jobs.schema.json share/doc/schedd/examples/grafana-dashboard.json \
	share/doc/schedd/examples/prometheus-rules.yaml libexec/schedd/schedctl-top libexec/schedd/schedctl-url \
	share/bash-completion/completions/schedctl share/zsh/site-functions/_schedctl \
	share/fish/vendor_completions.d/schedctl.fish; do
	[ -s "$prefix/$file" ] || fail "not installed: $file"
done
find "$prefix" -name schedd.pc | grep -q . || fail "not installed: schedd.pc"
for unit in system/schedd.service user/schedd.service; do
	grep -qx "ExecStart=$prefix/bin/schedd" "$prefix/lib/systemd/$unit" || fail "ExecStart of $unit"
done
grep -q -- '--check-config' "$prefix/share/man/man8/schedd.8" && fail "roff takes hyphens for minus signs"
grep -q 'limits.clients' "$prefix/share/man/man5/schedd.yaml.5" || fail "schedd.yaml(5) lacks settings"

# The README's line compiles every example against what was installed, and they run with it.
pc=$(find "$prefix" -name schedd.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
[ "$(pkg-config --variable=prefix schedd)" = "$prefix" ] || fail "the prefix of schedd.pc"
LD_LIBRARY_PATH=$(pkg-config --variable=libdir schedd)
export LD_LIBRARY_PATH
line=$(grep '^cc program.c' "$(dirname "$0")/../../README.md")
# A sanitized library wants its run time to be loaded first.
case ${SCHEDD_SANITIZE:-} in
'')
	for example in "$(dirname "$0")"/../examples/*.c; do
		cp "$example" "$E2E_DIR/program.c"
		(cd "$E2E_DIR" && eval "$line") || fail "$line: $example"
		"$E2E_DIR/a.out" >/dev/null || fail "$example does not run"
	done
	;;
esac

# What is run from another prefix than it was built for finds its modules there.
if [ -n "$(find "$prefix" -name schedd_http.so)" ]; then
	echo 'executors: {web: {type: http}}' >"$SCHEDD_CONFIG"
	"$prefix/bin/schedd" --check-config || fail "the module is not found below $prefix"
	"$prefix/bin/schedd" >"$E2E_DIR/log" 2>&1 &
	E2E_PID=$!
	"$prefix/bin/schedctl" ping --wait-ready 20s >/dev/null || fail "no daemon from $prefix"
	"$prefix/bin/schedctl" executors --json | grep -q '"web"' || fail "the executor is not there"
	grep -z -q . "/proc/$E2E_PID/maps" && grep -q "$prefix/.*schedd_http.so" "/proc/$E2E_PID/maps" ||
		fail "the module of another place is loaded"
fi

# With DESTDIR the files are placed below it, and know nothing of it.
DESTDIR=$E2E_DIR/stage cmake --install "$SCHEDD_BINARY_DIR" --prefix /opt/schedd >/dev/null
grep -qx 'prefix=/opt/schedd' "$(find "$E2E_DIR/stage/opt/schedd" -name schedd.pc)" || fail "prefix with DESTDIR"
grep -qx 'ExecStart=/opt/schedd/bin/schedd' "$E2E_DIR/stage/opt/schedd/lib/systemd/system/schedd.service" ||
	fail "ExecStart with DESTDIR"

if command -v systemd-analyze >/dev/null; then
	# The program it names is not installed there: that alone may be said.
	for unit in system/schedd.service system/schedd.socket user/schedd.service; do
		systemd-analyze verify --man=no "$prefix/lib/systemd/$unit" 2>&1 | grep "$(basename "$unit"):" |
			grep -v 'not executable\|is not installed' && fail "systemd refuses $unit"
	done
fi
exit 0
