# SPDX-License-Identifier: MIT
# The Debian package is whole, and its upgrade lets running jobs go on.
. "$(dirname "$0")/../support/e2e.sh"

cpack -G DEB --config "$SCHEDD_BINARY_DIR/CPackConfig.cmake" -B "$E2E_DIR/packages" >"$E2E_DIR/cpack" 2>&1 ||
	fail "cpack: $(cat "$E2E_DIR/cpack")"
package=$(ls "$E2E_DIR"/packages/schedd_*.deb)
dpkg-deb -c "$package" >"$E2E_DIR/runtime"
dpkg-deb -c "$E2E_DIR"/packages/libschedd-dev_*.deb >"$E2E_DIR/development"
for file in bin/schedd bin/schedctl systemd/system/schedd.service man/man8/schedd.8 completions/schedctl; do
	grep -q "/$file$" "$E2E_DIR/runtime" || fail "not in the package: $file"
done
grep -q '\.h$' "$E2E_DIR/runtime" && fail "headers belong to the other package"
grep -q '/include/schedd/scheduler.h$' "$E2E_DIR/development" || fail "no headers"
dpkg-deb -f "$package" Depends | grep -q libsqlite3 || fail "dependencies are not found out"
dpkg-deb -e "$package" "$E2E_DIR/control"
for script in postinst prerm postrm; do
	[ -x "$E2E_DIR/control/$script" ] || fail "no $script"
	sh -n "$E2E_DIR/control/$script"
done

mkdir "$E2E_DIR/bin"
ln -s "$SCHEDCTL" "$E2E_DIR/bin/schedctl"
PATH=$E2E_DIR/bin:$PATH

# An upgrade as dpkg does it, for a daemon on another socket.
start_schedd
schedctl add --id long --manual --sh "read x <$E2E_DIR/go; exit 7" >/dev/null
mkfifo "$E2E_DIR/go"
run=$(schedctl run long)
schedctl -q wait "$run" --for running
before=$(schedctl status --json)
sed "s|^socket=.*|socket=$SCHEDD_SOCKET|" "$E2E_DIR/control/postinst" >"$E2E_DIR/postinst"
sh "$E2E_DIR/postinst" configure 0.0.9 || fail "postinst"
after=$(schedctl status --json)
[ "$before" != "$after" ] || fail "the same program still"
pid_of() { printf '%s' "$1" | sed 's/.*"pid":\([0-9]*\).*/\1/'; }
[ "$(pid_of "$before")" = "$(pid_of "$after")" ] || fail "another process: $before $after"
: >"$E2E_DIR/go"
schedctl -q wait "$run" || [ $? -eq 10 ] || fail "wait"
schedctl history long --json | grep -q '"exit_code":7' || fail "the run did not go on: $(schedctl history long)"
exit 0
