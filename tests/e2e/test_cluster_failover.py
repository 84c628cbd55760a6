# SPDX-License-Identifier: MIT
"""A standby takes the server's place and lacks what it had answered last: that is named, and nothing is run twice."""
import collections
import datetime
import os
import re
import signal
import time
import unittest

if os.environ.get("SCHEDD_CLUSTER_STORE") == "mysql":
    # What standby.py needs.
    os.environ.setdefault("SCHEDD_TEST_SERVER_OPTIONS", "--log-bin=log --binlog-format=ROW --server-id=1")

from cluster import STORE, URL, Cluster, Node
from e2e import wait_until
from standby import standby

JOBS = 8


class Case(unittest.TestCase):
    lease = 6

    def setUp(self):
        self.cluster = Cluster(0)
        self.standby = standby(STORE)
        self.url = URL.replace(os.path.dirname(self.standby.first), self.standby.near)
        self.cluster.nodes = [Node(name, url=self.url, lease=self.lease) for name in "ab"]
        self.a, self.b = self.cluster.nodes
        self.cluster.start()
        for i in range(JOBS):
            self.cluster.add(self.a, f"j{i}", "--every", "1s")
        self.await_each()
        self.standby.start()

    def tearDown(self):
        try:
            for each in (self.standby.proxy.whole, self.standby.proxy.own):
                each.set()
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
            text = node.log.read_text()
            for job, first, last in re.findall(r"job (\S+): its (?:removal was .*)?runs from (\d+) to (\d+)", text):
                gone.setdefault(job, set()).update(range(int(first), int(last) + 1))
            for job, last in re.findall(r"job (\S+): its removal was .*perhaps runs behind (\d+)", text):
                gone.setdefault(job, set()).update(range(int(last) + 1, int(last) + 1000))
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

    def check_lines(self):
        lines = [line.split() for line in self.cluster.lines()]
        for what, each in (("a number", [line[0] for line in lines]), ("a fire time", [(line[0].split("/")[0], line[1]) for line in lines])):
            self.assertEqual([one for one, count in collections.Counter(each).items() if count > 1], [], f"{what} was used twice")


