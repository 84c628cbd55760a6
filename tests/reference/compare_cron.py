#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The same tables under Debian's cron and under schedd at the same time: the same minutes, argv,
environment, directory, umask, ids, groups, standard input and mail?

    compare_cron.py CRON SCHEDD [MINUTES]

CRON is the program of Debian's package (/usr/sbin/cron, or unpacked somewhere), SCHEDD ours. It runs
for some minutes of real time in a mount namespace of its own, as root. What differs is printed, and the
exit status is 1 then. With 0 minutes it is one minute that both come to at once, as their clocks are put
forward to its beginning: that is a test of the suite (tests/e2e/test_as_cron.py), which says by
CLOCK_PRELOAD what puts clocks forward.

Meant to differ, and not compared: SCHEDD_* variables; the directory of an account whose home is not there
(/, not cron's spool); " (failed)" behind the subject, which Debian's cron adds by its log level.
"""
import collections
import datetime
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

PROBE = r'''#!/usr/bin/python3
import json, os, sys, time
mask = os.umask(0)
os.umask(mask)
shift = int.from_bytes(open("%s/offset", "rb").read(), sys.byteorder, signed=True) / 1e6
data = {"argv": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd(), "umask": mask, "uid": os.getuid(), "gid": os.getgid(),
        "groups": sorted(os.getgroups()), "stdin": sys.stdin.buffer.read().decode(errors="surrogateescape"), "minute": int((time.time() + shift) // 60)}
side = "schedd" if "SCHEDD_RUN" in os.environ else "cron"
path = f"%s/seen/{side}.{sys.argv[1]}.{os.getpid()}.{time.time_ns()}"
with open(path + ".new", "w") as out:
    json.dump(data, out)
os.rename(path + ".new", path)
if "loud" in sys.argv:
    print("out of", sys.argv[1])
    print("err of", sys.argv[1], file=sys.stderr)
if "fail" in sys.argv:
    sys.exit(3)
'''
SENDMAIL = r'''#!/usr/bin/python3
import json, os, sys, time
text = sys.stdin.buffer.read().decode(errors="surrogateescape")
side = "schedd" if "SCHEDD_NOTIFY" in os.environ else "cron"
path = f"%s/mail/{side}.{os.getpid()}.{time.time_ns()}"
with open(path, "w") as out:
    json.dump({"argv": sys.argv[1:], "uid": os.getuid(), "text": text}, out)
'''


def tables(probe, now):
    """{file below the root: text}, some sixty lines whose time comes within a few minutes."""
    soon = [(now + datetime.timedelta(minutes=n)) for n in range(1, 6)]
    minutes = ",".join(str(t.minute) for t in soon)
    day, month = now.day, now.strftime("%b").lower()
    weekday, cron_weekday = now.strftime("%a").lower(), (now.weekday() + 1) % 7
    other = (cron_weekday + 3) % 7
    schedules = ["* * * * *", "*/1 * * * *", "*/2 * * * *", "1-59/2 * * * *", "0-59 * * * *", f"{minutes} * * * *", f"{soon[1].minute} * * * *",
                 f"{soon[2].minute} {soon[2].hour} * * *", f"* {now.hour}-{min(now.hour + 1, 23)} * * *", "* */1 * * *", f"* * {day} * *", f"* * {day % 28 + 2} * *",
                 f"* * * {month} *", f"* * * {month.upper()} *", "* * * jan-dec *", "* * * */3 *", f"* * * * {weekday}", f"* * * * {cron_weekday}",
                 f"* * * * {other}", f"* * {day} * {other}", f"* * {day % 28 + 2} * {cron_weekday}", f"* * */1 * {other}", f"* * {day % 28 + 2} * */1",
                 f"* * 1-31 * {other}", "* * * * 0-7", "* * * * sun-sat", "*/60 * * * *", "*/31 * * * *", "* */24 * * *", "* * */31 * *", "* * * */12 *",
                 "* * * * */7", "0-59/60 * * * *", "59-59 * * * *", "00 007 * * *", f"*,{soon[0].minute} * * * *", f"{soon[0].minute}-{soon[0].minute} * * * *"]
    user = "".join(f"{schedule} {probe} s{n}\n" for n, schedule in enumerate(schedules))
    user += ("@hourly %s hourly\n@daily %s daily\n@reboot %s reboot\n" % (probe, probe, probe)).replace("@reboot", "#@reboot")
    user += r'''
* * * * * PROBE percent a%one%two
* * * * * PROBE escaped a\%b%c\%d%e
* * * * * PROBE double a\\%x
* * * * * PROBE input%
* * * * * PROBE blank%%
  * * * * *   PROBE spaces  a   b  
A = b c
"Q Q"='it is'
EMPTY=""
  B="quoted " 
* * * * * PROBE variables
SHELL=/bin/bash
* * * * * PROBE bash "${BASH_VERSION:+yes}" "$SHELL"
SHELL=/bin/sh
HOME=/tmp
* * * * * PROBE home
HOME=/root
PATH=/bin:/usr/bin:/sbin
* * * * * PROBE path
CRON_TZ=Asia/Tokyo
* * * * * PROBE zone
LOGNAME=nobody
USER=me
* * * * * PROBE names
MAILTO=ops@example.org
* * * * * PROBE mailto loud
* * * * * PROBE failing loud fail
* * * * * PROBE silent fail
MAILFROM=from@example.org
CONTENT_TYPE="text/html; charset=x"
CONTENT_TRANSFER_ENCODING=7bit
* * * * * PROBE headers loud
MAILTO=""
* * * * * PROBE nomail loud
'''.replace("PROBE", probe)
    drop = f"# a package's\nSHELL=/bin/sh\n* * * * * nobody {probe} drop-nobody loud\n* * * * *\troot\t{probe} drop-root\n"
    return {"var/spool/cron/crontabs/root": user, "var/spool/cron/crontabs/nobody": f"* * * * * {probe} own loud\n",
            "etc/cron.d/pkg": drop, "etc/cron.d/pkg.disabled": f"* * * * * root {probe} never\n",
            "etc/cron.d/cut": f"* * * * * root {probe} cut\n* * * * * root {probe} cut2",
            "etc/crontab": f"* * * * * root {probe} main\n"}


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600 if "crontabs" in name else 0o644)
    (root / "var/spool/cron/crontabs").chmod(0o1730)
    shutil.chown(root / "var/spool/cron/crontabs/nobody", "nobody")


def inside(cron, schedd, minutes, work):
    """In the namespace: both at once, for whole minutes."""
    (work / "state").mkdir(mode=0o700)
    for name in ("seen", "mail", "sbin"):
        (work / name).mkdir()
        (work / name).chmod(0o777)
    for name, text in (("probe", PROBE), ("sendmail", SENDMAIL)):
        (work / name).write_text(text.replace("%s", str(work)))
        (work / name).chmod(0o755)
    clock = Clock(work / "offset")
    if minutes == 0:
        clock.put(5)
    files = tables(str(work / "probe"), datetime.datetime.fromtimestamp(clock.now()))
    write(work / "cron", files)
    write(work / "schedd", files)
    sh = lambda line: subprocess.run(["sh", "-ec", line], check=True, cwd=work)
    sh("mount --bind /usr/sbin sbin; mount -t tmpfs t /usr/sbin; for f in sbin/*; do ln -s \"$PWD/$f\" /usr/sbin/; done; "
       "ln -sf \"$PWD/sendmail\" /usr/sbin/sendmail")
    sh("mount -t tmpfs t /run; mount -t tmpfs t /var/spool; mkdir -p /etc/cron.d /var/spool/cron; touch /etc/crontab; "
       "mount --bind cron/etc/cron.d /etc/cron.d; mount --bind cron/etc/crontab /etc/crontab; mount --rbind cron/var/spool/cron /var/spool/cron")
    config = work / "config.yaml"
    config.write_text(f"cron: {{tables: true, beside: true, root: {work}/schedd}}\nnotify: {{sendmail: {work}/sendmail}}\n")
    env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    if minutes == 0:
        env |= {"LD_PRELOAD": os.environ["CLOCK_PRELOAD"], "CLOCK_OFFSET": str(work / "offset")}
    start_cron = lambda: subprocess.Popen([cron, "-f"], env=env, stderr=subprocess.DEVNULL)
    start_schedd = lambda: subprocess.Popen([schedd, "--config", config, "--state-dir", work / "state", "--socket", work / "socket"], env=env,
                                            stderr=open(work / "log", "w"))
    if minutes == 0:
        programs = one_minute(work, clock, start_cron, start_schedd)
    else:
        while time.time() % 60 > 30:
            time.sleep(1)
        programs = [start_cron(), start_schedd()]
        time.sleep(60 * minutes + 60 - time.time() % 60 + 20)
    for program in programs:
        program.send_signal(signal.SIGTERM)
        program.wait()


class Clock:
    """What the programs take for the time; it is put forward alone."""

    def __init__(self, path):
        self.path, self.shift = path, 0
        path.write_bytes(struct.pack("=q", 0))

    def now(self):
        return time.time() + self.shift / 1e6

    def put(self, second):
        """To that second of the minute."""
        self.shift += int((second - self.now()) % 60 * 1e6)
        with open(self.path, "r+b") as file:
            file.write(struct.pack("=q", self.shift))


def until(what, holds, seconds):
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return print(f"{what}: not within {seconds} s")
        time.sleep(0.1)
    return None


def one_minute(work, clock, start_cron, start_schedd):
    """Both come to the beginning of a minute; returns when all that they start then has been seen."""
    programs = [start_schedd()]
    until("schedd has read its tables", lambda: len(re.findall(r": \d+ jobs", (work / "log").read_text())) >= 5, 600)
    if clock.now() % 60 > 45:
        clock.put(5)
    clock.put(50)
    minute = int(clock.now() // 60) + 1
    (work / "minute").write_text(str(minute))
    programs.append(start_cron())
    until("the minute", lambda: clock.now() >= minute * 60, 600)
    last = [None, 0]

    def quiet():
        """Both have run the same lines, and nothing more comes."""
        now = (sorted(seen(work, "cron")), sorted(seen(work, "schedd")), len(list(work.glob("mail/*"))))
        if now != last[0] or now[0] != now[1]:
            last[:] = now, time.monotonic()
        return now[0] and time.monotonic() - last[1] > 3
    until("both have run the same lines", quiet, 600)
    return programs


def seen(work, side):
    minute = int((work / "minute").read_text()) if (work / "minute").exists() else None
    found = collections.defaultdict(list)
    for path in work.glob(f"seen/{side}.*"):
        if path.name.endswith(".new"):
            continue
        data = json.loads(path.read_text())
        if minute in (None, data["minute"]):
            found[data["argv"][0]].append(data)
    return found


def world(run):
    """What both have to give alike: a shell's own variables, and schedd's, are not compared."""
    env = {k: v for k, v in run["env"].items() if not k.startswith("SCHEDD_") and k not in ("PWD", "SHLVL", "_", "OLDPWD")}
    cwd = "/" if run["cwd"] == "/var/spool/cron" else run["cwd"]
    return {**{k: run[k] for k in ("argv", "cwd", "umask", "uid", "gid", "groups", "stdin")}, "cwd": cwd, "env": env}


def mails(work, side):
    """Each kind of mail once, without the count of runs; variables in order of name."""
    found = set()
    for path in work.glob(f"mail/{side}.*"):
        mail = json.loads(path.read_text())
        head, body = mail["text"].split("\n\n", 1)
        lines = head.replace(" (failed)\n", "\n").splitlines()
        plain = [line for line in lines if not line.startswith("X-Cron-Env: ")]
        env = sorted(line for line in lines if line.startswith("X-Cron-Env: "))
        found.add(json.dumps([mail["argv"], mail["uid"], plain, env, body], indent=1))
    return found


def compare(work):
    cron, schedd = seen(work, "cron"), seen(work, "schedd")
    faults = 0
    for name in sorted(set(cron) | set(schedd)):
        ours, theirs = sorted(run["minute"] for run in schedd[name]), sorted(run["minute"] for run in cron[name])
        if ours != theirs:
            faults += 1
            print(f"{name}: minutes differ: cron {theirs}, schedd {ours}")
        if schedd[name] and cron[name] and world(schedd[name][0]) != world(cron[name][0]):
            faults += 1
            a, b = world(cron[name][0]), world(schedd[name][0])
            print(f"{name}: " + "; ".join(f"{key}: cron {a[key]!r}, schedd {b[key]!r}" for key in a if a[key] != b[key]))
    ours, theirs = mails(work, "schedd"), mails(work, "cron")
    for kind, only in (("cron", theirs - ours), ("schedd", ours - theirs)):
        for mail in sorted(only):
            faults += 1
            print(f"mail of {kind} alone: {mail}")
    print(f"{len(cron)} lines ran under cron, {len(schedd)} under schedd; {len(theirs)} kinds of mail; {faults} differences")
    return faults


def main():
    if len(sys.argv) > 1 and sys.argv[1] == "--inside":
        return inside(sys.argv[2], sys.argv[3], int(sys.argv[4]), pathlib.Path(sys.argv[5]))
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    cron, schedd = (os.path.abspath(path) for path in sys.argv[1:3])
    work = pathlib.Path(tempfile.mkdtemp(prefix="compare-cron."))
    work.chmod(0o755)
    subprocess.run(["unshare", "-m", sys.executable, __file__, "--inside", cron, schedd, sys.argv[3] if len(sys.argv) > 3 else "5", work], check=True)
    faults = compare(work)
    if not list(work.glob("seen/schedd.*")):
        print((work / "log").read_text())
    shutil.rmtree(work, ignore_errors=True)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
