# SPDX-License-Identifier: MIT
"""Nodes that share one PostgreSQL, and what else runs jobs on one. One line of JSON for each figure.

  bench_cluster.py [PART…]    rate, alone, peers, idle, change, takeover; SCHEDD and SCHEDCTL are the programs

alone: what one daemon pays for a store that is shared, beside one that is not, and both beside a bare commit.
rate: functions that do nothing, due each second, as many as a node makes durable; one node and two, in turns.
peers: the same of Quartz's clustered store; pg-boss and graphile-worker, which know minutes alone, with jobs that are due.
"""
import atexit
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
os.environ.setdefault("SCHEDD_SOURCE", str(SOURCE))
# For Java, which knows no Unix socket: an address of this run's own, so that the port is free.
ADDRESS = os.environ.setdefault("SCHEDD_BENCH_ADDRESS", f"127.{os.getpid() >> 16 & 63 | 64}.{os.getpid() >> 8 & 255}.{os.getpid() & 127 | 128}")
os.environ.setdefault("SCHEDD_TEST_SERVER_OPTIONS", f"-c listen_addresses={ADDRESS}")
os.environ.setdefault("SCHEDD_BINARY_DIR", str(pathlib.Path(os.environ["SCHEDD"]).resolve().parent.parent))
import cluster  # noqa: E402
import e2e  # noqa: E402
import server_store  # noqa: E402
from e2e import wait_until  # noqa: E402

ROUNDS = 3
SECONDS = 8
CALLS = 300
JOBS = 60_000  # more than two nodes can
DUE = 600  # jobs each second beside those that are taken over
TAKEN = int(os.environ.get("SCHEDD_BENCH_TAKEN", 1_000_000))
LEASE = 6
PEER_JOBS = 4_000
PEERS = ("pg-boss@9.0.3", "graphile-worker@0.16.6", "pg@8.16.3")
JARS = ("quartz2", "postgresql", "c3p0", "slf4j-api")
NOOP = """#include <schedd/module.h>
#include <stddef.h>
static int noop(const struct schedd_call *call, void *context) { (void)call; (void)context; return 0; }
static const struct schedd_module_function functions[] = {{"noop", noop, NULL}, {NULL, NULL, NULL}};
SCHEDD_API const struct schedd_module schedd_module = {.abi = SCHEDD_MODULE_ABI, .name = "bench", .functions = functions};
"""


def show(bench, **figures):
    rounded = {k: round(v, 3) if isinstance(v, float) else v for k, v in figures.items()}
    print(json.dumps({"bench": bench, **rounded}), flush=True)


