# SPDX-License-Identifier: MIT
"""Cron's tables and many accounts. One line of JSON for each figure; as root.

  bench_tables.py [PART…]    parts: read due fair; SCHEDD and SCHEDCTL are the programs, `due` needs Debian's cron, too
"""
import json
import os
import pathlib
import pwd
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import e2e  # noqa: E402

FILES, LINES = 200, 50  # ten thousand lines
DUE = 1000
STORM = 5000
STORMER, OTHER = "games", "mail"


def show(bench, **figures):
    rounded = {k: round(v, 3) if isinstance(v, float) else v for k, v in figures.items()}
    print(json.dumps({"bench": bench, **rounded}), flush=True)


def cpu_of(pid):
    """(own, waited-for children) seconds."""
    words = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    tick = os.sysconf("SC_CLK_TCK")
    return (int(words[11]) + int(words[12])) / tick, (int(words[13]) + int(words[14])) / tick


def own_cpu(pid):
    """To the nanosecond, of all threads that live."""
    return sum(int(path.read_text().split()[0]) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def tree(daemon):
    root = daemon.dir / "root"
    for folder in ("etc/cron.d", "var/spool/cron/crontabs", "run"):
        (root / folder).mkdir(parents=True)
    daemon.config.write_text(f"cron: {{tables: true, root: {root}}}\nlog: {{level: warning}}\n")
    return root


def table(path, lines):
    new = path.parent / ".new"
    new.write_text(lines)
    new.chmod(0o600)
    new.rename(path)


def counted(client, wanted):
    return client.call("server.status")["scheduler"]["jobs"] == wanted


def some_lines(name, count=LINES):
    return "".join(f"{i % 60} {i % 24} * * * root echo {name} line {i}\n" for i in range(count))


def part_read():
    """All tables from nothing, at a start that finds them as they were, and after a change of one."""
    daemon = e2e.Daemon()
    root = tree(daemon)
    daemon.start()
    client = daemon.client()
    daemon.config.write_text(daemon.config.read_text().replace("tables: true", "tables: false"))
    client.call("server.reload")
    for n in range(FILES):
        table(root / f"etc/cron.d/t{n}", some_lines(f"t{n}"))
    daemon.config.write_text(daemon.config.read_text().replace("tables: false", "tables: true"))
    used, begun = own_cpu(daemon.process.pid), time.monotonic()
    client.call("server.reload")
    e2e.wait_until("all are jobs", lambda: counted(client, FILES * LINES), 120)
    show("tables_read", lines=FILES * LINES, seconds=time.monotonic() - begun, cpu_s=own_cpu(daemon.process.pid) - used, goal_seconds=0.5)
    seconds, cpus = [], []
    for turn in range(10):
        used, begun = own_cpu(daemon.process.pid), time.monotonic()
        table(root / "etc/cron.d/t77", some_lines(f"turn{turn}"))
        e2e.wait_until("it is read", lambda turn=turn: client.call("job.list", patterns=["*"], fields=["shell"], limit=1,
                                                                  )["jobs"] and any(
            job["shell"].startswith(f"echo turn{turn} ") for job in
            client.call("job.list", owner="cron:/etc/cron.d/t77", fields=["shell"], limit=1)["jobs"]), 30)
        seconds.append(time.monotonic() - begun)
        cpus.append(own_cpu(daemon.process.pid) - used)
    show("table_changed", lines=LINES, seconds=statistics.median(seconds), cpu_ms=statistics.median(cpus) * 1e3)
    daemon.stop()
    begun = time.monotonic()
    daemon.start()
    client = daemon.client()
    e2e.wait_until("all are jobs", lambda: counted(client, FILES * LINES), 120)
    show("tables_start", lines=FILES * LINES, seconds=time.monotonic() - begun)
    daemon.end()


def next_minute():
    due = int(time.time() // 60 + 1) * 60
    return due + 60 if due - time.time() < 10 else due


def lines_due(folder, due):
    minute = time.localtime(due)
    return "".join(f"{minute.tm_min} {minute.tm_hour} * * * true >{folder}/marks/{i}\n" for i in range(DUE))


def marks(folder, due):
    e2e.wait_until("all have run", lambda: len(os.listdir(folder / "marks")) == DUE, due + 100 - time.time())
    return sorted(path.stat().st_mtime - due for path in (folder / "marks").iterdir())


def due_schedd():
    daemon = e2e.Daemon()
    root = tree(daemon)
    (daemon.dir / "marks").mkdir()
    due = next_minute()
    (root / "var/spool/cron/crontabs/root").write_text(lines_due(daemon.dir, due))
    (root / "var/spool/cron/crontabs/root").chmod(0o600)
    daemon.start()
    client = daemon.client()
    e2e.wait_until("all are jobs", lambda: counted(client, DUE), 60)
    before = sum(cpu_of(daemon.process.pid))
    starts = marks(daemon.dir, due)
    e2e.wait_until("all have ended", lambda: client.call("server.status")["scheduler"]["running"] == 0, 60)
    # The programs that start them are children that live on: stopped, they are counted.
    helpers = sum(sum(cpu_of(pid)) for pid in pathlib.Path(f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/children").read_text().split())
    used = sum(cpu_of(daemon.process.pid)) - before + helpers
    daemon.end()
    return used / DUE, starts[0], starts[-1]


def due_floor():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-floor."))
    begun, before = time.time(), os.times()
    (folder / "marks").mkdir()
    pids = [os.posix_spawn("/bin/sh", ["/bin/sh", "-c", f"true >{folder}/marks/{i}"], os.environ) for i in range(DUE)]
    for pid in pids:
        os.waitpid(pid, 0)
    after = os.times()
    starts = sorted(path.stat().st_mtime - begun for path in (folder / "marks").iterdir())
    shutil.rmtree(folder)
    return sum(after[i] - before[i] for i in range(4)) / DUE, starts[0], starts[-1]


def due_cron():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-cron."))
    (folder / "marks").mkdir()
    (folder / "spool").mkdir(mode=0o700)
    due = next_minute()
    (folder / "spool/root").write_text(lines_due(folder, due))
    (folder / "spool/root").chmod(0o600)
    child = subprocess.Popen(["unshare", "-m", "sh", "-c",
                              f"mount -t tmpfs t /run; mount --bind {folder}/spool /var/spool/cron/crontabs && mount -t tmpfs none /etc/cron.d && "
                              "mount --bind /dev/null /etc/crontab && exec cron -f"])
    try:
        starts = marks(folder, due)
        e2e.wait_until("they were waited for", lambda: not pathlib.Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split(), 60)
        return sum(cpu_of(child.pid)) / DUE, starts[0], starts[-1]
    finally:
        child.kill()
        child.wait()
        shutil.rmtree(folder)


def part_due():
    """A thousand lines due in one minute: schedd, bare posix_spawn of sh, and cron, one after the other."""
    floor = [due_floor()]
    ours = due_schedd()
    floor.append(due_floor())
    cron = due_cron()
    cpu, _, last = (statistics.mean(column) for column in zip(*floor))
    show("tables_due", lines=DUE, cpu_us=ours[0] * 1e6, floor_cpu_us=cpu * 1e6, cron_cpu_us=cron[0] * 1e6, of_floor=ours[0] / cpu, of_cron=ours[0] / cron[0],
         first_ms=ours[1] * 1e3, last_ms=ours[2] * 1e3, floor_last_ms=last * 1e3, cron_last_ms=cron[2] * 1e3, last_of_cron=ours[2] / cron[2],
         goal_of_floor=1.15, goal_of_cron=0.55, goal_last_of_cron=0.45)


def as_account(daemon, name):
    entry = pwd.getpwnam(name)
    os.seteuid(entry.pw_uid)
    try:
        return daemon.client(timeout=300)
    finally:
        os.seteuid(0)


def part_fair():
    """How late another account's run begins, alone and when 5,000 of one account fall due with it."""
    daemon = e2e.Daemon(config=f"users: {{allow: [{STORMER}, {OTHER}], limits: {{jobs: 10000, queued: 10000}}}}\nlog: {{level: warning}}\n")
    daemon.start()
    daemon.dir.chmod(0o755)
    storm, other = as_account(daemon, STORMER), as_account(daemon, OTHER)
    late = {"alone": [], "beside": []}
    for turn in range(6):
        kind = ("alone", "beside")[turn % 2]
        due = int(time.time()) + (8 if kind == "beside" else 2)
        trigger = {"type": "date", "run_at": due * 1_000_000}
        if kind == "beside":
            jobs = [{"id": f"s{turn}-{i}", "command": ["/bin/true"], "trigger": trigger, "capture": "none"} for i in range(STORM)]
            for at in range(0, STORM, 1000):
                storm.call("job.apply", jobs=jobs[at:at + 1000])
        other.call("job.add", id=f"one{turn}", command=["/bin/true"], trigger=trigger, capture="none")
        run = e2e.wait_until("it ran", lambda turn=turn: next(iter(other.call("run.list", jobs=[f"one{turn}"], states=["success"])["runs"]), None), 60)
        late[kind].append((run["started_at"] - run["scheduled_at"]) / 1e3)
        if kind == "beside":
            e2e.wait_until("the storm is over", lambda: daemon.client().call("server.status")["scheduler"]["queued"] == 0, 120)
    alone, beside = (statistics.median(late[kind]) for kind in ("alone", "beside"))
    show("accounts_fair", storm=STORM, alone_ms=alone, beside_ms=beside, times=beside / alone, goal_times=2)
    daemon.end()


PARTS = {"read": part_read, "due": part_due, "fair": part_fair}
if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