class FailOver(Case):
    def test_what_a_standby_lacks_is_named_and_not_run_again(self):
        self.cluster.add(self.b, "removed", "--every", "1s")
        wait_until("a knows", lambda: self.a.ctl("show", "removed")[0] == 0)
        self.cluster.add(self.b, "old", "--manual")
        go = self.cluster.dir / "go"
        self.cluster.add(self.b, "ends", "--manual", command=["sh", "-c", f"until test -e {go}; do sleep 0.1; done"])
        self.a.ok("run", "ends")
        self.a.ok("wait", "ends/1", "--for", "running")
        wait_until("its row says so", lambda: [run.state for run in STORE.open_runs() if run.job == "ends"] == ["running"])
        self.standby.await_same()
        if os.environ.get("SCHEDD_CLUSTER_STORE") != "redis":  # which tells of replicas that were there when it was joined
            self.assertIn("a fail-over may lose some", self.a.ok("stores", "-o", "json"))
        self.standby.lag()
        go.touch()
        self.a.ok("wait", "ends/1")
        wait_until("its row says so", lambda: all(run.job != "ends" for run in STORE.open_runs()))
        self.a.ok("modify", "j0", "--description", "made again")
        self.a.ok("rm", "-y", "removed")
        self.a.ok("rename", "old", "new")
        self.cluster.add(self.a, "unknown", "--manual")
        self.a.ok("groups", "set", "limits", "--parallel", "7")
        for _ in range(3):
            self.await_each()
        self.a.ok("pause", "--scheduler")
        before = STORE.last_runs()
        self.standby.fail_over()
        wait_until("all is known there", lambda: all(STORE.last_runs().get(job, 0) >= before[job]
                                                     for job in before if job not in ("unknown", "removed", "new")), 60)
        wait_until("they are removed there, too", lambda: not {"removed", "old"} & STORE.last_runs().keys())
        # Who has the job has looked by then at what it does not know of.
        wait_until("it runs again", lambda: self.a.ctl("run", "ends", "--wait")[0] == 0, 60)
        self.assertEqual([run.state for run in STORE.runs() if run.job == "ends"], ["lost", "success"], "its end is gone")
        self.await_each()
        time.sleep(1)
        gone = self.check()
        self.assertEqual(set(gone) - {"removed", "old"}, {f"j{i}" for i in range(JOBS)})
        for node in self.cluster.nodes:
            for job in ("removed", "old", "new"):
                self.assertEqual(node.ctl("show", job)[0], 4, job)
        self.assertEqual(self.b.json("show", "j0")["description"], "made again")
        said = self.a.log.read_text() + self.b.log.read_text()
        self.assertIn("which lacks what the one before had answered", said)
        self.assertIn("job unknown was stored and is gone with the server: add it again", said)
        self.assertIn("job old: its removal was stored and is gone with the server", said)
        self.assertIn("job new was stored and is gone with the server: add it again", said)
        self.assertIn("group limits: this node knew a limit of 7, the server in the place of the one before has none: set it again", said)
        self.assertIn("this node knew that the scheduler is paused, the server in the place of the one before has that it goes on: pause", said)
        for node in self.cluster.nodes:
            wait_until("it lives", lambda node=node: node.nodes()[node.name]["state"] == "live")

    def lag_before_it_runs(self):
        """A job that runs once, which the standby lacks."""
        for seconds in (5, 10, 20, 40, 80):
            job = f"once{seconds}"
            when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
            self.cluster.add(self.a, job, "--at", when.isoformat())
            self.standby.await_same()
            self.standby.lag()
            if STORE.last_runs().get(job) == 0:
                break
            self.standby.stream.whole.set()  # on a machine that is that busy
        wait_until("it has run, and is gone", lambda: job not in STORE.last_runs(), 30 + seconds)
        return job

    def test_what_ran_for_the_last_time_while_it_lagged_does_not_run_again(self):
        job = self.lag_before_it_runs()
        self.await_each()
        self.standby.fail_over()
        said = re.compile(f"job {job}: its removal was stored and is gone with the server.* it is removed again")
        wait_until("it is said", lambda: any(said.search(node.log.read_text()) for node in self.cluster.nodes), 60)
        wait_until("it is gone there, too", lambda: job not in STORE.last_runs())
        self.await_each()
        self.check_lines()
        self.assertEqual(sum(line.startswith(f"{job}/") for line in self.cluster.lines()), 1)
        for node in self.cluster.nodes:
            self.assertEqual(node.ctl("show", job)[0], 4)

    def test_who_dies_with_the_server_leaves_its_jobs_held(self):
        self.standby.await_same()
        self.standby.lag()
        for _ in range(3):
            self.await_each()
        lost = {job for job in STORE.last_runs() if STORE.owner(job) == "b"}
        self.assertTrue(lost)
        self.b.stop(signal.SIGKILL)
        before = STORE.last_runs()
        way = self.standby.proxy
        way.watch("held, as node", way.whole)
        self.standby.fail_over()
        wait_until("a is about to hold them", lambda: not way.whole.is_set(), 60)
        # And cannot: it does as soon as it can.
        self.standby.read_only("on")
        way.whole.set()
        wait_until("it is known", lambda: [store["state"] for store in self.a.json("stores") if store["name"] == "shared"] == ["read-only"])
        self.standby.read_only("off")
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

    def held(self):
        return [job["id"] for job in self.a.json("list", "--store", "shared") if job["state"] == "paused"]

    def await_held(self, node, jobs):
        for job in jobs:
            wait_until(f"{job} is held", lambda job=job: node.json("show", job)["state"] == "paused", 60)
            self.assertIn("died with a server", node.ok("why", job))

    def resume_and_see(self, node, jobs, before):
        for job in jobs:
            node.ok("resume", job)
        for job in jobs:
            wait_until("it goes on", lambda job=job: STORE.last_runs()[job] > before[job] + 1000, 60)
        self.await_each()
        self.check_lines()

    def test_who_comes_to_a_server_where_all_died_holds_what_they_had(self):
        self.standby.await_same()
        self.standby.lag()
        self.await_each()
        before = STORE.last_runs()
        for node in self.cluster.nodes:
            node.stop(signal.SIGKILL)
        self.standby.fail_over()
        way = self.standby.proxy
        way.watch(STORE.take, way.own)
        self.a.start()  # has the jobs of both after a lease
        # That b is dead comes to it over another connection, and before what it has taken.
        wait_until("it has heard of it", lambda: self.a.nodes().get("b", {}).get("state") == "dead", 60)
        way.own.set()
        self.await_held(self.a, [f"j{i}" for i in range(JOBS)])
        self.b.start()
        self.resume_and_see(self.a, [f"j{i}" for i in range(JOBS)], before)

    def test_who_dies_before_it_has_held_them_leaves_them_to_the_next(self):
        """a takes what was b's, and dies as it is about to hold it."""
        self.standby.await_same()
        self.standby.lag()
        self.await_each()
        self.b.stop(signal.SIGKILL)
        before = STORE.last_runs()
        way = self.standby.proxy
        way.watch("held, as node", way.whole)
        self.standby.fail_over()
        wait_until("a is there", lambda: self.a.ctl("nodes")[0] == 0 and self.a.nodes()["a"]["state"] == "live", 60)
        STORE.end_lease("b")
        wait_until("a is about to hold them", lambda: not way.whole.is_set(), 60)
        self.assertTrue(STORE.seats()["b"].dead_since)
        self.a.stop(signal.SIGKILL)
        for pair in list(way.pairs):
            way.end(*pair)
        way.whole.set()
        STORE.end_lease("a")
        c = Node("c", url=self.url, lease=self.lease)
        self.cluster.nodes.append(c)
        c.start()
        self.await_held(c, [f"j{i}" for i in range(JOBS)])
        self.resume_and_see(c, [f"j{i}" for i in range(JOBS)], before)

    def test_who_left_before_the_server_was_replaced_holds_nothing(self):
        for node in self.cluster.nodes:
            self.assertEqual(node.stop(), 0)
        self.standby.await_same()
        self.standby.fail_over()
        self.cluster.start()
        ran = len(self.cluster.lines())
        wait_until("they run, or are held", lambda: len(self.cluster.lines()) > ran or self.held(), 60)
        self.assertEqual(self.held(), [])
        self.await_each()
        self.assertEqual(self.held(), [])
        self.check_lines()

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


