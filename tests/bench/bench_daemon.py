# SPDX-License-Identifier: MIT
"""The daemon and schedctl from outside: starting, resting, a thousand processes at one instant beside a bare
posix_spawn loop and Debian's cron, long lists and files. One line of JSON for each figure.

  bench_daemon.py [PART…]    SCHEDD and SCHEDCTL are the programs; cron only by its name: it waits for a full minute
"""
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import e2e  # noqa: E402

MANY = 100_000
TICKS = os.sysconf("SC_CLK_TCK")


def show(bench, **figures):
    rounded = {k: round(v, 3) if isinstance(v, float) else v for k, v in figures.items()}
    print(json.dumps({"bench": bench, **rounded}), flush=True)


def cpu_of(pid):
    """Seconds of a process, and of its children that have ended."""
    fields = [int(x) for x in pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:15]]
    return (fields[0] + fields[1]) / TICKS, (fields[2] + fields[3]) / TICKS


def peak_of(pid):
    """Resident bytes at most, so far."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def cpu_of_starters(pid):
    """Seconds of its programs that start jobs and live: those that ended are among its children."""
    used = 0
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        try:
            if pathlib.Path(f"/proc/{child}/comm").read_text().strip() == "schedd-spawn":
                used += int(pathlib.Path(f"/proc/{child}/schedstat").read_text().split()[0]) / 1e9
        except OSError:
            pass
    return used


def add_many(client, jobs, window=64):
    """job.add for each, pipelined."""
    waiting = []
    for job in jobs:
        waiting.append(client.send("job.add", **job))
        if len(waiting) >= window:
            client.receive(waiting.pop(0))
    for msgid in waiting:
        client.receive(msgid)


def measured_here(argv):
    """Runs schedctl with its output thrown away: [seconds, peak of resident bytes, CPU seconds]."""
    begin = time.monotonic()
    child = subprocess.Popen([e2e.SCHEDCTL, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, argv
    return [time.monotonic() - begin, usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime]


def measured_cpu(daemon, *argv):
    """The same below a process that is small: a program begins with the peak of whoever started it."""
    ended = subprocess.run([sys.executable, __file__, "--measured", *argv], env=daemon.environment(), stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, check=True)
    return json.loads(ended.stdout)


def measured(daemon, *argv):
    return measured_cpu(daemon, *argv)[:2]


def part_idle(daemon):
    daemon.start()
    time.sleep(2)

    def switches():
        return sum(int(line.split()[1]) for status in pathlib.Path(f"/proc/{daemon.process.pid}/task").glob("*/status")
                   for line in status.read_text().splitlines() if "ctxt_switches" in line)
    before = switches()
    time.sleep(5)
    show("idle", rss_mb=daemon.memory() / 1e6, wakeups_in_5_s=switches() - before, goal_rss_mb=6, goal_wakeups=0)


def part_ctl(daemon):
    daemon.start()
    add_many(daemon.client(), ({"id": f"j{i}", "shell": "true", "trigger": {"every": "1h"}} for i in range(10)))
    ours, floor = [], []
    for _ in range(60):
        ours.append(measured(daemon, "list")[0] * 1e3)
        begin = time.monotonic()
        subprocess.run(["/bin/true"], env=daemon.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        floor.append((time.monotonic() - begin) * 1e3)
    show("schedctl_list_10", ms=statistics.median(ours), true_ms=statistics.median(floor))


def part_start(daemon):
    """Everything but one far away; then all of them due while the daemon was down."""
    daemon.start()
    later = [{"id": f"job-{i:05}", "shell": "true", "trigger": {"every": "1h"}} for i in range(10_000)]
    add_many(daemon.client(), later)
    first = []
    for i in range(5):
        daemon.client().call("job.add", id=f"due-{i}", shell="true", trigger={"at": int(time.time() * 1e6) + 300_000}, keep=True)
        daemon.stop(signal.SIGKILL)
        time.sleep(0.5)
        begin = time.time()
        daemon.start()
        client = daemon.client()
        run = e2e.wait_until("it ran", lambda: client.call("run.list", jobs=[f"due-{i}"], states=["success"])["runs"])
        first.append((run[0]["started_at"] / 1e6 - begin) * 1e3)
        client.call("job.remove", id=f"due-{i}")
    show("start_first_due_of_10k", ms=statistics.median(first), goal_ms=30)
    client = daemon.client()
    soon = int(time.time() * 1e6) + 6_000_000
    for job in later:
        job.update(trigger={"type": "interval", "seconds": 3600, "start": soon}, misfire_grace_time=0.001, replace=True)
    add_many(client, later)
    daemon.stop(signal.SIGKILL)
    time.sleep(max(0, soon / 1e6 - time.time()) + 0.5)
    database = sqlite3.connect(f"file:{next(daemon.state.glob('*.db'))}?mode=ro", uri=True)
    begin = time.time()
    daemon.start(wait=False)
    while database.execute("SELECT count(*) FROM jobs WHERE next_run_time <= ?", (int(begin * 1e6),)).fetchone()[0]:
        time.sleep(0.005)
    show("start_10k_due_durable", ms=(time.time() - begin) * 1e3, goal_ms=200)


# What a job is given; its program starts no faster without.
JOB_ENVIRONMENT = {"SCHEDD_RUN": "job/1", "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/root", "USER": "root", "SHELL": "/bin/sh"}
INSTANT_TURNS = 6


def spawn_floor(commands):
    """A bare loop: (CPU seconds of its own and of its children, milliseconds until the first and the last start)."""
    before = os.times()
    begin = time.monotonic()
    first = 0
    for argv in commands:
        os.posix_spawn(argv[0], argv, JOB_ENVIRONMENT)
        first = first or time.monotonic() - begin
    last = time.monotonic() - begin
    for _ in commands:
        os.waitpid(-1, 0)
    after = os.times()
    return sum(after[:2]) - sum(before[:2]), sum(after[2:4]) - sum(before[2:4]), first * 1e3, last * 1e3


def instant_jobs(client, turn, commands):
    """Adds them, all due at one second two or three from now; returns that second."""
    due = int(time.time()) + 3
    add_many(client, ({"id": f"t{turn}-{i}", "trigger": {"at": due * 1_000_000},
                       **({"shell": argv[2]} if len(argv) > 1 else {"command": argv})} for i, argv in enumerate(commands)))
    time.sleep(max(0, due - 0.1 - time.time()))
    return due


def all_ended(client):
    return not client.call("job.list", limit=1)["jobs"]


def through_daemon(daemon, client, turn, commands):
    """The same figures of the daemon and what starts its jobs; starts count from the second all are due at."""
    due = instant_jobs(client, turn, commands)
    before, starters = cpu_of(daemon.process.pid), cpu_of_starters(daemon.process.pid)
    time.sleep(0.5)
    e2e.wait_until("all have run", lambda: all_ended(client), 120)
    own, children = (a - b for a, b in zip(cpu_of(daemon.process.pid), before))
    own += cpu_of_starters(daemon.process.pid) - starters
    starts = sorted(r["started_at"] / 1e6 - due for r in all_runs(client, f"t{turn}-*"))
    assert len(starts) == len(commands), len(starts)
    return own, children, starts[0] * 1e3, starts[-1] * 1e3


def slowest_answer(client, commands):
    """Milliseconds that a client waited at most while they started."""
    instant_jobs(client, "answer", commands)
    slowest = 0
    while not all_ended(client):
        begin = time.monotonic()
        client.call("server.ping")
        slowest = max(slowest, time.monotonic() - begin)
        time.sleep(0.002)
    return slowest * 1e3


def part_instant(daemon, count=1000):
    """Programs, and lines through /bin/sh as cron's. Which of the two begins changes with each turn."""
    daemon.start()
    client = daemon.client()
    for kind in ("direct", "sh"):
        ours, floors = [], []
        for turn in range(INSTANT_TURNS):
            folder = daemon.dir / f"{kind}{turn}"
            folder.mkdir()
            commands = [["/bin/sh", "-c", f"true >{folder}/{i}"] if kind == "sh" else ["/bin/true"] for i in range(count)]
            for side in (0, 1) if turn % 2 else (1, 0):
                if side:
                    ours.append(through_daemon(daemon, client, f"{kind}{turn}", commands))
                else:
                    floors.append(spawn_floor(commands))
        own, children, first, last = (statistics.median(column) for column in zip(*ours))
        floor_own, floor_children, _, floor_last = (statistics.median(column) for column in zip(*floors))

        def ratio(of):
            return statistics.median(of(a) / of(b) for a, b in zip(ours, floors))
        show(f"instant_{count}_{kind}", cpu_ratio=ratio(lambda f: f[0] + f[1]), last_ratio=ratio(lambda f: f[3]),
             own_us_per_job=own / count * 1e6, children_us_per_job=children / count * 1e6,
             floor_own_us_per_job=floor_own / count * 1e6, floor_children_us_per_job=floor_children / count * 1e6,
             first_start_ms=first, last_start_ms=last, floor_last_start_ms=floor_last,
             slowest_answer_ms=slowest_answer(client, commands), goal_cpu_ratio=1.15, goal_first_ms=20, goal_last_ratio=1.2)


