#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  Linux (any version), Python 3 as Debian 12 has it: prctl(PR_SET_PDEATHSIG).
# Expected:  a child that asked for a signal when its parent dies lives as long as the process that started it.
# Behaviour: the "parent" is the thread that forked. When a pool lets an idle thread go, the children that it
#            started get the signal, though the process lives on. Start them from a thread that stays.
# Seen:      started by the first thread: alive; by a thread that has ended: SIGTERM
set -eu
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 - >"$dir/out" <<'P'
import ctypes, signal, subprocess, threading

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)

def start():
    def ask():
        if libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM):
            raise OSError(ctypes.get_errno(), "prctl")
    return subprocess.Popen(["sleep", "600"], preexec_fn=ask)

def state(child):
    try:
        return signal.Signals(-child.wait(timeout=3)).name
    except subprocess.TimeoutExpired:
        return "alive"

kept, lost = start(), []
thread = threading.Thread(target=lambda: lost.append(start()))
thread.start()
thread.join()
print(f"started by the first thread: {state(kept)}; by a thread that has ended: {state(lost[0])}")
for child in (kept, lost[0]):
    child.kill()
    child.wait()
P
cat "$dir/out"
[ "$(cat "$dir/out")" = 'started by the first thread: alive; by a thread that has ended: SIGTERM' ]