def server_cpu():
    """Seconds of CPU that the server's processes have taken, those that have ended too."""
    top = pathlib.Path(os.environ["SCHEDD_TEST_SERVER_DIR"], "server.pid").read_text().strip()
    ticks = 0
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, rest = stat.parent.name, stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if pid == top:
            ticks += sum(map(int, rest[11:15]))
        elif rest[1] == top:
            ticks += sum(map(int, rest[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def node_cpu(node):
    return sum(map(int, pathlib.Path(f"/proc/{node.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")


def number(text):
    return float(cluster.STORE.tell(text))


class Nodes:
    """Some nodes with functions that do nothing, due each second."""

    def __init__(self, count, jobs, together=True, shared=True):
        cluster.reset()
        self.nodes = [cluster.Node("abc"[i], lease=LEASE) if shared else e2e.Daemon(server_store.config()) for i in range(count)]
        atexit.register(self.end)
        plugins = self.nodes[0].dir / "plugins"
        plugins.mkdir()
        (plugins / "bench.c").write_text(NOOP)
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", f"-I{SOURCE}/lib/include", "-o", plugins / "bench.so", plugins / "bench.c"], check=True)
        self.plugins = str(plugins)
        for i in range(count if together else 1):
            self.start(i)
        if together and shared:
            self.await_slots(60)
        if jobs:
            self.apply({f"job-{i:06d}": {"call": "bench:noop", "store": "shared", "trigger": {"every": 1}} for i in range(jobs)})

    def start(self, i):
        self.nodes[i].start(SCHEDD_PLUGIN_DIR=self.plugins)

    def await_slots(self, seconds):
        wait_until("each has its slots", lambda: all(node.slots() > 200 / len(self.nodes) for node in self.nodes), seconds)

    def apply(self, jobs, name="jobs"):
        file = self.nodes[0].dir / f"{name}.json"
        file.write_text(json.dumps({"version": 1, "jobs": jobs}))
        code, _, err = self.nodes[0].ctl("apply", "-qf", str(file))
        if code:
            raise AssertionError(err)

    def end(self):
        atexit.unregister(self.end)
        for node in self.nodes:
            node.end()


def rate(count):
    """Runs a second that are in the history with their end, and seconds of the server's CPU for each."""
    nodes = Nodes(count, JOBS)
    time.sleep(4)
    done, cpu, begin = number("SELECT count(*) FROM schedd_runs WHERE done_at IS NOT NULL"), server_cpu(), time.monotonic()
    time.sleep(SECONDS)
    done = number("SELECT count(*) FROM schedd_runs WHERE done_at IS NOT NULL") - done
    cpu, seconds = server_cpu() - cpu, time.monotonic() - begin
    nodes.end()
    return done / seconds, cpu / max(done, 1)


def part_rate():
    one, two = [], []
    for _ in range(ROUNDS):
        one.append(rate(1))
        two.append(rate(2))
    middle = [statistics.median(r[0] for r in rounds) for rounds in (one, two)]
    show("cluster_rate", one_per_second=middle[0], two_per_second=middle[1], two_to_one=middle[1] / middle[0], goal_two_to_one=1.1,
         server_us=statistics.median(r[1] for r in one) * 1e6, goal_server_us=40)
    return middle[0]


def bare_commits():
    """A second, of one row, by the server's own client."""
    server_store.sql("CREATE TABLE IF NOT EXISTS bare_commit (one int PRIMARY KEY, batch bigint) WITH (fillfactor = 10)")
    server_store.sql("INSERT INTO bare_commit VALUES (1, 0) ON CONFLICT DO NOTHING")
    script = pathlib.Path(os.environ["SCHEDD_TEST_SERVER_DIR"], "bare.sql")
    script.write_text("UPDATE bare_commit SET batch = batch + 1 WHERE one = 1;\n")
    bench = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/pgbench"))[-1]
    out = subprocess.run([bench, "-h", os.environ["SCHEDD_TEST_SERVER_DIR"], "-U", "schedd", "-n", "-M", "prepared", "-T", "2", "-f", script, "ops"],
                         capture_output=True, text=True, check=True).stdout
    return float(out.split("tps = ")[1].split()[0])


ALONE = {  # what is asked for, one after the other
    "add": lambda client, i: client.call("job.add", id=f"job-{i}", store="shared", call="bench:noop", trigger={"type": "manual"}),
    "add_after": lambda client, i: client.call("job.add", id=f"after-{i}", store="shared", call="bench:noop", trigger={"type": "manual"}, after=["job-0"]),
    "add_group": lambda client, i: client.call("job.add", id=f"group-{i}", store="shared", call="bench:noop", trigger={"type": "manual"}, group="g"),
    "replace": lambda client, i: client.call("job.add", id=f"job-{i}", store="shared", call="bench:noop", trigger={"type": "manual"}, replace=True),
    "if_absent": lambda client, i: client.call("job.add", id=f"other-{i}", store="shared", call="bench:noop", trigger={"type": "manual"}, if_absent=True),
    "run": lambda client, i: client.call("job.run", id=f"job-{i}"),
}


def alone(shared):
    """Calls a second of each kind, seconds of an apply of 10,000, and seconds of the server's CPU for each."""
    nodes = Nodes(1, 0, shared=shared)
    client, rates = nodes.nodes[0].client(), {}
    for name, ask in ALONE.items():
        cpu, begin = server_cpu(), time.monotonic()
        for i in range(CALLS):
            ask(client, i)
        rates[name] = CALLS / (time.monotonic() - begin), (server_cpu() - cpu) / CALLS
    cpu, begin = server_cpu(), time.monotonic()
    nodes.apply({f"applied-{i}": {"command": ["true"], "store": "shared", "trigger": "manual"} for i in range(10_000)})
    rates["apply"] = 1 / (time.monotonic() - begin), server_cpu() - cpu
    nodes.end()
    return rates


def part_alone():
    own, shared, bare = [], [], []
    for _ in range(ROUNDS):
        own.append(alone(False))
        bare.append(bare_commits())
        shared.append(alone(True))
    for name in own[0]:
        rates = [statistics.median(one[name][0] for one in side) for side in (own, shared)]
        cpu = [statistics.median(one[name][1] for one in side) * 1e6 for side in (own, shared)]
        show("cluster_alone_" + name, own_per_second=rates[0], shared_per_second=rates[1], shared_to_own=rates[1] / rates[0],
             own_server_us=cpu[0], shared_server_us=cpu[1], shared_to_bare=rates[1] / statistics.median(bare))


def peer(*command, **env):
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **env}, check=True, timeout=600)
    row = json.loads(done.stdout.strip().splitlines()[-1])
    return row["per_second"]


def part_peers():
    place = pathlib.Path(os.environ["SCHEDD_BINARY_DIR"], "peers")
    place.mkdir(exist_ok=True)
    subprocess.run(["npm", "i", "--silent", "--prefix", place, *PEERS], check=True)
    host = os.environ["SCHEDD_TEST_SERVER_DIR"]
    here = SOURCE / "tests/bench/peers"
    path = ":".join([str(place), *(f"/usr/share/java/{jar}.jar" for jar in JARS)])
    subprocess.run(["javac", "-cp", path, "-d", place, here / "DueQuartz.java"], check=True)
    rates = {"schedd": [], "quartz": [], "pg-boss": [], "graphile-worker": []}
    for _ in range(ROUNDS):
        rates["schedd"].append(rate(1)[0])
        for name in ("pg-boss", "graphile-worker"):
            server_store.admin("DROP SCHEMA IF EXISTS boss, graphile_worker CASCADE")
            rates[name].append(peer("node", str(here / "due_workers.cjs"), name, host, "10000", NODE_PATH=str(place / "node_modules")))
        cluster.reset()
        rates["quartz"].append(peer("java", "-cp", path, "DueQuartz", f"jdbc:postgresql://{ADDRESS}/ops?user=schedd",
                                    str(PEER_JOBS), str(SECONDS), "25", "25"))
    middle = {name: statistics.median(values) for name, values in rates.items()}
    for name, goal in (("quartz", 10), ("pg-boss", 5), ("graphile-worker", 5)):
        show("cluster_peer", name=name, per_second=middle[name], schedd_per_second=middle["schedd"],
             times=middle["schedd"] / middle[name], goal_ratio_to_peer=goal)


def part_idle():
    """Statements a second of three nodes with nothing to do."""
    nodes = Nodes(3, 0)
    log = pathlib.Path(os.environ["SCHEDD_TEST_SERVER_DIR"], "log")
    time.sleep(8)  # the last slots have found their node
    server_store.admin("ALTER SYSTEM SET log_statement = 'all'")
    server_store.admin("SELECT pg_reload_conf()")
    time.sleep(1)
    begin = log.stat().st_size
    time.sleep(SECONDS * 2)
    count = sum(b" LOG:  statement: " in line or b" LOG:  execute " in line for line in log.read_bytes()[begin:].splitlines())
    server_store.admin("ALTER SYSTEM RESET log_statement")
    server_store.admin("SELECT pg_reload_conf()")
    nodes.end()
    show("cluster_idle", statements_a_second=count / SECONDS / 2, goal_statements_a_second=5)


def part_change():
    """From a node's answer to the moment in which another tells of the change."""
    nodes = Nodes(2, 0)
    one, other = (node.client() for node in nodes.nodes)
    other.call("event.subscribe", events=["job_added"])
    late = []
    for i in range(300):
        one.call("job.add", id=f"job-{i}", store="shared", command=["/bin/true"], trigger={"type": "manual"})
        answered = time.monotonic()
        while True:
            event = other.notification()
            if f"job-{i}" in json.dumps(event, default=str):
                break
        late.append((time.monotonic() - answered) * 1e3)
    nodes.end()
    late.sort()
    show("cluster_change", p50_ms=max(0.0, late[len(late) // 2]), p99_ms=late[len(late) * 99 // 100], goal_p50_ms=5)


def taken_over(end):
    """One of three nodes is ended: (seconds after its lease until others have its slots, until the last of what was due each second ran)."""
    nodes = Nodes(3, 0, together=False)
    first = nodes.nodes[0]
    begin = time.monotonic()
    for part in range(0, TAKEN, 100_000):
        jobs = {f"job-{i:07d}": {"command": ["/bin/true"], "store": "shared", "trigger": {"every": "1d"}} for i in range(part, min(part + 100_000, TAKEN))}
        nodes.apply(jobs, f"part-{part}")
    nodes.apply({f"due-{i}": {"call": "bench:noop", "store": "shared", "trigger": {"every": 1}} for i in range(DUE)}, "due")
    added, begin = time.monotonic() - begin, time.monotonic()
    nodes.start(1)
    nodes.start(2)
    nodes.await_slots(300)
    loaded = time.monotonic() - begin
    dead = nodes.nodes[2]
    wait_until("due jobs run on it", lambda: number("SELECT count(DISTINCT job) FROM schedd_runs r JOIN schedd_nodes n ON n.node = r.ran WHERE n.name = 'c'") > DUE / 5, 60)
    theirs = [row[0] for row in cluster.STORE.rows("SELECT j.key FROM schedd_jobs j JOIN schedd_slots s ON s.slot = j.slot JOIN schedd_nodes n ON n.node = s.node "
                                                   "WHERE n.name = 'c' AND j.id LIKE 'due-%'")]
    cpu = server_cpu() + sum(node_cpu(node) for node in nodes.nodes[:2])
    end(dead)
    lease = number("SELECT expires_at FROM schedd_nodes WHERE name = 'c'")
    late = slots_late(lease)
    ran = f"(SELECT min(started_at) AS began FROM schedd_runs WHERE job IN ({', '.join(theirs)}) AND started_at > {lease:.0f} GROUP BY job) f"
    wait_until("all of them run again", lambda: number(f"SELECT count(*) FROM {ran}") == len(theirs), 120)
    cpu = server_cpu() + sum(node_cpu(node) for node in nodes.nodes[:2]) - cpu
    ran = number(f"SELECT max(began) FROM {ran}")
    rss = max(node.memory() for node in nodes.nodes[:2])
    dead.thaw()
    nodes.end()
    show("cluster_takeover_" + end.__name__, jobs=TAKEN, added_s=added, loaded_s=loaded, slots_s=late, due_s=(ran - lease) / 1e6,
         goal_due_s=2, cpu_s=cpu, rss_mb=rss / 1e6)
    return (ran - lease) / 1e6


def killed(node):
    node.process.kill()


def frozen(node):
    node.freeze()


def slots_late(lease):
    while sum(seat.slots for seat in cluster.STORE.seats().values() if seat.name != "c") < 256:
        time.sleep(0.02)
    return time.time() - lease / 1e6


def part_takeover():
    for end in (killed, frozen):
        taken_over(end)


PARTS = {"rate": part_rate, "alone": part_alone, "peers": part_peers, "idle": part_idle, "change": part_change, "takeover": part_takeover}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