def all_runs(client, pattern):
    runs, after = [], None
    while True:
        answer = client.call("run.list", jobs=[pattern], limit=1000, **({"after": after} if after else {}))
        runs += answer["runs"]
        after = answer["next"]
        if not after:
            return runs


def part_list(daemon):
    """Also: how long a file of so many jobs takes, and what of it stays with the daemon beside one that was started with the jobs."""
    daemon.start()
    path = daemon.dir / "jobs.yaml"
    with open(path, "w", encoding="ascii") as file:
        file.write("version: 1\njobs:\n")
        for i in range(MANY):
            file.write(f"  job-{i:06}:\n    name: nightly report {i}\n    shell: report {i}\n    trigger: {{every: {600 + i % 6000}}}\n")
    seconds, peak = measured(daemon, "apply", "-f", str(path))
    applied = daemon.memory()
    daemon.stop()
    daemon.start()
    fresh = daemon.memory()
    show("apply_100k", seconds=seconds, schedctl_mb=peak / 1e6, daemon_mb=applied / 1e6, fresh_mb=fresh / 1e6,
         times_fresh=applied / fresh, goal_times_fresh=1.2)
    for form in ("name", "tsv", "table", "jsonl"):
        runs = [measured(daemon, "list", "-o", form) for _ in range(3)]
        show("list_100k_" + form, seconds=statistics.median(r[0] for r in runs), schedctl_mb=max(r[1] for r in runs) / 1e6, goal_seconds=1)

