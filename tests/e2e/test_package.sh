# SPDX-License-Identifier: MIT
# The Debian package is whole, and its upgrade lets running jobs go on.
. "$(dirname "$0")/../support/e2e.sh"

cpack -G DEB --config "$SCHEDD_BINARY_DIR/CPackConfig.cmake" -B "$E2E_DIR/packages" >"$E2E_DIR/cpack" 2>&1 ||
	fail "cpack: $(cat "$E2E_DIR/cpack")"
package=$(ls "$E2E_DIR"/packages/schedd_*.deb)
dpkg-deb -c "$package" >"$E2E_DIR/runtime"
dpkg-deb -c "$E2E_DIR"/packages/libschedd-dev_*.deb >"$E2E_DIR/development"
library=$(ls "$E2E_DIR"/packages/libschedd0_*.deb)
dpkg-deb -c "$library" >"$E2E_DIR/library"
for file in bin/schedd bin/schedctl systemd/system/schedd.service man/man8/schedd.8.gz man/man7/schedd-plugins.7.gz \
	completions/schedctl completions/schedd doc/schedd/copyright doc/schedd/changelog.gz doc/schedd/PROTOCOL.md \
	doc/schedd/README.md doc/schedd/examples/jobs.yaml etc/schedd/schedd.yaml; do
	grep -q "/$file$" "$E2E_DIR/runtime" || fail "not in the package: $file"
done
grep -q '/libschedd.so.0 -> ' "$E2E_DIR/library" || fail "no library in its package"
for file in libschedd.a pkgconfig/schedd.pc doc/libschedd-dev/examples/thread.c doc/libschedd-dev/copyright; do
	grep -q "/$file$" "$E2E_DIR/development" || fail "not in the development package: $file"
done
grep -q '/libschedd.so -> ' "$E2E_DIR/development" || fail "nothing to link with"
grep -q 'libschedd.so.0' "$E2E_DIR/runtime" && fail "the library has a package of its own"
grep -q '\.h$' "$E2E_DIR/runtime" && fail "headers belong to the other package"
grep -q '/include/schedd/scheduler.h$' "$E2E_DIR/development" || fail "no headers"
dpkg-deb -f "$package" Depends | grep -q libsqlite3 || fail "dependencies are not found out"
for name in libschedd0 libevent-dev libsqlite3-dev libmsgpack-dev libyaml-dev libjansson-dev; do
	dpkg-deb -f "$E2E_DIR"/packages/libschedd-dev_*.deb Depends | grep -q "$name" || fail "libschedd-dev needs $name"
done