class StoodStill(Case):
    lease = 3

    def test_who_lost_its_jobs_while_the_standby_lagged_waits_for_who_had_them(self):
        """b comes to it first, which says that it has them; what a did with them since a alone knows."""
        self.standby.await_same()
        self.standby.lag()
        self.a.stop(signal.SIGKILL)
        self.a.start()  # an epoch that the standby lacks
        taken = [job for job in STORE.last_runs() if STORE.owner(job) == "b"]
        self.assertTrue(taken)
        self.b.freeze()
        wait_until("a has its jobs", lambda: STORE.seats()["b"].dead_since, 60)
        self.await_each()
        before, epoch = STORE.last_runs(), STORE.seats()["a"].epoch
        self.a.freeze()
        self.standby.fail_over()
        self.assertFalse(STORE.seats()["b"].dead_since)
        self.b.thaw()
        wait_until("b is there", lambda: self.b.nodes()["b"]["epoch"] == STORE.seats()["b"].epoch and
                   "another server has taken its place" in self.b.log.read_text(), 60)
        STORE.keep_lease("a")
        ran = len(self.cluster.lines())
        time.sleep(1.5)  # each would be due once more
        self.assertEqual(self.cluster.lines()[ran:], [])
        self.a.thaw()
        self.await_each()
        self.check_lines()
        for job in taken:
            self.assertGreater(STORE.last_runs()[job], before[job])
        self.assertGreater(STORE.seats()["a"].epoch, epoch, "an epoch was used twice")


if __name__ == "__main__":
    unittest.main()