# What a job's row is in a table that somebody would write for the same purpose.
PEER_TABLE = """
CREATE TABLE jobs (id TEXT NOT NULL PRIMARY KEY, name TEXT, shell TEXT, trigger TEXT NOT NULL, next_run_time INTEGER, job TEXT NOT NULL);
CREATE INDEX jobs_next ON jobs (next_run_time);
"""


def write_job_file(path, count):
    with open(path, "w", encoding="ascii") as file:
        file.write('{"version": 1, "jobs": {')
        for i in range(count):
            job = {"name": f"nightly report {i}", "shell": f"report {i}", "trigger": {"every": 600 + i % 6000}}
            file.write(f'{", " if i else ""}"job-{i:06}": {json.dumps(job)}')
        file.write("}}")


def peer_applies(path, database):
    """A process: reads the file with json and inserts its jobs with sqlite3, durably."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;" + PEER_TABLE)
    with open(path, encoding="ascii") as file:
        jobs = json.load(file)["jobs"]
    now = time.time_ns() // 1000
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?)", (
        (name, job.get("name"), job.get("shell"), json.dumps(job["trigger"]), now + job["trigger"]["every"] * 1_000_000, json.dumps(job))
        for name, job in jobs.items()))
    connection.execute("COMMIT")
    connection.close()


def peer_process(path, database):
    """(seconds, CPU seconds) of it."""
    begin = time.monotonic()
    child = subprocess.Popen([sys.executable, __file__, "--peer", str(path), str(database)])
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime


def part_apply(daemon, turns=5):
    """A file of so many jobs into an empty store, in turns with what Python's json and sqlite3 take for it."""
    path = daemon.dir / "jobs.json"
    write_job_file(path, MANY)
    size = path.stat().st_size
    ours, peers = [], []
    for turn in range(turns):
        for side in (0, 1) if turn % 2 else (1, 0):
            if side:
                peers.append(peer_process(path, daemon.dir / f"peer{turn}.db"))
                continue
            for old in daemon.state.glob("*.db*"):
                old.unlink()
            daemon.start()
            rss, before = daemon.memory(), sum(cpu_of(daemon.process.pid))
            seconds, peak, own = measured_cpu(daemon, "apply", "-f", str(path))
            ours.append((seconds, own, sum(cpu_of(daemon.process.pid)) - before, peak, peak_of(daemon.process.pid) - rss))
            daemon.stop()
    seconds, ctl, own, peak, grown = (statistics.median(column) for column in zip(*ours))
    show("apply_100k_json", file_mb=size / 1e6, seconds=seconds, peer_seconds=statistics.median(p[0] for p in peers),
         ratio=statistics.median(a[0] / b[0] for a, b in zip(ours, peers)), goal_ratio=1.2, schedctl_cpu=ctl, daemon_cpu=own,
         peer_cpu=statistics.median(p[1] for p in peers), cpu_ratio=statistics.median((a[1] + a[2]) / b[1] for a, b in zip(ours, peers)),
         schedctl_times_file=peak / size, goal_times_file=6, daemon_grows_mb=grown / 1e6)


