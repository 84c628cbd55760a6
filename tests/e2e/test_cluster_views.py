# SPDX-License-Identifier: MIT
"""What one node of a cluster has: list, next, simulate and top with --node; and names that are no node's."""
import os
import unittest

from cluster import STORE, Cluster
from e2e import SCHEDCTL, Daemon, wait_until
from test_top import Terminal

JOBS = [f"job{i}" for i in range(12)]


class Views(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(2)
        cls.cluster.start()
        cls.a, cls.b = cls.cluster.nodes
        for job in JOBS:
            cls.cluster.add(cls.a, job, "--every", "1h", "--start", "2026-01-01T00:30:00Z", "--tz", "UTC")
        cls.cluster.add(cls.a, "trim", "--every", "1h", "--start", "2026-01-01T00:30:00Z", "--tz", "UTC", "--on", "all")
        cls.a.ok("add", "--id", "own", "--manual", "--", "true")
        for node in cls.cluster.nodes:
            wait_until("all is known", lambda node=node: {*JOBS, "trim"} <= cls.ids(node.json("list")) and
                       {"trim@a", "trim@b"} <= cls.ids(node.json("list", "*@*")))
        cls.owners = {job: STORE.owner(job) for job in JOBS}
        cls.had = {name: {job for job in JOBS if cls.owners[job] == name} for name in "ab"}

    @classmethod
    def tearDownClass(cls):
        cls.cluster.end(cls("test_list"))

    @staticmethod
    def ids(rows, key="id"):
        return {row[key] for row in rows}

    def test_list(self):
        self.assertTrue(self.had["a"] and self.had["b"], "both have some")
        for node in (self.a, self.b):
            for name in "ab":
                own = {"own"} if node.name == name == "a" else set()
                self.assertEqual(self.ids(node.json("list", "--node", name)), self.had[name] | {f"trim@{name}"} | own)
                self.assertEqual(self.ids(node.json("list", "--node", name, "job*")), self.had[name])
        self.assertEqual(self.ids(self.a.json("list")), {*JOBS, "trim", "own"})

    def test_next(self):
        for node in (self.a, self.b):
            agenda = node.json("next", "--all", "--node", "b", "-n", "40")
            self.assertEqual(self.ids(agenda, "job"), self.had["b"] | {"trim@b"})
        for argv in (("next", JOBS[0], "--node", "b"), ("next", "--every", "1h", "--node", "b"), ("next", "--batch", "-", "--node", "b")):
            code, _, err = self.a.ctl(*argv)
            self.assertEqual(code, 2, err)
            self.assertIn("--node is about the agenda of all jobs", err)

    def test_simulate(self):
        span = ("--from", "2026-02-01T00:00:00Z", "--until", "2026-02-01T01:59:00Z")
        for node in (self.a, self.b):
            for name in "ab":
                played = node.json("simulate", "--node", name, *span)
                self.assertEqual(self.ids(played["jobs"]) - {"own"}, self.had[name] | {f"trim@{name}"})
                self.assertEqual(played["runs"], 2 * (len(self.had[name]) + 1))
        played = self.a.json("simulate", *span)
        self.assertEqual(self.ids(played["jobs"]) - {"own"}, {*JOBS, "trim@a", "trim@b"})
        self.assertEqual(played["runs"], 2 * (len(JOBS) + 2), "a job on all nodes counts on each")
        jobs = self.cluster.dir / "jobs.yaml"
        jobs.write_text("version: 1\njobs:\n  x: {trigger: {every: 1h}, command: ['true']}\n")
        code, _, err = self.a.ctl("simulate", "--node", "a", "-f", str(jobs))
        self.assertEqual(code, 2, err)
        self.assertIn("--node is about the daemon's jobs", err)

    def top(self, *argv):
        env = {**self.a.environment(), "TERM": "xterm", "PATH": os.path.dirname(SCHEDCTL) + ":/usr/bin:/bin", "LANG": "C.UTF-8"}
        terminal = Terminal([SCHEDCTL, "top", *argv], env, lines=40)
        self.addCleanup(terminal.close)
        return terminal

    def test_top(self):
        jobs = self.had["b"] | {"trim@b"}
        terminal = self.top("--node", "b")
        terminal.wait("its jobs", lambda screen: screen[0].startswith(f"{len(jobs)} jobs of node b: ") and screen[-1].strip())
        self.assertEqual({line.split(" ")[0] for line in terminal.screen.display[2:2 + len(jobs)]}, jobs)
        terminal.key("q")
        self.assertEqual(terminal.end(), 0)
        terminal = self.top()
        terminal.wait("all jobs", lambda screen: screen[0].startswith(f"{len(JOBS) + 2} jobs: ") and screen[-1].strip())
        terminal.key("q")
        self.assertEqual(terminal.end(), 0)
        terminal = self.top("--node", "c")
        self.assertEqual(terminal.end(), 4)
        self.assertIn(b"node c: no such node", terminal.raw)

    def test_status_and_stats(self):
        for node in (self.a, self.b):
            for name in "ab":
                self.assertEqual(node.json("status", "--node", name)["node"], name)
                told = self.ids(node.json("stats", "--node", name)["jobs"], "job")
                self.assertTrue(told <= self.had[name] | {f"trim@{name}", "own"}, told)

    def test_stats_of_a_node_are_of_the_jobs_it_has(self):
        for job in JOBS[:4]:
            self.a.ok("run", job, "--wait")
        for node in (self.a, self.b):
            for name in "ab":
                wait_until("its runs are counted", lambda node=node, name=name: self.ids(
                    node.json("stats", "job[0-3]", "--node", name)["jobs"], "job") == self.had[name] & set(JOBS[:4]))
            self.assertEqual(self.ids(node.json("stats", "job[0-3]")["jobs"], "job"), set(JOBS[:4]))

    def test_each_says_which_node(self):
        job, owner = JOBS[0], self.owners[JOBS[0]]
        for node in (self.a, self.b):
            self.assertEqual({row["id"]: row["node"] for row in node.json("list", "job*")}, self.owners)
            self.assertEqual({row["node"] for row in node.json("list", "*@*")}, {"a", "b"})
            self.assertNotIn("node", node.json("show", "trim"))
            self.assertEqual(node.ok("show", job, "--field", "node"), owner + "\n")
            self.assertRegex(node.ok("show", job), f"(?m)^node: +{owner}$")
            self.assertRegex(node.ok("why", job), f"(?m)^node: +{owner}$")
            self.assertEqual(node.ok("list", job, "--columns", "id,node", "--no-headers").split(), [job, owner])
            self.assertIn(" NODE", node.ok("list", "-o", "wide").splitlines()[0])
        self.a.ok("run", job, "--wait")
        for node in (self.a, self.b):
            wait_until("the run is known", lambda node=node: node.ok(
                "history", job, "--columns", "job,node", "--no-headers").split() == [job, owner])
            self.assertIn(" NODE", node.ok("history", "-o", "wide").splitlines()[0])
        # One that forces it makes no node that fits.
        self.a.ok("add", "--id", "homeless", "--store", "shared", "--manual", "--on", "gpu", "--", "true")
        code, _, err = self.a.ctl("run", "homeless")
        self.assertEqual(code, 5)
        self.assertNotIn("--force", err)
        self.a.ok("remove", "homeless", "-y")

    def test_names_that_are_no_nodes(self):
        verbs = (("list",), ("next", "--all"), ("simulate",), ("status",), ("stats",), ("events",))
        for verb in verbs:
            code, _, err = self.a.ctl(*verb, "--node", "nobody")
            self.assertEqual(code, 4, (verb, err))
            self.assertIn("node nobody: no such node", err)
            for empty in ("", " ", "x" * 200):
                code, _, err = self.a.ctl(*verb, "--node", empty)
                self.assertIn(code, (2, 4), (verb, err))
            code, _, err = self.a.ctl(*verb, "--node")
            self.assertEqual(code, 2, (verb, err))
        alone = Daemon("").start()
        for verb in verbs:
            code, _, err = alone.ctl(*verb, "--node", "a")
            self.assertEqual(code, 4, (verb, err))
            self.assertIn("no store is shared, there are no nodes", err)
        self.assertEqual(alone.end(), "")

    def test_a_name_that_is_nearly_one(self):
        code, _, err = self.a.ctl("nodes", "--json")
        self.assertEqual(code, 0, err)
        for verb in ("list", "simulate", "status"):
            code, _, err = self.a.ctl(verb, "--node", "B")
            self.assertEqual(code, 4, err)
            self.assertIn("did you mean 'b'?", err)

    def test_nodes_are_offered_behind_it(self):
        for verb in ("list", "next", "simulate", "top", "status", "stats", "events"):
            offered = self.a.ok("__complete", "3", "--", "schedctl", verb, "--node", "")
            self.assertEqual({line.split("\t")[0] for line in offered.splitlines()[1:]}, {"a", "b"}, verb)


if __name__ == "__main__":
    unittest.main()
