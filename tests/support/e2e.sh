# SPDX-License-Identifier: MIT
# For tests of the real binaries, to be sourced by POSIX shells:
#   . "$(dirname "$0")/../support/e2e.sh"
# Gives each test a directory of its own ($E2E_DIR), a daemon on a private
# socket, and the end of both however the test ends. SCHEDD and SCHEDCTL name
# the binaries. Nothing here sleeps for a guess: what takes time is polled with
# a deadline.
set -eu

: "${SCHEDD:?path of schedd}" "${SCHEDCTL:?path of schedctl}"
E2E_DIR=$(mktemp -d "${TMPDIR:-/tmp}/schedd-e2e.XXXXXX")
E2E_PID=
mkdir "$E2E_DIR/reports"
# Tests see nothing of the caller's own daemons and settings.
HOME=$E2E_DIR
SCHEDD_SOCKET=$E2E_DIR/s.sock
SCHEDD_STATE_DIR=$E2E_DIR/state
SCHEDD_CONFIG=$E2E_DIR/schedd.yaml
ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}log_path=$E2E_DIR/reports/asan"
UBSAN_OPTIONS="${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}log_path=$E2E_DIR/reports/ubsan:print_stacktrace=1"
TSAN_OPTIONS="${TSAN_OPTIONS:+$TSAN_OPTIONS:}log_path=$E2E_DIR/reports/tsan"
export HOME SCHEDD_SOCKET SCHEDD_STATE_DIR SCHEDD_CONFIG ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS
unset XDG_RUNTIME_DIR XDG_STATE_HOME XDG_CONFIG_HOME NOTIFY_SOCKET 2>/dev/null || true
: >"$SCHEDD_CONFIG"

# Called when the test ends: stops the daemon, shows its log if the test failed.
e2e_end() {
	e2e_status=$?
	trap - EXIT INT TERM
	stop_schedd || e2e_status=1
	for e2e_report in "$E2E_DIR"/reports/*; do
		[ -e "$e2e_report" ] || continue
		cat "$e2e_report" >&2
		e2e_status=1
	done
	if [ "$e2e_status" -ne 0 ] && [ -f "$E2E_DIR/log" ]; then
		echo "--- the daemon's log:" >&2
		tail -n 40 "$E2E_DIR/log" >&2
	fi
	rm -rf "$E2E_DIR"
	exit "$e2e_status"
}
trap e2e_end EXIT
trap 'exit 130' INT TERM

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

# wait_until SECONDS COMMAND…: until the command succeeds.
wait_until() {
	e2e_deadline=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -le "$e2e_deadline" ] || fail "not within the time: $*"
		sleep 0.05
	done
}

# start_schedd [OPTION…]: returns when it answers.
start_schedd() {
	"$SCHEDD" "$@" >>"$E2E_DIR/log" 2>&1 &
	E2E_PID=$!
	wait_until 20 e2e_answers_or_dead
	kill -0 "$E2E_PID" 2>/dev/null || fail "schedd did not start"
}
e2e_answers_or_dead() {
	! kill -0 "$E2E_PID" 2>/dev/null || "$SCHEDCTL" ping
}

# stop_schedd [SIGNAL]: asks it to end and waits. Fine if there is none.
stop_schedd() {
	[ -n "$E2E_PID" ] || return 0
	kill "-${1:-TERM}" "$E2E_PID" 2>/dev/null || true
	e2e_code=0
	wait "$E2E_PID" 2>/dev/null || e2e_code=$?
	E2E_PID=
	[ "${1:-TERM}" = KILL ] || [ "$e2e_code" -eq 0 ] || {
		echo "schedd ended with status $e2e_code" >&2
		return 1
	}
}

# expect_code CODE COMMAND…: the command must end with that code; its stderr goes to $E2E_DIR/err.
expect_code() {
	e2e_wanted=$1
	shift
	e2e_got=0
	"$@" >"$E2E_DIR/out" 2>"$E2E_DIR/err" || e2e_got=$?
	[ "$e2e_got" -eq "$e2e_wanted" ] || {
		cat "$E2E_DIR/out" "$E2E_DIR/err" >&2
		fail "exit code $e2e_got instead of $e2e_wanted: $*"
	}
}

# expect_error TEXT: the last expect_code's stderr holds it.
expect_error() {
	grep -qF -- "$1" "$E2E_DIR/err" || {
		cat "$E2E_DIR/err" >&2
		fail "the error does not say: $1"
	}
}