def part_cron(daemon, count=1000):
    """Debian's cron with a table of its own, on a spool that only it sees."""
    del daemon
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-cron."))
    (folder / "marks").mkdir()
    (folder / "spool").mkdir(mode=0o700)
    due = int(time.time() // 60 + 1) * 60
    if due - time.time() < 10:
        due += 60
    minute = time.localtime(due)
    (folder / "spool" / "root").write_text("".join(
        f"{minute.tm_min} {minute.tm_hour} * * * true >{folder}/marks/{i}\n" for i in range(count)))
    (folder / "spool" / "root").chmod(0o600)
    child = subprocess.Popen(["unshare", "-m", "sh", "-c",
                              f"mount --bind {folder}/spool /var/spool/cron/crontabs && mount -t tmpfs none /etc/cron.d && "
                              "mount --bind /dev/null /etc/crontab && exec cron -f"])
    try:
        e2e.wait_until("all have run", lambda: len(os.listdir(folder / "marks")) == count, due + 90 - time.time())
        e2e.wait_until("they were waited for", lambda: not pathlib.Path(
            f"/proc/{child.pid}/task/{child.pid}/children").read_text().split(), 60)
        starts = sorted(p.stat().st_mtime - due for p in (folder / "marks").iterdir())
        show("cron_1000", cpu_ms_per_job=sum(cpu_of(child.pid)) / count * 1e3, first_start_ms=starts[0] * 1e3, last_start_ms=starts[-1] * 1e3)
    finally:
        child.kill()
        child.wait()
        shutil.rmtree(folder)


PARTS = {"idle": part_idle, "ctl": part_ctl, "start": part_start, "instant": part_instant, "list": part_list, "apply": part_apply,
         "cron": part_cron}


def main():
    if sys.argv[1:2] == ["--peer"]:
        peer_applies(*sys.argv[2:])
        return
    if sys.argv[1:2] == ["--measured"]:
        json.dump(measured_here(sys.argv[2:]), sys.stdout)
        return
    for name in sys.argv[1:] or [name for name in PARTS if name != "cron"]:
        daemon = e2e.Daemon()
        try:
            PARTS[name](daemon)
        finally:
            daemon.end()


main()
