# SPDX-License-Identifier: MIT
"""PostgreSQL's standby takes its place and lacks what it had answered last: that is named, and nothing is run twice."""
import os
import re
import signal
import time
import unittest

from cluster import STORE, URL, Cluster, Node
from e2e import wait_until
from standby import Standby

JOBS = 8


class FailOver(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(0)
        self.standby = Standby()
        url = URL.replace(os.path.dirname(self.standby.first), self.standby.near)
        self.cluster.nodes = [Node(name, url=url, lease=6) for name in "ab"]
        self.a, self.b = self.cluster.nodes
        self.cluster.start()
        for i in range(JOBS):
            self.cluster.add(self.a, f"j{i}", "--every", "1s")
        self.await_each()
        self.standby.start()

    def tearDown(self):
        try:
            self.cluster.end(self)
        finally:
            self.standby.close()

    def await_each(self):
        """Each runs once more."""
        since = len(self.cluster.lines())
        wait_until("each runs", lambda: len({line.split("/")[0] for line in self.cluster.lines()[since:]}) >= JOBS, 60)

    def named(self):
        """By job: the numbers of runs that are said to be gone."""
        gone = {}
        for node in self.cluster.nodes:
            for job, first, last in re.findall(r"job (\S+): its runs from (\d+) to (\d+) were stored and are gone", node.log.read_text()):
                gone.setdefault(job, set()).update(range(int(first), int(last) + 1))
        return gone

    def check(self):
        runs = [line.split()[0] for line in self.cluster.lines()]
        self.assertEqual(len(runs), len(set(runs)), "a number was given twice")
        fires = [(run.split("/")[0], line.split()[1]) for run, line in zip(runs, self.cluster.lines())]
        self.assertEqual(len(fires), len(set(fires)), "a fire time was executed twice")
        rows, gone = {f"{run.job}/{run.number}" for run in STORE.runs()}, self.named()
        for run in set(runs) - rows:
            job, number = run.split("/")
            self.assertIn(int(number), gone.get(job, ()), f"{run} has no row, and is not named")
        return gone

    def test_what_a_standby_lacks_is_named_and_not_run_again(self):
        self.standby.await_same()
        self.standby.lag()
        self.a.ok("modify", "j0", "--description", "made again")
        self.cluster.add(self.a, "unknown", "--manual")
        for _ in range(3):
            self.await_each()
        before = STORE.last_runs()
        self.standby.fail_over()
        wait_until("all is known there", lambda: all(STORE.last_runs().get(job, 0) >= before[job]
                                                     for job in before if job != "unknown"), 60)
        self.await_each()
        time.sleep(1)
        gone = self.check()
        self.assertEqual(set(gone), {f"j{i}" for i in range(JOBS)})
        self.assertEqual(self.b.json("show", "j0")["description"], "made again")
        said = self.a.log.read_text() + self.b.log.read_text()
        self.assertIn("which lacks what the one before had answered", said)
        self.assertIn("job unknown was stored and is gone with the server: add it again", said)
        for node in self.cluster.nodes:
            self.assertEqual(node.nodes()[node.name]["state"], "live")

    def test_who_dies_with_the_server_leaves_its_jobs_held(self):
        self.standby.await_same()
        self.standby.lag()
        for _ in range(3):
            self.await_each()
        lost = {job for job in STORE.last_runs() if STORE.owner(job) == "b"}
        self.assertTrue(lost)
        self.b.stop(signal.SIGKILL)
        before = STORE.last_runs()
        self.standby.fail_over()
        for job in lost:
            wait_until("it is held", lambda job=job: self.a.json("show", job)["state"] == "paused", 60)
            self.assertIn("held, as node b died with a server", self.a.ok("why", job))
        ran = len(self.cluster.lines())
        wait_until("the others go on", lambda: {line.split("/")[0] for line in self.cluster.lines()[ran:]} >= {
            f"j{i}" for i in range(JOBS)} - lost, 60)
        for job in lost:
            self.a.ok("resume", job)
            wait_until("it goes on", lambda job=job: STORE.last_runs()[job] > before[job] + 1000)
        numbers = [line.split()[0] for line in self.cluster.lines()]
        self.assertEqual(len(numbers), len(set(numbers)), "a number was given twice")

    def test_one_that_has_all_loses_nothing(self):
        for i in range(JOBS):
            self.a.ok("pause", f"j{i}")
        wait_until("nothing runs", lambda: not STORE.open_runs())
        self.standby.await_same()
        self.standby.fail_over()
        wait_until("both are there", lambda: all(self.a.ctl("nodes")[0] == 0 and node.nodes()[node.name]["state"] == "live"
                                                 for node in self.cluster.nodes), 60)
        for i in range(JOBS):
            wait_until("it goes on", lambda i=i: self.b.ctl("resume", f"j{i}")[0] == 0)
        self.await_each()
        self.assertEqual(self.check(), {})
        # Nor does what somebody removes since.
        self.a.ok("rm", "-y", "j0")
        wait_until("b knows", lambda: self.b.ctl("show", "j0")[0] == 4)
        for node in self.cluster.nodes:
            self.assertNotIn("gone with the server", node.log.read_text())


if __name__ == "__main__":
    unittest.main()