# Each store on a server is a package of its own, and the daemon's depends on none of their libraries.
for module in "$SCHEDD_BINARY_DIR"/modules/schedd_store_*.so; do
	type=$(basename "$module" .so)
	type=${type#schedd_store_}
	store=$(ls "$E2E_DIR"/packages/schedd-store-"$type"_*.deb) || fail "no package of the store $type"
	dpkg-deb -c "$store" | grep -q "/schedd/modules/schedd_store_$type.so\$" || fail "no module in schedd-store-$type"
	dpkg-deb -c "$store" | grep -q "/doc/schedd-store-$type/copyright\$" || fail "no copyright in schedd-store-$type"
	dpkg-deb -f "$store" Depends | grep -q 'schedd (= ' || fail "schedd-store-$type needs schedd"
	dpkg-deb -f "$package" Suggests | grep -q "schedd-store-$type" || fail "schedd does not suggest schedd-store-$type"
	dpkg-deb -f "$store" Depends >"$E2E_DIR/depends"
	# Every library that it needs, schedd needs too or its package depends on.
	[ "$(wc -w <"$E2E_DIR/depends")" -gt 3 ] || fail "schedd-store-$type depends on no library: $(cat "$E2E_DIR/depends")"
done
grep -q 'schedd_store_' "$E2E_DIR/runtime" && fail "a store's module is in the package schedd"
for library_of_a_store in libpq5 libmariadb libhiredis libzookeeper libmongoc libbson; do
	dpkg-deb -f "$package" Depends | grep -q "$library_of_a_store" && fail "schedd depends on $library_of_a_store"
done
cron=$(ls "$E2E_DIR"/packages/schedd-cron_*.deb)
dpkg-deb -f "$cron" Depends | grep -q 'schedd (>= ' || fail "schedd-cron needs schedd"
dpkg-deb -f "$cron" Provides | grep -q 'cron, cron-daemon' || fail "schedd-cron has cron's place"
dpkg-deb -f "$cron" Conflicts | grep -q 'cron-daemon' || fail "schedd-cron leaves no cron beside it"
dpkg-deb -c "$cron" | grep -q '/share/schedd-cron/cron.yaml$' || fail "nothing turns the tables on"
python=$(ls "$E2E_DIR"/packages/python3-schedd_*.deb)
for file in schedd.py schedd_worker.py; do
	dpkg-deb -c "$python" | grep -q "/dist-packages/$file$" || fail "not in python3-schedd: $file"
done
dpkg-deb -x "$python" "$E2E_DIR/python"
(cd / && PYTHONPATH=$E2E_DIR/python/usr/lib/python3/dist-packages /usr/bin/python3 -c 'import schedd, schedd_worker; schedd.Client') ||
	fail "python3-schedd cannot be imported"
dpkg-deb -f "$package" Depends | grep -q procps || fail "the unit needs kill"
dpkg-deb -e "$library" "$E2E_DIR/libcontrol"
grep -q '^libschedd 0 libschedd0 ' "$E2E_DIR/libcontrol/shlibs" || fail "no shlibs"
dpkg-deb -e "$package" "$E2E_DIR/control"
grep -qx /etc/schedd/schedd.yaml "$E2E_DIR/control/conffiles" || fail "the config is no conffile"

# The sample says what is the default, and what it shows is right as well.
dpkg-deb -x "$package" "$E2E_DIR/root"
sample=$E2E_DIR/root/etc/schedd/schedd.yaml
"$SCHEDD" --check-config --config "$sample" || fail "the sample config"
sed 's/^#//' "$sample" | grep -v '^ [^ ]' >"$E2E_DIR/sample.yaml"
mkdir "$E2E_DIR/jobs.d"
"$SCHEDD" --check-config --config "$E2E_DIR/sample.yaml" || fail "what the sample shows: $(cat "$E2E_DIR/sample.yaml")"
"$SCHEDCTL" -q check -f "$E2E_DIR/root/usr/share/doc/schedd/examples/jobs.yaml" || fail "the example of a job file"

if command -v lintian >/dev/null; then
	lintian --allow-root --fail-on error "$E2E_DIR"/packages/*.deb >"$E2E_DIR/lintian" 2>&1 ||
		fail "lintian: $(grep '^E' "$E2E_DIR/lintian" || cat "$E2E_DIR/lintian")"
fi
for script in postinst prerm postrm; do
	[ -x "$E2E_DIR/control/$script" ] || fail "no $script"
	sh -n "$E2E_DIR/control/$script"
done

mkdir "$E2E_DIR/bin" "$E2E_DIR/systemd"
ln -s "$SCHEDCTL" "$E2E_DIR/bin/schedctl"
for tool in deb-systemd-helper deb-systemd-invoke systemctl; do
	printf '#!/bin/sh\necho "%s $*" >>"%s/calls"\n' "$tool" "$E2E_DIR" >"$E2E_DIR/bin/$tool"
	chmod +x "$E2E_DIR/bin/$tool"
done
PATH=$E2E_DIR/bin:$PATH

# As dpkg calls them, beside a systemd of the test's own and a daemon on another socket.
script() {
	name=$1
	shift
	sed "s|^socket=.*|socket=$SCHEDD_SOCKET|; s|/run/systemd/system|$E2E_DIR/systemd|; s|/var/lib/schedd|$E2E_DIR/purged|; s|/etc/schedd|$E2E_DIR/purged|g" \
		"$E2E_DIR/control/$name" >"$E2E_DIR/script"
	: >"$E2E_DIR/calls"
	sh "$E2E_DIR/script" "$@" || fail "$name $*"
}
script postinst configure ''
grep -q 'deb-systemd-invoke start schedd.service' "$E2E_DIR/calls" || fail "an install starts nothing: $(cat "$E2E_DIR/calls")"
script prerm remove
grep -q 'deb-systemd-invoke stop schedd.service' "$E2E_DIR/calls" || fail "a removal stops nothing"
script postrm remove
grep -q 'deb-systemd-helper mask' "$E2E_DIR/calls" || fail "what is removed may start"
script postinst configure 0.1.0
grep -q 'deb-systemd-helper unmask' "$E2E_DIR/calls" || fail "it stays masked"
grep -q 'deb-systemd-invoke start schedd.service' "$E2E_DIR/calls" || fail "an install after a removal starts nothing"

# An upgrade as dpkg does it, for a daemon on another socket.
start_schedd
schedctl add --id long --manual --sh "read x <$E2E_DIR/go; exit 7" >/dev/null
mkfifo "$E2E_DIR/go"
run=$(schedctl run long)
schedctl -q wait "$run" --for running
before=$(schedctl status --json)
script postinst configure 0.0.9
grep -q 'deb-systemd-invoke' "$E2E_DIR/calls" && fail "an upgrade leaves the process alone"
after=$(schedctl status --json)
[ "$before" != "$after" ] || fail "the same program still"
pid_of() { printf '%s' "$1" | sed 's/.*"pid":\([0-9]*\).*/\1/'; }
[ "$(pid_of "$before")" = "$(pid_of "$after")" ] || fail "another process: $before $after"
: >"$E2E_DIR/go"
schedctl -q wait "$run" || [ $? -eq 10 ] || fail "wait"
schedctl history long --json | grep -q '"exit_code":7' || fail "the run did not go on: $(schedctl history long)"
exit 0
