# SPDX-License-Identifier: MIT
"""Calls in workers beside what they replace, in turns. One line of JSON for each figure.

  bench_workers.py [PART…]    parts: calls together long (default: all); SCHEDD and SCHEDCTL are the programs
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import e2e  # noqa: E402

APP = pathlib.Path(__file__).resolve().parent.parent / "e2e/worker_app"
ROUNDS = 3
CALLS = 3000
LONG = int(os.environ.get("BENCH_LONG", "100000"))

POOL = """
import sys, time
sys.path.insert(0, sys.argv[1])
from apscheduler.executors.pool import ProcessPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.events import EVENT_JOB_EXECUTED
import threading, calls_plain as calls
count, done, over = int(sys.argv[2]), 0, threading.Event()
scheduler = BackgroundScheduler(executors={"default": ProcessPoolExecutor(2)})
def listen(event):
    global done
    done += 1
    if done >= count:
        over.set()
scheduler.add_listener(listen, EVENT_JOB_EXECUTED)
scheduler.start()
def submit(n):
    for _ in range(n):
        scheduler.add_job(calls.nothing, misfire_grace_time=None)
count_all, count = count, 20
submit(20); over.wait(); over.clear()
done, count = 0, count_all
begin = time.monotonic()
submit(count)
over.wait()
print(count / (time.monotonic() - begin))
scheduler.shutdown()
"""


def show(bench, **figures):
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in figures.items()}
    try:
        print(json.dumps({"bench": bench, **rounded}), flush=True)
    except BrokenPipeError:  # `| head -1` has seen enough: no further part
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        PARTS.clear()


def start(store="memory", **settings):
    daemon = e2e.Daemon(config=json.dumps({
        "executors": {"python": {"type": "worker", "cwd": str(APP), **settings}},
        "defaults": {"keep_runs": 1000}})).start()
    client = daemon.client(timeout=600)
    client.call("job.add", id="nothing", executor="python", store=store, trigger={"type": "manual"}, max_instances=100000,
                call={"function": "calls:nothing"})
    client.call("run.wait", run=client.call("job.run", id="nothing")["run"])
    return daemon, client


def executed(client):
    return next(e for e in client.call("executor.list") if e["name"] == "python")["calls"]


def throughput(client, count):
    """Calls asked for without waiting, until the last has ended."""
    before = executed(client)
    begin = time.monotonic()
    asked = []
    for _ in range(count):
        asked.append(client.send("job.run", id="nothing"))
        if len(asked) == 64:
            for msgid in asked:
                client.receive(msgid)
            asked = []
    for msgid in asked:
        client.receive(msgid)
    while executed(client) - before < count:
        time.sleep(0.001)
    return count / (time.monotonic() - begin)


def latency(client, rounds=500):
    """From the request to the answer of run.wait, and the socket's own two round trips; ms."""
    calls, pings = [], []
    for _ in range(rounds):
        begin = time.perf_counter()
        client.call("server.ping")
        client.call("server.ping")
        pings.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        client.call("run.wait", run=client.call("job.run", id="nothing")["run"])
        calls.append(time.perf_counter() - begin)
    return statistics.median(calls) * 1e3, statistics.median(pings) * 1e3


def pool(count=1000):
    """APScheduler's ProcessPoolExecutor with the same function: calls a second."""
    done = subprocess.run(["/usr/bin/python3", "-c", POOL, str(APP), str(count)], capture_output=True, text=True, check=True)
    return float(done.stdout)


def processes(count=40):
    """`python3 -c pass`, one after the other, a second."""
    begin = time.monotonic()
    for _ in range(count):
        subprocess.run(["/usr/bin/python3", "-c", "pass"], check=True)
    return count / (time.monotonic() - begin)


def part_calls():
    memory, on_memory = start(processes=2)
    disk, on_disk = start(store="default", processes=2)
    rates = {"memory": [], "sqlite": [], "pool": [], "process": []}
    added = []
    for _ in range(ROUNDS):
        rates["memory"].append(throughput(on_memory, CALLS))
        rates["pool"].append(pool())
        rates["sqlite"].append(throughput(on_disk, CALLS))
        rates["process"].append(processes())
        call, ping = latency(on_memory)
        added.append(call - ping)
    memory.end()
    disk.end()
    best = {name: statistics.median(values) for name, values in rates.items()}
    show("worker_calls", memory_per_s=best["memory"], sqlite_per_s=best["sqlite"], pool_per_s=best["pool"],
         process_per_s=best["process"], times_pool=best["memory"] / best["pool"],
         times_process=best["memory"] / best["process"], added_p50_ms=statistics.median(added))


def part_together():
    """A thousand coroutines that rest for a second, in one worker."""
    daemon, client = start(processes=1, concurrency=1000)
    client.call("job.add", id="rests", executor="python", store="memory", trigger={"type": "manual"}, max_instances=1000,
                call={"function": "calls:rests", "args": [1]})
    before = executed(client)
    begin = time.monotonic()
    for msgid in [client.send("job.run", id="rests") for _ in range(1000)]:
        client.receive(msgid)
    while executed(client) - before < 1000:
        time.sleep(0.005)
    show("worker_coroutines", seconds=time.monotonic() - begin)
    daemon.end()


def resident(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def part_long():
    """Many calls: does anything grow? BENCH_LONG=2000000 is eight hours' worth."""
    daemon, client = start(processes=2, max_rss="256M")
    throughput(client, 20000)
    pid = next(e for e in client.call("executor.list") if e["name"] == "python")["pids"][0]
    first = daemon.memory(), resident(pid)
    for _ in range(LONG // 10000):
        throughput(client, 10000)
    show("worker_long", calls=LONG, daemon_grew_mb=(daemon.memory() - first[0]) / 2**20,
         worker_grew_mb=(resident(pid) - first[1]) / 2**20)
    daemon.end()


PARTS = {"calls": part_calls, "together": part_together, "long": part_long}
wrong = [part for part in sys.argv[1:] if part not in PARTS]
if wrong:
    sys.exit(f"bench_workers.py: there is no part {wrong[0]}; its parts: {' '.join(PARTS)}")
for part in sys.argv[1:] or list(PARTS):
    if part in PARTS:
        PARTS[part]()
