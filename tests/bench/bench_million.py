# SPDX-License-Identifier: MIT
"""A daemon with a million jobs in SQLite: how long until the first of them runs, what it takes, and how late a thousand
no-op jobs a second are beside them, and while another daemon reads a store of them. One line of JSON for each figure.

  bench_million.py [JOBS [ROUNDS]]    SCHEDD and SCHEDCTL are the programs
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
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import e2e  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")
EACH_SECOND = 1000
PERIOD = 60
SECONDS = 12
NOOP = """
#include <stddef.h>
#include <schedd/module.h>
static int noop(const struct schedd_call *call, void *context) { (void)call, (void)context; return 0; }
static const struct schedd_module_function functions[] = {{"noop", noop, NULL}, {NULL, NULL, NULL}};
SCHEDD_API const struct schedd_module schedd_module = {.abi = SCHEDD_MODULE_ABI, .name = "noop", .functions = functions};
"""


def show(bench, **figures):
    rounded = {k: round(v, 3) if isinstance(v, float) else v for k, v in figures.items()}
    print(json.dumps({"bench": bench, **rounded}), flush=True)


def cpu_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def fill(daemon, jobs):
    """Rows as the daemon writes them: of far ones all, of those due each second too."""
    (daemon.dir / "noop.c").write_text(NOOP)
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O2", f"-I{SOURCE}/lib/include", "-o", daemon.dir / "noop.so",
                    daemon.dir / "noop.c"], check=True)
    daemon.start(SCHEDD_PLUGIN_DIR=str(daemon.dir))
    client = daemon.client()
    client.call("job.add", id="far", name="Sync of customer", command=["/usr/local/bin/backup", "--all"], trigger={"every": "1h"})
    client.call("job.add", id="near", call="noop:noop", trigger={"every": PERIOD}, capture="none")
    daemon.stop()
    now = int(time.time() * 1e6)
    with sqlite3.connect(daemon.state / "default.db") as database:
        names = [column[1] for column in database.execute("PRAGMA table_info(jobs)")]
        kinds = {row["id"]: row for row in (dict(zip(names, r)) for r in database.execute("SELECT * FROM jobs"))}
        database.execute("DELETE FROM jobs")

        def rows():
            for i in range(jobs - EACH_SECOND * PERIOD):
                due = now + 86_400_000_000 + i * 1000
                trigger = json.dumps({"type": "interval", "seconds": 86400 + i % 6000, "start": due}, separators=(",", ":"))
                yield {**kinds["far"], "id": f"customer-{i:06}-sync", "name": f"Sync of customer {i}", "trigger": trigger,
                       "next_fire": due, "next_run_time": due}
            for i in range(EACH_SECOND * PERIOD):
                due = now + 3_600_000_000 + i * 1_000_000 // EACH_SECOND
                trigger = json.dumps({"type": "interval", "seconds": PERIOD, "start": due}, separators=(",", ":"))
                yield {**kinds["near"], "id": f"near-{i:05}", "trigger": trigger, "next_fire": due, "next_run_time": due}
        database.executemany(f"INSERT INTO jobs ({','.join(chr(34) + n + chr(34) for n in names)}) VALUES ({','.join('?' * len(names))})",
                             (tuple(row[n] for n in names) for row in rows()))
    database.close()


def place(daemon, due):
    """Puts those that are due each second to begin then; of each second's all at once."""
    with sqlite3.connect(daemon.state / "default.db") as database:
        database.execute("""UPDATE jobs SET next_fire = ?1 + CAST(substr(id, 6) AS INTEGER) / ?2 * 1000000,
            next_run_time = ?1 + CAST(substr(id, 6) AS INTEGER) / ?2 * 1000000,
            trigger = json_set(trigger, '$.start', ?1 + CAST(substr(id, 6) AS INTEGER) / ?2 * 1000000) WHERE id LIKE 'near-%'""",
                         (due, EACH_SECOND))
    database.close()


