# SPDX-License-Identifier: MIT
"""Faults at random over three daemons on one server, with jobs each second and changes from all
nodes; then what the commands themselves wrote is compared with the history.

  campaign.py [SECONDS [SEED [JOBS]]]     120 seconds and 60 jobs if not said; ctest runs it shortly, an evening for hours

SCHEDD_CLUSTER_STORE names the type of the store, SCHEDD_NETNS puts each node into a network namespace (root),
SCHEDD_OLD is the build directory of an older version, from which all are upgraded one after the other.

Never: a fire time that was executed twice, a run or a fire time without a row, an acknowledged change that is
lost, a run that is still open when all is quiet, a take-over later than 1.1 leases.
"""
import collections
import json
import os
import random
import re
import signal
import struct
import subprocess
import sys
import threading
import time
import unittest

from cluster import LEASE, STORE, Cluster, Node, server_restart, server_signal
from e2e import patience, wait_until
import links
from server_store import move

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 120
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
JOBS = int(sys.argv[3]) if len(sys.argv) > 3 else 60
START = time.time()
MINUTE = 60 * 10**6


def say(*words):
    print(f"{time.time() - START:7.2f}", *words, flush=True)


def preload():
    """A sanitizer's own library must come first."""
    linked = subprocess.run(["ldd", os.environ["SCHEDD"]], capture_output=True, text=True, check=True).stdout
    return " ".join(re.findall(r"=> (\S*lib[at]san\S*)", linked) + [os.environ["CLOCK_PRELOAD"]])


class Far(Node):
    """A node with a way to the server, and a clock, that a test has in its hands."""

    def __init__(self, name, number):
        self.link = links.link(number)
        super().__init__(name, url=self.link.url)
        self.clock = self.dir / "clock"
        self.set_clock(0)

    def start(self, wait=True, **env):
        return super().start(wait, LD_PRELOAD=preload(), CLOCK_OFFSET=str(self.clock), **env)

    def set_clock(self, offset):
        if self.clock.exists():
            with open(self.clock, "r+b") as file:
                file.write(struct.pack("=q", offset))
        else:
            self.clock.write_bytes(struct.pack("=q", offset))

    def build(self, directory):
        """Of which build it is when it starts again, its modules too."""
        self.program = self.link.command([f"{directory}/server/schedd"])

    def end(self):
        told = super().end()
        self.link.close()
        return told


class Far3(Cluster):
    def __init__(self):
        super().__init__(0)
        self.nodes = [Far("abc"[i], i + 1) for i in range(3)]


