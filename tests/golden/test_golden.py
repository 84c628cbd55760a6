#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What schedctl prints, byte by byte: help of every verb, answers of a canned daemon in every format, on a pipe and on
a terminal. `test_golden.py --update` writes the files of expected/ anew; look at what changed before you commit it.

SCHEDCTL is the program.
"""
import os
import pathlib
import pty
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
EXPECTED = HERE / "expected"
SCHEDCTL = os.path.abspath(os.environ["SCHEDCTL"])
FORMATS = ["table", "wide", "json", "jsonl", "tsv", "name"]
NEXT = "next --cron '30 2 * * *' --tz Europe/Berlin --from 2026-03-28T00:00:00+01:00 -n 3 --columns time,note"
# Name of the file, commands that stand in it.
CASES = {
    **{f"list-{form}": [f"list -o {form}", f"history -o {form}"] for form in FORMATS},
    "help-full": ["help list", "help lst", "lst --json", "list --json -Z", "--json"],
    "show": ["show backup", "show backup --json", "show backup --field command", "show backup --field next_run_time --time unix",
             "show bakcup", "show backup bakcup --json", "show backup --field tmeout"],
    "show-run": ["show backup/42", "show mail/1", "show backup/42 --json", "show backup mail/1 -o name", "show backup/42 -o tsv", "show backup mail/1 -o tsv",
                 "show backup/42 --field attempts", "show backup/42 --field ended_at --time unix", "show backup/42 --field reson", "show backup/42 --field x",
                 "show backup/99", "show backup/99 mail/1 -o name", "show -t db mail/1", "show backup mail/1 --columns id"],
    "places": [f"{verb} -o {form}" for verb in ("status", "stores", "executors", "groups") for form in FORMATS],
    "adding": ["add --id hello --every 15m -- true", "add --every 15m --json -- true", "add --every 15m -q -- true", "add --every 15m --dry-run -- true",
               "copy backup again", "modify hello --timeout 5m", "modify hello nosuch --timeout 5m --json", "set hello --unset timeout -o jsonl",
               "reschedule hello --every 15m", "rename hello hallo", "rename hello hallo --json"],
    "acts": ["pause hello", "pause hello nosuch", "pause hello nosuch --json", "pause hello --json", "resume 'm*' -o jsonl", "pause --scheduler",
             "resume --scheduler --json", "rm hello", "rm hello nosuch", "rm -y --all", "rm --all", "rm -y --all --json", "kill hello/7", "kill hello --json"],
    "runs": ["run hello", "run hello busy", "run hello busy --json", "run hello -w", "run hello -f", "run busy --exit-status", "wait backup/42", "wait hello", "wait hello --json",
             "wait slow --timeout 1s", "logs backup", "logs backup --stderr", "logs backup --raw | tr '\\033' '^'", "logs nosuch", "retry hello/7", "retry hello/7 --json"],
    "daemon": ["ping -q", "ping --json", "version", "version --json", "backup /var/backups/b.db", "backup b.db --json", "reload", "reload --json", "completion tcsh", "groups set io-heavy"],
    "files": ["check jobs.yaml", "check jobs.yaml --json", "check broken.yaml", "check broken.yaml --json", "check missing.yaml",
              "apply -f jobs.yaml", "apply -f jobs.yaml -v", "apply -f jobs.yaml --json", "apply -f jobs.yaml --prune --owner ''",
              "apply", "diff jobs.yaml", "export", "export --json", "export --as crontab", "export nosuch"],
    "import": ["import crontab tab", "import crontab tab --json", "import nosuch tab"],
    "next": [NEXT, NEXT + " --json", NEXT + " -o tsv", "next --cron '61 * * * *'", "next --cron '0 0 30 2 *'", "next --every 1x"],
    "why": ["why backup", "why backup --json"],
    "stats": ["stats", "stats --json", "stats 'm*' -o tsv", "stats -o prometheus", "list -o prometheus"],
    "config": ["config show", "config show --json", "config", "config what"],
    "simulate": ["simulate -f jobs.yaml --from 2026-10-25 --until 2026-10-25T06:00:00+01:00 --duration 20m"],
    "options": ["list --columns id,state --no-headers", "list --columns id,nosuch", "list --sort -id -o name", "list --utc", "lst", "list --sokcet x",
                "list --time never", "resume", "--socket /nonexistent/s list", "--socket /nonexistent/s list --json"],
}


def shell(command, terminal):
    """What came on both outputs, and the exit status."""
    if not terminal:
        result = subprocess.run(f"'{SCHEDCTL}' {command}", shell=True, capture_output=True)
        streams = [("", result.stdout), ("stderr: ", result.stderr)]
        return "".join(prefix + line + "\n" for prefix, text in streams for line in text.decode().splitlines()), result.returncode
    master, slave = pty.openpty()
    child = subprocess.Popen(f"stty cols 80; '{SCHEDCTL}' {command}", shell=True, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    text = b""
    try:
        while part := os.read(master, 65536):
            text += part
    except OSError:
        pass
    os.close(master)
    return text.decode().replace("\r\n", "\n").replace("\r", "\\r").replace("\033", "\\e"), child.wait()


def transcript(commands, terminal=False):
    parts = []
    for command in commands:
        text, status = shell(command, terminal)
        parts.append(f"$ schedctl {command}\n{text}" + (f"exit {status}\n" if status else ""))
    return "\n".join(parts)


def transcripts():
    verbs = re.findall(r"^  ([a-z]+)(?:, [a-z]+)?  ", shell("help", False)[0], re.M)
    yield "help.txt", transcript(["help"])
    for verb in verbs:
        yield f"help-{verb}.txt", transcript([f"{verb} -h"])
    for name, commands in CASES.items():
        yield f"{name}.txt", transcript(commands)
    yield "terminal.txt", transcript(["list", "list -o wide", "list --json", "history", "show backup", "show backup/42", "show mail --json", "logs backup", "status", "stores", "groups", "pause hello", "run hello -w", "wait backup/42", "stats", "diff jobs.yaml", "list --color never", NEXT], True)


def prepare():
    pathlib.Path("jobs.yaml").write_text("version: 1\nowner: ops\ndefaults:\n  timeout: 1h\njobs:\n  backup:\n    command: [/usr/bin/rsync, -a, /home, /mnt]\n"
                                         "    trigger: {cron: '30 2 * * *', timezone: Europe/Berlin}\n    timeout: 3h\n  mail:\n    shell: sync-mail\n    trigger: {every: 15m}\n")
    pathlib.Path("broken.yaml").write_text("version: 1\njobs:\n  a:\n    comand: x\n    timeout: 5 parsecs\n    trigger: {cron: '61 * * * *'}\n")
    pathlib.Path("tab").write_text("# mine\nMAILTO=root\n30 2 * * * /usr/bin/backup --all\n61 * * * * /bin/false\n@reboot sleep 1\n")


def compare(update):
    faults, names = [], set()
    for name, text in transcripts():
        path = EXPECTED / name
        names.add(name)
        if update:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            pathlib.Path(name).write_text(text)
            difference = subprocess.run(["diff", "-u", str(path), name], capture_output=True, text=True).stdout
            faults.append(difference or f"{name}: there is no such file in expected/")
    for path in EXPECTED.iterdir():
        if path.name not in names:
            path.unlink() if update else faults.append(f"{path.name}: nothing makes this file")
    print("\n".join(faults) or f"golden: {len(names)} files are as expected")
    return bool(faults)


def main():
    EXPECTED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        prepare()
        os.environ.update(SCHEDD_SOCKET=f"{folder}/s.sock", TZ="Europe/Berlin", LANG="C.UTF-8", TERM="xterm")
        for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
            os.environ.pop(name, None)
        daemon = subprocess.Popen([sys.executable, HERE / "canned_schedd.py", f"{folder}/s.sock", HERE / "answers.json"], stdout=subprocess.PIPE)
        try:
            daemon.stdout.readline()
            return compare("--update" in sys.argv)
        finally:
            daemon.kill()
            daemon.wait()
            os.chdir("/")


sys.exit(main())
