#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Completion in a real zsh, and in fish as it answers `complete -C`.

SCHEDCTL is the program, SCHEDD_SOURCE the source tree.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time

from completion_world import CANNED, HERE, check, prepare
from zsh_line import ZshLine

# What is typed in zsh, what TAB makes of it.
ZSH = [
    ("schedctl resu", "schedctl resume "),
    ("schedctl resume paused-t", "schedctl resume paused-two "),
    ("schedctl kill b", "schedctl kill busy "),
    ("schedctl pause ", "schedctl pause active "),
    ("schedctl -q --socket {socket} resume paused-o", "schedctl -q --socket {socket} resume paused-one "),
    ("schedctl ls -t tw", r"schedctl ls -t two\ words "),
    ("schedctl ls -t 'two w", "schedctl ls -t 'two words' "),
    ("schedctl ls -t it", r"schedctl ls -t it\'s "),
    (r"schedctl ls -t \$H", r"schedctl ls -t \$HOME "),
    ("schedctl ls -t t\u00e4", "schedctl ls -t t\u00e4g "),
    ("schedctl ls --group=i", "schedctl ls --group=io-heavy "),
    (r"schedctl ls --group \$", r"schedctl ls --group \$\(touch\ pwned\) "),
    ("schedctl add --overlap=re", "schedctl add --overlap=replace "),
    ("schedctl add --tz Europe/Berl", "schedctl add --tz Europe/Berlin "),
    ("schedctl add --tz Pacif", "schedctl add --tz Pacific/"),
    ("schedctl add --kill-signal TE", "schedctl add --kill-signal TERM "),
    ("schedctl ls --columns id,sta", "schedctl ls --columns id,state "),
    ("schedctl apply -f some-f", "schedctl apply -f some-file.yaml "),
    ("schedctl add --cwd some-d", "schedctl add --cwd some-dir/"),
    ("schedctl run --exit", "schedctl run --exit-status "),
    ("schedctl add --every 5m -- schedule-this-", "schedctl add --every 5m -- schedule-this-command "),
    ("schedctl add --every 5m -- ls some-f", "schedctl add --every 5m -- ls some-file.yaml "),
]
# What is typed in fish, all that it offers, in its order.
FISH = [
    ("schedctl resu", ["resume"]),
    ("schedctl resume ", ["paused-one", "paused-two"]),
    ("schedctl resume paused-t", ["paused-two"]),
    ("schedctl kill b", ["busy"]),
    ("schedctl show backup/", ["backup/12", "backup/11", "backup/9"]),
    ("schedctl logs backup/", ["backup/12", "backup/11", "backup/9"]),
    ("schedctl -q --socket {socket} resume paused-o", ["paused-one"]),
    ("schedctl ls -t tw", ["two words"]),
    ("schedctl ls -t it", ["it's"]),
    (r"schedctl ls -t two\ w", ["two words"]),
    ("schedctl ls -t 'two w", ["two words"]),
    ("schedctl ls -t t\u00e4", ["t\u00e4g"]),
    ("schedctl ls --group=i", ["--group=io-heavy"]),
    (r"schedctl ls --group \$", ["$(touch pwned)"]),
    ("schedctl add --overlap=re", ["--overlap=replace"]),
    ("schedctl add --tz Europe/Berl", ["Europe/Berlin"]),
    ("schedctl add --kill-signal TE", ["TERM"]),
    ("schedctl ls --columns id,sta", ["id,state"]),
    ("schedctl apply -f some-f", ["some-file.yaml"]),
    ("schedctl add --cwd some-d", ["some-dir/"]),
    ("schedctl add --every 5m -- schedule-this-", ["schedule-this-command"]),
    ("schedctl add --every 5m -- ls some-f", ["some-file.yaml"]),
]


def in_zsh(failures, completions, environment, socket):
    zsh = ZshLine(completions, environment)
    for typed, wanted in ZSH:
        check(failures, f"zsh, TAB behind {typed!r}", zsh.tab(typed.format(socket=socket)), wanted.format(socket=socket))
    zsh.close()


def in_fish(failures, completions, environment, socket):
    for typed, wanted in FISH:
        line = typed.format(socket=socket)
        done = subprocess.run(["fish", "--no-config", "-c", f"source {completions}/schedctl.fish; complete -C $argv[1]", line], env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
        check(failures, f"fish, all behind {typed!r}", ([row.split("\t")[0] for row in done.stdout.splitlines()], done.stderr), (wanted, ""))


def main():
    schedctl = os.path.abspath(os.environ["SCHEDCTL"])
    completions = os.environ.get("SCHEDD_SOURCE", str(HERE.parents[1])) + "/completions"
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        prepare(folder)
        os.symlink(schedctl, "bin/schedctl")
        socket = f"{folder}/s.sock"
        environment = {"PATH": f"{folder}/bin:/usr/bin:/bin", "HOME": folder, "LANG": "C.UTF-8", "SCHEDD_SOCKET": socket}
        daemon = subprocess.Popen([CANNED, socket, "answers.json"], stdout=subprocess.PIPE)
        try:
            daemon.stdout.readline()
            for shell, test in (("zsh", in_zsh), ("fish", in_fish)):
                begin = time.monotonic()
                if not shutil.which(shell):
                    failures.append(f"{shell} is not installed: sh server/install-packages.sh test")
                    continue
                test(failures, completions, environment, socket)
                print(f"{shell}: {time.monotonic() - begin:.1f} s")
            check(failures, "text from the daemon was run", os.path.exists("pwned"), False)
        finally:
            daemon.kill()
            daemon.wait()
        os.chdir("/")
    print("\n".join(failures) or "completion: all as wanted")
    return bool(failures)


sys.exit(main())
