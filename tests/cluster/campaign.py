# SPDX-License-Identifier: MIT
"""Faults at random over three daemons on one server, with jobs each second and changes from all
nodes; then what the commands themselves wrote is compared with the history.

  campaign.py [SECONDS [SEED]]     120 seconds if not said; ctest runs it for 60, an evening for hours

Never: a fire time that was executed twice, a run without a row, an acknowledged change that is lost, a
run that is still open when all is quiet, a take-over later than 1.1 leases.
"""
import json
import os
import random
import signal
import sys
import threading
import time
import unittest

from cluster import LEASE, Cluster, server_signal, sql
from e2e import wait_until

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 120
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
JOBS = 60
START = time.time()


def say(*words):
    print(f"{time.time() - START:7.2f}", *words, flush=True)


class Campaign(unittest.TestCase):
    def setUp(self):
        say("seed", SEED)
        self.random = random.Random(SEED)
        self.cluster = Cluster(3)
        self.cluster.start()
        self.lock = threading.Lock()
        self.over = False
        self.kept = {}      # id of a job that a change was acknowledged of: its description
        self.removed = set()
        self.doubtful = set()
        self.counts = {}
        self.takeovers = []

    def tearDown(self):
        self.cluster.end(self)

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    # ---- Changes, from all nodes ----

    def add(self, node, name):
        code, _, _ = node.ctl("--rpc-timeout", "8s", "add", "--id", name, "--store", "shared", "--every", "1s", "--max-instances", "4",
                              "--description", "new", "--", *self.cluster.writes())
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
            code, _, _ = node.ctl("--rpc-timeout", "8s", "modify", name, "--description", f"change {number}")
            with self.lock:
                if code == 0:
                    self.kept[name] = f"change {number}"
                elif code != 5:
                    self.doubtful.add(name)
        elif what == "remove" and name.startswith("late"):
            code, _, _ = node.ctl("--rpc-timeout", "8s", "remove", name)
            with self.lock:
                if code == 0:
                    self.removed.add(name)
                    self.kept.pop(name)
                else:
                    self.doubtful.add(name)
        elif what == "pause":
            node.ctl("--rpc-timeout", "8s", "pause", name)
            code, _, _ = node.ctl("--rpc-timeout", "8s", "resume", name)
        elif what in ("run", "kill"):
            node.ctl("--rpc-timeout", "8s", what, name)
        else:
            return
        self.count(what)

    def changes(self):
        chance, number = random.Random(SEED + 1), 0
        while not self.over:
            number += 1
            self.change(chance, number)
            time.sleep(0.05)

    # ---- Faults ----

    def fault_kill(self):
        node = self.random.choice(self.cluster.nodes)
        died = time.time()
        node.stop(signal.SIGKILL)
        wait_until("it is taken over", lambda: sql(
            f"SELECT count(*) FROM schedd_nodes WHERE name = '{node.name}' AND dead_since IS NULL") == "0", 30)
        since = int(sql(f"SELECT dead_since FROM schedd_nodes WHERE name = '{node.name}'")) / 1e6
        self.takeovers.append(since - died)
        node.start()

    def fault_kill_and_come_back(self):
        node = self.random.choice(self.cluster.nodes)
        node.stop(signal.SIGKILL)
        node.start()

    def fault_freeze(self):
        node = self.random.choice(self.cluster.nodes)
        node.freeze()
        time.sleep(self.random.choice([0.5, LEASE * 0.7, LEASE * 2]))
        node.thaw()

    def fault_stop(self):
        node = self.random.choice(self.cluster.nodes)
        node.stop(signal.SIGTERM)
        node.start()

    def fault_server_freezes(self):
        server_signal(signal.SIGSTOP)
        time.sleep(self.random.choice([0.3, LEASE, LEASE * 1.5]))
        server_signal(signal.SIGCONT)

    def fault_sessions_end(self):
        for _ in range(10):
            sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'schedd' AND "
                f"random() < {self.random.random()}")
            time.sleep(self.random.random() / 5)

    def fault_lock(self):
        sql("BEGIN; LOCK TABLE schedd_jobs IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(1.5); COMMIT")

    def fault_drain(self):
        node, other = self.random.sample(self.cluster.nodes, 2)
        other.ctl("nodes", "drain", node.name, "--no-wait")
        time.sleep(LEASE)
        other.ctl("nodes", "resume", node.name)

    # ---- The whole ----

    def test_nothing_is_lost_or_doubled(self):
        for i in range(JOBS):
            self.add(self.cluster.nodes[i % 3], f"j{i}")
        faults = [getattr(self, name) for name in sorted(dir(self)) if name.startswith("fault_")]
        thread = threading.Thread(target=self.changes)
        thread.start()
        try:
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                fault = self.random.choice(faults)
                say(fault.__name__)
                fault()
                self.count(fault.__name__)
                time.sleep(self.random.random() * 3)
        finally:
            self.over = True
            server_signal(signal.SIGCONT)
            for node in self.cluster.nodes:
                node.thaw()
            thread.join()
        self.settle()
        self.judge()

    def settle(self):
        """All nodes are there, and then nothing more begins."""
        for node in self.cluster.nodes:
            node.ctl("nodes", "resume", node.name)
            wait_until("the store is there", lambda node=node: node.ctl("nodes")[0] == 0 and {
                each["state"] for each in node.nodes().values()} == {"live"}, 60)
        self.cluster.await_balance(self.cluster.nodes, 60)
        node = self.cluster.nodes[0]
        for job in node.json("list", "--store", "shared"):
            node.ok("pause", job["id"])
        wait_until("nothing runs any more", lambda: sql("SELECT count(*) FROM schedd_runs WHERE done_at IS NULL") == "0", 60)

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
        self.assertEqual(sql("SELECT count(*) FROM (SELECT job, number FROM schedd_runs GROUP BY 1, 2 HAVING count(*) > 1) d"), "0")
        self.assertEqual(sql("SELECT count(*) FROM (SELECT job, scheduled_at FROM schedd_runs WHERE \"trigger\" IN ('schedule', "
                             "'catchup') AND state NOT IN ('missed', 'skipped') GROUP BY 1, 2 HAVING count(*) > 1) d"), "0",
                         "a fire time has two runs")
        self.assertEqual(sql("SELECT count(*) FROM schedd_jobs j WHERE definition IS NOT NULL AND last_run <> coalesce((SELECT "
                             "max(number) FROM schedd_runs r WHERE r.job = j.key), 0)"), "0")
        late = [each for each in self.takeovers if each > 1.1 * LEASE]
        say(json.dumps(self.counts), "runs", len(self.cluster.lines()), "take-overs",
            [round(each, 2) for each in self.takeovers])
        self.assertFalse(late, "a take-over was late")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