def first_due(daemon):
    """(seconds, CPU seconds) from exec until one that is due has run; the rest is far away."""
    place(daemon, int(time.time() + 3600) * 1_000_000)
    with sqlite3.connect(daemon.state / "default.db") as database:
        database.execute("UPDATE jobs SET next_fire = ?1, next_run_time = ?1 WHERE id = 'near-00000'", (int(time.time() * 1e6),))
    database.close()
    begin = time.time()
    daemon.start(wait=False, SCHEDD_PLUGIN_DIR=str(daemon.dir))
    client = e2e.wait_until("it answers", lambda: connect(daemon), 120)
    run = e2e.wait_until("it ran", lambda: client.call("run.list", jobs=["near-00000"], states=["success"], since=int(begin * 1e6))["runs"], 60)
    figures = run[0]["started_at"] / 1e6 - begin, cpu_of(daemon.process.pid), daemon.memory() / 1e6
    daemon.stop(signal.SIGKILL)
    return figures


def connect(daemon):
    try:
        client = daemon.client(timeout=120)
        client.call("server.ping")
        return client
    except (OSError, EOFError):
        return None


def late_between(client, since, until):
    """Milliseconds of each that was due then."""
    late, after = [], None
    while True:
        answer = client.call("run.list", jobs=["near-*"], limit=1000, **({"after": after} if after else {}))
        late += [(r["started_at"] - r["scheduled_at"]) / 1e3 for r in answer["runs"] if r["started_at"] and since <= r["scheduled_at"] <= until]
        after = answer["next"]
        if not after or answer["runs"][-1]["scheduled_at"] < since:
            return sorted(late)


def spread(late):
    return late[len(late) // 2], late[len(late) * 99 // 100], late[-1]


def lateness(daemon):
    """Milliseconds of each fire of some seconds of a thousand."""
    due = int(time.time() + 20) * 1_000_000
    place(daemon, due)
    daemon.start(wait=False, SCHEDD_PLUGIN_DIR=str(daemon.dir))
    client = e2e.wait_until("it answers", lambda: connect(daemon), 120)
    time.sleep(max(0, due / 1e6 - time.time()))
    before = cpu_of(daemon.process.pid)
    time.sleep(SECONDS)
    cpu = cpu_of(daemon.process.pid) - before
    memory = daemon.memory() / 1e6
    late = late_between(client, due, due + 60_000_000)
    daemon.stop(signal.SIGKILL)
    assert len(late) >= EACH_SECOND * (SECONDS - 1), len(late)
    return *spread(late), cpu / SECONDS, memory


def lateness_of_load(daemon, million):
    """The same of those that are due while a store with all others of a million is read, and the seconds that takes."""
    path = daemon.dir / "far.db"
    shutil.copy(million.state / "default.db", path)
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM jobs WHERE id LIKE 'near-%'")
    database.close()
    fill(daemon, EACH_SECOND * PERIOD)
    due = int(time.time() + 10) * 1_000_000
    place(daemon, due)
    daemon.start(SCHEDD_PLUGIN_DIR=str(daemon.dir))
    client = daemon.client(timeout=120)
    time.sleep(max(0, due / 1e6 + 2.5 - time.time()))
    begin = time.time()
    client.call("store.add", name="far", type="sqlite", path=str(path))
    end = time.time()
    time.sleep(2)
    # Also what became due just before, and is in its way then.
    late = late_between(client, int((begin - 1) * 1e6), int(end * 1e6))
    daemon.stop(signal.SIGKILL)
    return end - begin, len(late), *spread(late)


def main():
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    daemon, other = (e2e.Daemon(config="history:\n  max_runs: 1000000\n") for _ in range(2))
    try:
        fill(daemon, jobs)
        turns = [first_due(daemon) for _ in range(rounds)]
        seconds, cpu, memory = (statistics.median(column) for column in zip(*turns))
        show("million_first_due", jobs=jobs, first_seconds=seconds, first_cpu_seconds=cpu, rss_mb=memory, goal_first_seconds=3, goal_rss_mb=430)
        middle, most, longest, cpu, memory = lateness(daemon)
        show("million_lateness", jobs=jobs, late_p50_ms=middle, late_p99_ms=most, late_max_ms=longest, cpu_share=cpu, rss_mb=memory,
             goal_late_p99_ms=50, goal_rss_mb=430)
        seconds, count, middle, most, longest = lateness_of_load(other, daemon)
        show("million_load_lateness", jobs=jobs, load_seconds=seconds, fires=count, late_p50_ms=middle, late_p99_ms=most, late_max_ms=longest,
             goal_late_p99_ms=50)
    finally:
        daemon.end()
        other.end()


main()
