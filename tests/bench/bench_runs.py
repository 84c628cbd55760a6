# SPDX-License-Identifier: MIT
"""What the record of runs and their output cost the daemon while it works. One line of JSON for each figure.

  bench_runs.py [PART…]    SCHEDD and SCHEDCTL are the programs
"""
import json
import pathlib
import sqlite3
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import e2e  # noqa: E402

ROWS = 1_000_000
CHILDREN = 500
NOISE = pathlib.Path(e2e.SCHEDD).resolve().parent.parent / "tests/bench/bench_noise"


def show(bench, **figures):
    rounded = {k: round(v, 3) if isinstance(v, float) else v for k, v in figures.items()}
    print(json.dumps({"bench": bench, **rounded}), flush=True)


def share(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]


def tickers(client, count, every, store="memory", name="tick"):
    """Jobs whose lateness shows how long the loop was held up, on a store of disk their claims too; on different instants."""
    start = (int(time.time()) + 1) * 1_000_000
    for i in range(count):
        client.call("job.add", id=f"{name}-{i}", command=["/bin/true"], store=store, capture="none", overlap="skip",
                    trigger={"type": "interval", "seconds": every, "start": start + int(i * every * 1e6 / count)})


def lateness(client, count, since, name="tick"):
    """Milliseconds between due and begun, of all that the tickers ran since then."""
    late = []
    for i in range(count):
        for run in client.call("run.list", jobs=[f"{name}-{i}"], since=since, limit=10_000)["runs"]:
            if run["started_at"] and run["trigger"] == "schedule":
                late.append((run["started_at"] - run["scheduled_at"]) / 1e3)
    return late


def measured(client, count, seconds):
    since = int(time.time() * 1e6)
    time.sleep(seconds)
    return lateness(client, count, since)


def part_output(daemon):
    """Children that write without a pause; p99 of what else falls due, beside the same without them."""
    daemon.start()
    client = daemon.client(timeout=120)
    tickers(client, 20, 1)
    rest = measured(client, 20, 8)
    client.call("job.add", id="noise", command=[str(NOISE)], max_instances=CHILDREN, trigger={"type": "manual"})
    for _ in range(CHILDREN):
        client.call("job.run", id="noise")
    busy = measured(client, 20, 15)
    running = client.call("job.get", id="noise")["running"]
    begin = time.monotonic()
    client.call("run.kill", run="noise", signal="KILL")
    show("output_of_children", children=running, kill_ms_each=(time.monotonic() - begin) * 1e3 / CHILDREN, late_p50_ms=share(busy, 0.5), late_p99_ms=share(busy, 0.99),
         alone_p50_ms=share(rest, 0.5), alone_p99_ms=share(rest, 0.99))


def fill(daemon):
    """A database with a million rows of a thousand jobs; the daemon made its tables."""
    daemon.start()
    daemon.client().call("job.add", id="job-0", command=["true"], trigger={"every": "1h"})
    run = daemon.client().call("job.run", id="job-0")["run"]
    daemon.client().call("run.wait", run=run)
    daemon.stop()
    base = int(time.time() * 1e6) - ROWS * 1_000_000
    with sqlite3.connect(daemon.state / "default.db") as database:
        names = [column[1] for column in database.execute("PRAGMA table_info(runs)")]
        row = dict(zip(names, database.execute("SELECT * FROM runs").fetchone()))
        times = [name for name in names if name.endswith("_at") and row[name] is not None]

        database.executemany("INSERT OR IGNORE INTO ids (id) VALUES (?)", [(f"job-{i}",) for i in range(1000)])
        keys = dict(database.execute("SELECT CAST(substr(id, 5) AS INTEGER), key FROM ids"))

        def rows():
            for i in range(ROWS):
                new = {**row, "id": i + 10, "job": keys[i % 1000], "number": i // 1000 + 2}
                new.update((name, base + i * 1_000_000) for name in times)
                yield tuple(new[name] for name in names)
        database.executemany(f"INSERT INTO runs ({','.join(names)}) VALUES ({','.join('?' * len(names))})", rows())
        database.execute("UPDATE meta SET value = (SELECT count(*) FROM runs) WHERE key = 'store.runs'")
    database.close()


def part_history(daemon):
    fill(daemon)
    daemon.start()
    client = daemon.client(timeout=120)

    def ask(**params):
        took = []
        for _ in range(50):
            begin = time.monotonic()
            assert client.call("run.list", limit=50, **params)["runs"]
            took.append((time.monotonic() - begin) * 1e3)
        return took
    one, every = ask(jobs=["job-7"]), ask()
    failed = ask(jobs=["job-7"], states=["success"])
    show("history_of_a_million", job_ms=statistics.median(one), job_p98_ms=share(one, 0.98), all_ms=statistics.median(every),
         state_ms=statistics.median(failed), goal_job_ms=10)
    tickers(client, 20, 0.5)
    tickers(client, 20, 0.5, store="default", name="claim")
    retention(daemon, client)


def retention(daemon, client):
    """Turns with and without it, so that both meet the same noise. Tickers in memory wait for the loop, the others for the disk too."""
    TURN = 3
    late = {(name, turn): [] for name in ("tick", "claim") for turn in (False, True)}
    rows = seconds = 0

    def store():
        return [store for store in client.call("store.list") if store["name"] == "default"][0]
    left = store()["runs"]
    while left > 2000 and seconds < 300:
        for turn in (False, True):
            daemon.config.write_text("history:\n  max_runs: 1000\n" if turn else "")
            client.call("server.reload")
            time.sleep(1.5)  # the pass begins, or the piece under way ends
            before, since, begin = store()["runs"], int(time.time() * 1e6), time.monotonic()
            time.sleep(TURN)
            left = store()["runs"]
            if turn and left > 2000:
                rows += before - left
                seconds += time.monotonic() - begin
            if not turn or left > 2000:
                for name in ("tick", "claim"):
                    late[name, turn] += lateness(client, 20, since, name)
    figures = {}
    for (name, turn), values in late.items():
        for part, key in ((0.5, "p50"), (0.99, "p99"), (1, "max")):
            figures[f"{name}_{'' if turn else 'alone_'}{key}_ms"] = share(values, part)
    show("retention_of_a_million", rows_per_s=rows / seconds, longest_piece_ms=store()["longest_piece"] * 1e3, **figures,
         stall_ms=max(0.0, figures["claim_p99_ms"] - figures["claim_alone_p99_ms"]), goal_stall_ms=2)


PARTS = {"output": part_output, "history": part_history}


def main():
    for name in sys.argv[1:] or PARTS:
        daemon = e2e.Daemon()
        try:
            PARTS[name](daemon)
        finally:
            daemon.end()


main()
