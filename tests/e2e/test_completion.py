#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Completion in a real bash, with and without the bash-completion package.

SCHEDCTL is the program, SCHEDD_SOURCE the source tree.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from bash_line import BashLine
from completion_world import CANNED, HERE, check, prepare

PACKAGE = pathlib.Path("/usr/share/bash-completion/bash_completion")
# What is typed, what TAB makes of it.
TABS = [
    ("schedctl res", "schedctl res"),  # resume, reschedule
    ("schedctl resu", "schedctl resume "),
    ("schedctl resume ", "schedctl resume paused-"),
    ("schedctl resume paused-t", "schedctl resume paused-two "),
    ("schedctl kill b", "schedctl kill busy "),
    ("schedctl pause ", "schedctl pause active "),
    ("schedctl -q --socket {socket} resume paused-o", "schedctl -q --socket {socket} resume paused-one "),
    ("schedctl ls -t tw", r"schedctl ls -t two\ words "),
    ("schedctl ls -t two\\ w", r"schedctl ls -t two\ words "),
    ("schedctl ls -t 'two w", "schedctl ls -t 'two words' "),
    ('schedctl ls -t "two w', 'schedctl ls -t "two words" '),
    ("schedctl ls -t it", r"schedctl ls -t it\'s "),
    ('schedctl ls -t "it', '''schedctl ls -t "it's" '''),
    ("schedctl ls -t say", r"schedctl ls -t say\ \"hi\" "),
    ('schedctl ls -t "say', r'schedctl ls -t "say \"hi\"" '),
    (r"schedctl ls -t \$H", r"schedctl ls -t \$HOME "),
    ("schedctl ls -t '$H", "schedctl ls -t '$HOME' "),
    ("schedctl ls -t t\u00e4", "schedctl ls -t t\u00e4g "),
    ("schedctl ls -t new", "schedctl ls -t new"),  # a line break cannot be typed back
    ("schedctl ls -t back", r"schedctl ls -t back\\slash "),
    ("schedctl ls --group=i", "schedctl ls --group=io-heavy "),
    ("schedctl ls --group i", "schedctl ls --group io-heavy "),
    (r"schedctl ls --group \$", r"schedctl ls --group \$\(touch\ pwned\) "),
    (r"schedctl ls --group \`", r"schedctl ls --group \`touch\ pwned\` "),
    ("schedctl add --store d", "schedctl add --store default "),
    ("schedctl stores ch", "schedctl stores check "),
    ("schedctl stores check d", "schedctl stores check default "),
    ("schedctl stores add x --option connect", "schedctl stores add x --option connect_timeout="),
    ("schedctl add --executor p", "schedctl add --executor plugins "),
    ("schedctl add --overlap=re", "schedctl add --overlap=replace "),
    ("schedctl add --cron @we", "schedctl add --cron @weekly "),
    ("schedctl add --tz Europe/Berl", "schedctl add --tz Europe/Berlin "),
    ("schedctl add --tz Pacif", "schedctl add --tz Pacific/"),
    ("schedctl add --kill-signal TE", "schedctl add --kill-signal TERM "),
    ("schedctl add --user roo", "schedctl add --user root "),
    ("schedctl events --event job_ex", "schedctl events --event job_executed "),
    ("schedctl ls --columns id,sta", "schedctl ls --columns id,state "),
    ("schedctl ls --sort -ne", "schedctl ls --sort -next "),
    ("schedctl show backup/12 --field exit", "schedctl show backup/12 --field exit_code "),
    ("schedctl show backup --field next_", "schedctl show backup --field next_run_time "),
    ("schedctl apply -f some-f", "schedctl apply -f some-file.yaml "),
    ("schedctl apply -f odd", r"schedctl apply -f odd\ name.yaml "),
    ("schedctl add --cwd some-d", "schedctl add --cwd some-dir/"),
    ("schedctl import cron", "schedctl import crontab "),
    ("schedctl import crontab some-f", "schedctl import crontab some-file.yaml "),
    ("schedctl completion z", "schedctl completion zsh "),
    ("schedctl run --exit", "schedctl run --exit-status "),
    ("schedctl add --every 5m -- schedule-this-", "schedctl add --every 5m -- schedule-this-command "),
    ("schedctl add --every 5m -- ls some-f", "schedctl add --every 5m -- ls some-file.yaml "),
    ("schedctl nosuchverb ", "schedctl nosuchverb "),
]
# What is typed, all that could follow, in this order.
ALL = [
    ("schedctl show ba", "schedctl show backup "),
    ("schedctl show backup/", "schedctl show backup/12 backup/11 backup/9 "),
    ("schedctl history backup/1", "schedctl history backup/12 backup/11 "),
    ("schedctl logs backup/", "schedctl logs backup/12 backup/11 backup/9 "),
    ("schedctl resume ", "schedctl resume paused-one paused-two "),
    ("schedctl logs --st", "schedctl logs --stdout --stderr "),
]


def with_daemon(failures, bash, socket, package):
    for typed, wanted in TABS:
        check(failures, f"TAB behind {typed!r}, package {package}", bash.tab(typed.format(socket=socket)), wanted.format(socket=socket))
    for typed, wanted in ALL:
        check(failures, f"all behind {typed!r}, package {package}", bash.all(typed).split(), wanted.split())
    if package:
        check(failures, "the command's own completion", bash.tab("schedctl add --every 5m -- own-comp"), "schedctl add --every 5m -- own-completion ")
        check(failures, "the command's own completion", bash.tab("schedctl add --every 5m -- own-completion fr"), "schedctl add --every 5m -- own-completion from-its-own ")


def without_daemon(failures, schedctl, environment):
    """Silent, and soon: also where somebody accepts the connection and never answers."""
    import socket
    mute = socket.socket(socket.AF_UNIX)
    mute.bind("mute.sock")
    mute.listen()
    for path in ("away.sock", "mute.sock"):
        begin = time.monotonic()
        result = subprocess.run([schedctl, "__complete", "2", "--", "schedctl", "resume", ""], env={**environment, "SCHEDD_SOCKET": path}, capture_output=True, timeout=30)
        check(failures, f"{path}: status", result.returncode, 0)
        check(failures, f"{path}: stderr", result.stderr, b"")
        print(f"{path}: {time.monotonic() - begin:.3f} s")


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
            for package in (False, True) if PACKAGE.exists() else (False,):
                bash = BashLine(f"{completions}/schedctl.bash", environment, package, "complete -W 'from-its-own' own-completion")
                with_daemon(failures, bash, socket, package)
                bash.close()
            without_daemon(failures, schedctl, environment)
            check(failures, "text from the daemon was run", os.path.exists("pwned"), False)
        finally:
            daemon.kill()
            daemon.wait()
        os.chdir("/")
    print("\n".join(failures) or "completion: all as wanted")
    return bool(failures)


sys.exit(main())