class Campaign(unittest.TestCase):
    def setUp(self):
        say("seed", SEED)
        self.random = random.Random(SEED)
        self.cluster = Far3()
        self.old = os.environ.get("SCHEDD_OLD")
        for node in self.cluster.nodes:
            node.build(self.old or os.environ["SCHEDD_BINARY_DIR"])
        self.cluster.start()
        self.lock = threading.Lock()
        self.over = False
        self.kept = {}      # id of a job that a change was acknowledged of: its description
        self.removed = set()
        self.doubtful = set()
        self.paused = set()
        self.counts = {}
        self.takeovers = []
        self.clock = links.clock_of_server()

    def tearDown(self):
        self.cluster.end(self)

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def some(self):
        return self.random.choice(self.cluster.nodes)

    # ---- Changes, from all nodes ----

    def ctl(self, node, *words):
        return node.ctl("--rpc-timeout", "8s", *words)[0]

    def add(self, node, name):
        code = self.ctl(node, "add", "--id", name, "--store", "shared", "--every", "1s", "--max-instances", "4", "--description",
                        "new", "--", *self.cluster.writes())
        with self.lock:
            if code == 0:
                self.kept[name] = "new"
            else:
                self.doubtful.add(name)
        self.count("added" if code == 0 else "not added")

    def change(self, chance, number):
        node = chance.choice(self.cluster.nodes)
        with self.lock:
            names = [name for name in self.kept if name not in self.doubtful]
        if not names:
            return
        name = chance.choice(names)
        what = chance.choice(["add", "modify", "modify", "modify", "remove", "run", "pause", "kill"])
        if what == "add":
            self.add(node, f"late{number}")
        elif what == "modify":
            code = self.ctl(node, "modify", name, "--description", f"change {number}")
            with self.lock:
                if code == 0:
                    self.kept[name] = f"change {number}"
                elif code != 5:
                    self.doubtful.add(name)
        elif what == "remove" and name.startswith("late"):
            code = self.ctl(node, "remove", name)
            with self.lock:
                if code == 0:
                    self.removed.add(name)
                    self.kept.pop(name)
                else:
                    self.doubtful.add(name)
        elif what == "pause" and name[-1] in "02468":
            self.paused.add(name)
            self.ctl(node, "pause", name)
            self.ctl(node, "resume", name)
        elif what in ("run", "kill"):
            self.ctl(node, what, name)
        else:
            return
        self.count(what)

    def changes(self):
        chance, number = random.Random(SEED + 1), 0
        while not self.over:
            number += 1
            self.change(chance, number)
            time.sleep(0.05)

    # ---- Faults of a node ----

    def fault_kill(self):
        node = self.some()
        died = time.time()
        node.stop(signal.SIGKILL)
        dead = wait_until("it is taken over", lambda: STORE.seats()[node.name].dead_since, 30)
        self.takeovers.append(dead - died)
        node.start()

    def fault_kill_and_come_back(self):
        node = self.some()
        node.stop(signal.SIGKILL)
        node.start()

    def fault_freeze(self):
        node = self.some()
        node.freeze()
        time.sleep(self.random.choice([0.5, LEASE * 0.7, LEASE * 2]))
        node.thaw()

    def fault_stop(self):
        node = self.some()
        node.stop(signal.SIGTERM)
        node.start()

    def fault_flap(self):
        node = self.some()
        for _ in range(4):
            node.stop(self.random.choice([signal.SIGKILL, signal.SIGTERM]))
            time.sleep(self.random.random() * LEASE * 0.5)
            node.start()
            time.sleep(self.random.random() * LEASE * 0.5)

    def fault_drain(self):
        node, other = self.random.sample(self.cluster.nodes, 2)
        other.ctl("nodes", "drain", node.name, "--no-wait")
        time.sleep(LEASE)
        other.ctl("nodes", "resume", node.name)

    def fault_clock_of_a_node(self):
        node = self.some()
        node.set_clock(self.random.choice([-10 * MINUTE, 10 * MINUTE]))
        time.sleep(LEASE)
        node.set_clock(0)

    def fault_same_name(self):
        twin = Node(self.some().name)
        try:
            twin.start()
            time.sleep(1)
        finally:
            self.assertEqual(twin.end(), "")

    def fault_upgrade(self):
        """One after the other becomes the new build, and the first that is brings the tables up to date."""
        if not self.old:
            return
        self.old = None
        for node in self.cluster.nodes:
            node.stop(signal.SIGTERM)
            node.build(os.environ["SCHEDD_BINARY_DIR"])
            node.start()
            time.sleep(LEASE * self.random.random() * 2)

    # ---- Faults of the way ----

    def fault_cut(self):
        self.some().link.cut()

    def fault_answers_are_lost(self):
        link = self.some().link
        link.lose_answers()
        time.sleep(self.random.choice([0.2, LEASE * 0.5]))
        link.heal()

    def fault_black_hole(self):
        link = self.some().link
        link.black_hole(self.random.choice([("to",), ("from",), ("to", "from")]))
        time.sleep(self.random.choice([0.5, LEASE, LEASE * 2]))
        link.heal()

    # ---- Faults of the server ----

    def fault_server_freezes(self):
        server_signal(signal.SIGSTOP)
        time.sleep(self.random.choice([0.3, LEASE, LEASE * 1.5]))
        server_signal(signal.SIGCONT)

    def fault_server_dies(self):
        server_restart(self.random.choice([signal.SIGKILL, signal.SIGTERM]))
        wait_until("it is back", self.server_answers, 60)

    @staticmethod
    def server_answers():
        try:
            return STORE.seats()
        except (AssertionError, OSError, subprocess.CalledProcessError):
            return None

    def fault_sessions_end(self):
        for _ in range(10):
            STORE.end_sessions(self.random.random())
            time.sleep(self.random.random() / 5)

    def fault_hold_up(self):
        STORE.hold_up()

    def fault_read_only(self):
        move("read-only")
        time.sleep(LEASE * self.random.random() * 2)
        move("writable")

    def fault_clock_of_the_server(self):
        if not self.clock:
            return
        self.step(self.random.choice([-60 * MINUTE, 60 * MINUTE]))
        time.sleep(LEASE)
        self.step(0)

    def step(self, offset):
        with open(self.clock, "r+b") as file:
            file.write(struct.pack("=q", offset))

    # ---- The whole ----

    def test_nothing_is_lost_or_doubled(self):
        for i in range(JOBS):
            self.add(self.cluster.nodes[i % 3], f"j{i}")
        faults = [getattr(self, name) for name in sorted(dir(self)) if name.startswith("fault_")]
        thread = threading.Thread(target=self.changes)
        thread.start()
        try:
            end, bag = time.monotonic() + SECONDS, []
            while time.monotonic() < end:
                # Each once, in another order each time.
                bag = bag or self.random.sample(faults, len(faults))
                fault = bag.pop()
                say(fault.__name__)
                fault()
                self.count(fault.__name__)
                time.sleep(self.random.random() * 3)
        finally:
            self.over = True
            server_signal(signal.SIGCONT)
            for node in self.cluster.nodes:
                node.link.heal()
                node.thaw()
            thread.join()
        self.settle()
        self.judge()

    def settle(self):
        """All nodes are there, and then nothing more begins."""
        for node in self.cluster.nodes:
            wait_until("the store is there", lambda node=node: node.ctl("nodes", "resume", node.name)[0] == 0 and {
                each["state"] for each in node.nodes().values()} == {"live"}, 60)
        self.cluster.await_balance(self.cluster.nodes, 60)
        node = self.cluster.nodes[0]
        for job in node.json("list", "--store", "shared"):
            node.ok("pause", job["id"])
        wait_until("nothing runs any more", lambda: not STORE.open_runs(), 60)

    def judge(self):
        self.cluster.check(self)
        jobs = {job["id"]: job.get("description") for job in self.cluster.nodes[1].json("list", "--store", "shared")}
        for name, description in self.kept.items():
            if name not in self.doubtful:
                self.assertEqual(jobs.get(name), description, f"{name}: an acknowledged change is lost")
        for name in self.removed - self.doubtful:
            self.assertNotIn(name, jobs, "an acknowledged removal is lost")
        for node in self.cluster.nodes:
            seen = {job["id"]: job.get("description") for job in node.json("list", "--store", "shared")}
            self.assertEqual(seen, jobs, f"{node.name} knows other jobs")
        runs = STORE.runs()
        self.judge_runs(runs, jobs)
        late = [each for each in self.takeovers if each > 1.1 * LEASE * patience()]
        say(json.dumps(self.counts))
        say(json.dumps({"seconds": SECONDS, "jobs": len(jobs), "executed": len(self.cluster.lines()), "rows": len(runs),
                        "states": collections.Counter(run.state for run in runs), "doubled": 0, "lost changes": 0,
                        "fire times without a row": 0, "stuck": 0,
                        "take-overs in leases": [round(each / LEASE, 2) for each in self.takeovers]}))
        self.assertFalse(late, "a take-over was late")

    def judge_runs(self, runs, jobs):
        numbers = collections.Counter((run.job, run.number) for run in runs)
        self.assertEqual([each for each, count in numbers.items() if count > 1], [], "a number was given twice")
        planned = [run for run in runs if run.trigger in ("schedule", "catchup")]
        fires = collections.Counter((run.job, run.scheduled_at) for run in planned if run.state not in ("missed", "skipped"))
        self.assertEqual([each for each, count in fires.items() if count > 1], [], "a fire time has two runs")
        last = collections.defaultdict(int)
        for run in runs:
            last[run.job] = max(last[run.job], run.number)
        for job, number in STORE.last_runs().items():
            self.assertEqual(number, last[job], f"{job}: what it says of its last run")
        self.judge_fires(planned, jobs)

    def judge_fires(self, planned, jobs):
        """Of a job that was never paused each second from the first to the last is in a row."""
        by_job = collections.defaultdict(list)
        for run in planned:
            by_job[run.job].append(run)
        for job, rows in by_job.items():
            if job in self.paused or job not in jobs or job in self.doubtful:
                continue
            rows.sort(key=lambda run: run.scheduled_at)
            told = sum(run.count + run.coalesced for run in rows)
            due = round(rows[-1].scheduled_at - rows[0].scheduled_at) + 1
            first = rows[0].coalesced
            over = rows[-1].count - 1
            self.assertEqual(told, due + first + over, f"{job}: fire times without a row")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
