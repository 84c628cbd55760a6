# SPDX-License-Identifier: MIT
"""Jobs that say on which nodes they run, whatever becomes of these."""
import json
import re
import signal
import time
import unittest

from cluster import LEASE, STORE, Cluster, Node
from e2e import wait_until

LABELS = {"a": {"zone": "a"}, "b": {"zone": "b", "gpu": "yes"}, "c": {"zone": "a", "spot": ""}}


def places(labels=None):
    """A cluster whose nodes have labels."""
    cluster = Cluster(0)
    cluster.nodes = [Node(name, (labels or LABELS)[name]) for name in "abc"]
    return cluster


def relabel(node, labels):
    node.config.write_text(re.sub(r"  labels: .*", f"  labels: {json.dumps(labels)}", node.config.read_text()))


def runs(job):
    return [run for run in STORE.runs() if run.job == job]


def ran(job):
    """Names of the nodes that have run it."""
    return {run.ran for run in runs(job) if run.started_at}


def count(job):
    return sum(run.state == "success" for run in runs(job))


def since(job, when):
    """Runs of it that began after that."""
    return [run for run in runs(job) if run.started_at and run.started_at > when]


class Together(unittest.TestCase):
    """While all nodes live."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = places()
        cls.cluster.start()

    @classmethod
    def tearDownClass(cls):
        case = cls("test_each_runs_where_it_may")
        cls.cluster.end(case)
        cls.cluster.check(case)

    def setUp(self):
        self.a, self.b, self.c = self.cluster.nodes

    def test_each_runs_where_it_may(self):
        jobs = {"named": (["b"], {"b"}), "two": (["b", "c"], {"b", "c"}), "zone": (["zone=a"], {"a", "c"}),
                "not": (["zone=a,!spot"], {"a"}), "there": (["gpu"], {"b"}), "other": (["!a"], {"b", "c"}),
                "mixed": (["zone=b", "spot"], {"b", "c"})}
        for job, (on, _) in jobs.items():
            options = [word for term in on for word in ("--on", term)]
            self.cluster.add(self.a, job, "--every", "1s", *options)
            self.assertEqual(self.c.json("show", job)["nodes"], sorted(on))
            # At once, from a node that may not run it.
            self.assertEqual(self.c.ok("run", "--force", job).strip().rsplit("/", 1)[0], job)
        for job, (_, where) in jobs.items():
            wait_until("it runs again and again", lambda job=job: count(job) >= 4)
            self.assertLessEqual(ran(job), where, job)
            self.b.ok("remove", job)

    def test_jobs_of_one_place_are_spread_among_its_nodes(self):
        for i in range(24):
            self.cluster.add(self.a, f"spread{i}", "--every", "1s", "--on", "zone=a")
        wait_until("each has run", lambda: all(count(f"spread{i}") for i in range(24)))
        where = [ran(f"spread{i}") for i in range(24)]
        self.assertEqual(set().union(*where), {"a", "c"})
        self.assertTrue(all(len(nodes) == 1 for nodes in where), where)
        self.a.ok("remove", "spread*", "-y")

    def test_where_nobody_fits_its_runs_wait_and_all_say_so(self):
        code, out, err = self.a.ctl("add", "--id", "nobody", "--store", "shared", "--every", "1h", "--on", "zone=x",
                                    "--", *self.cluster.writes())
        self.assertEqual((code, out.strip()), (0, "nobody"))
        self.assertIn("no live node fits", err)
        for node in self.cluster.nodes:
            wait_until("it is seen", lambda node=node: node.ctl("show", "nobody")[0] == 0)
            code, _, err = node.ctl("run", "nobody")
            self.assertEqual(code, 5, err)
            self.assertIn("no live node fits its nodes 'zone=x'", err)
            self.assertIn("no live node fits its nodes 'zone=x'", node.ok("why", "nobody"))
            self.assertEqual(node.json("show", "nobody")["waits_for"], "a live node that fits its nodes")
        self.assertEqual(len(self.a.json("next", "nobody", "-n", "2")["fire_times"]), 2)
        self.b.ok("modify", "nobody", "--on", "zone=b")
        self.assertIn("nobody/1", self.a.ok("run", "nobody"))
        wait_until("it ran", lambda: count("nobody") == 1)
        self.assertEqual(ran("nobody"), {"b"})
        code, _, err = self.a.ctl("modify", "nobody", "--on", "b,c")
        self.assertIn("Behind a comma", err)
        self.a.ok("modify", "nobody", "--on", "any")
        self.assertIsNone(self.c.json("show", "nobody").get("nodes"))
        self.assertIn("nobody/2", self.c.ok("run", "nobody"))
        self.a.ok("remove", "nobody")

    def test_what_makes_no_sense_is_refused(self):
        for on, words in ((["a b"], "neither a node's name nor labels"), (["zone="*100], "too long"),
                          (["any", "b"], "stands alone"), ([""], "an empty text"),
                          (["zone=a,"], "neither")):
            options = [word for term in on for word in ("--on", term)]
            code, _, err = self.a.ctl("add", "--id", "no", "--store", "shared", "--manual", *options, "--", "true")
            self.assertEqual(code, 2, err)
            self.assertIn(words, err)
            self.assertIn("nodes", err)
        code, _, err = self.a.ctl("add", "--id", "no", "--manual", "--on", "a", "--", "true")
        self.assertEqual(code, 2, err)
        self.assertIn("there are no nodes to choose from", err)
        self.assertEqual(self.a.ctl("show", "no")[0], 4)

    def test_what_runs_stays_where_it_is(self):
        self.cluster.add(self.a, "stays", "--manual", "--on", "b", command=["sleep", "60"])
        wait_until("it is seen", lambda: self.c.ctl("show", "stays")[0] == 0)
        self.c.ok("run", "stays")
        wait_until("it runs", lambda: self.a.json("show", "stays")["running"] == 1)
        for node in self.cluster.nodes:
            for change in (["--on", "zone=a"], ["--on", "any"], ["--group", "g"]):
                code, _, err = node.ctl("modify", "stays", *change)
                self.assertEqual(code, 5, err)
                self.assertIn("a run that is not over", err)
        self.a.ok("modify", "stays", "--description", "but this can be changed")
        self.a.ok("kill", "stays")
        wait_until("it can be moved", lambda: self.a.ctl("modify", "stays", "--on", "zone=a,!spot")[0] == 0)
        self.b.ok("run", "stays")
        wait_until("it runs there", lambda: ran("stays") == {"a", "b"})
        self.c.ok("kill", "stays")
        wait_until("it has ended", lambda: self.c.json("show", "stays")["running"] == 0)

    def test_who_had_it_does_not_run_it_any_more(self):
        self.cluster.add(self.a, "hops", "--manual", "--on", "a")
        wait_until("it is seen", lambda: self.c.ctl("show", "hops")[0] == 0)
        for i in range(9):
            old, new = self.cluster.nodes[i % 3], self.cluster.nodes[(i + 1) % 3]
            wait_until("it is idle", lambda new=new: new.ctl("modify", "hops", "--on", new.name)[0] == 0)
            # At once, of the one that may not have heard of it.
            number = int(old.ok("run", "hops").rsplit("/", 1)[1])
            run = wait_until("it ran", lambda number=number: next(
                (run for run in runs("hops") if run.number == number and run.started_at), None))
            self.assertEqual(run.ran, new.name)

    def test_a_paused_job_goes_on_from_any_node(self):
        self.cluster.add(self.a, "holds", "--every", "1s")
        for i, node in enumerate(self.cluster.nodes):
            wait_until("it runs", lambda i=i: count("holds") > i)
            wait_until("it is seen", lambda node=node: node.ctl("show", "holds")[0] == 0)
            node.ok("pause", "holds")
            time.sleep(1.2)  # some time of it is missed
            other = self.cluster.nodes[i - 1]
            wait_until("it is paused", lambda other=other: other.json("show", "holds")["state"] == "paused")
            other.ok("resume", "holds", *(["--run-missed"] if i == 1 else []))
            before = count("holds")
            wait_until("it goes on", lambda before=before: count("holds") > before)
        self.a.ok("remove", "holds")

    def part(self, job, node):
        return f"{job}@{node.name}"

    def test_a_job_on_all_nodes_runs_once_on_each(self):
        self.cluster.add(self.a, "all", "--every", "1s", "--on", "all")
        for node in self.cluster.nodes:
            wait_until("each has its part", lambda node=node: count(self.part("all", node)) >= 3)
        for node in self.cluster.nodes:
            self.assertEqual(ran(self.part("all", node)), {node.name})
            fires = [run.scheduled_at for run in runs(self.part("all", node))]
            self.assertEqual(len(fires), len(set(fires)))
        self.assertEqual([job["id"] for job in self.b.json("list", "all*")], ["all"])
        self.assertEqual({run["node"] for run in self.b.json("history", "all")}, {"a", "b", "c"})
        self.assertEqual(self.c.json("show", "all")["nodes"], "all")
        self.assertIn("all@NODE", self.a.ok("why", "all"))
        revision = self.a.json("show", "all@b")["revision"]
        code, _, err = self.a.ctl("pause", "all@b")
        self.assertEqual(code, 5, err)
        self.assertIn("change that", err)
        self.b.ok("pause", "all", "--reason", "for a test")
        self.c.ok("modify", "all", "--description", "said once")
        for node in self.cluster.nodes:
            part = wait_until("all parts follow", lambda node=node: next(
                (job for job in [self.a.json("show", self.part("all", node))] if job["state"] == "paused" and
                 job["description"] == "said once"), None))
            self.assertEqual(part["nodes"], [f"@{node.name}"])
        self.assertGreater(self.a.json("show", "all@b")["revision"], revision)
        before = {node.name: count(self.part("all", node)) for node in self.cluster.nodes}
        self.a.ok("resume", "all")
        for node in self.cluster.nodes:
            wait_until("all go on", lambda node=node: count(self.part("all", node)) > before[node.name])
        self.assertNotIn("@", self.a.ok("export"))
        self.b.ok("remove", "all")
        for node in self.cluster.nodes:
            wait_until("the parts are gone", lambda node=node: self.c.ctl("show", self.part("all", node))[0] == 4)

    def test_a_job_on_all_nodes_leaves_with_its_history_and_its_runs(self):
        """Whose parts are removed by their nodes, behind the whole; a new job of that name begins anew."""
        parts = {f"goes@{node.name}" for node in self.cluster.nodes}

        def rows(state=None):
            return [run for part in parts for run in runs(part) if state in (None, run.state)]

        def add(command):
            self.cluster.add(self.a, "goes", "--manual", "--on", "all", command=command)
            for node in self.cluster.nodes:
                wait_until("all know all parts", lambda node=node: parts == {job["id"] for job in node.json("list", "goes@*")})
            self.b.ok("run", "goes")

        add(["true"])
        wait_until("each has run", lambda: len(rows("success")) == 3)
        self.c.ok("remove", "goes", "--purge")
        self.cluster.add(self.b, "goes", "--manual", "--on", "all", "--description", "new")
        wait_until("what was is gone, and the new one has parts", lambda: not rows() and not STORE.texts("part.") and all(
            [job["description"] for job in node.json("list", "goes@*")] == ["new"] * 3 for node in self.cluster.nodes))
        self.a.ok("remove", "goes")
        wait_until("the parts are gone", lambda: not any(node.json("list", "goes@*") for node in self.cluster.nodes))
        add(["sleep", "600"])
        wait_until("each runs", lambda: len(rows("running")) == 3)
        self.c.ok("remove", "goes", "--kill")
        wait_until("all are ended", lambda: len(rows("killed")) == 3 and not any(node.json("list", "goes@*") for node in self.cluster.nodes))
        self.assertEqual({run["state"] for run in self.b.json("history", "goes")}, {"killed"})
        wait_until("no note is left", lambda: not STORE.texts("part."))
        self.b.client().call("run.purge", run="goes")
        self.assertEqual(rows(), [], "also of a job that is gone, and of all its parts")

    def test_kill_of_a_removal_reaches_another_node(self):
        self.cluster.add(self.a, "ends", "--manual", "--on", "b", command=["sleep", "600"])
        wait_until("it is seen", lambda: self.c.ctl("show", "ends")[0] == 0)
        self.c.ok("run", "ends")
        wait_until("it runs", lambda: [run.state for run in runs("ends")] == ["running"])
        self.c.ok("remove", "ends", "--kill")
        wait_until("it is killed", lambda: [run.state for run in runs("ends")] == ["killed"])
        for node in self.cluster.nodes:
            wait_until("it is gone", lambda node=node: node.ctl("show", "ends")[0] == 4)

    def test_a_job_on_all_nodes_is_run_and_ended_from_anywhere(self):
        self.cluster.add(self.a, "hand", "--manual", "--on", "all", command=["sleep", "60"])
        for node in self.cluster.nodes:
            wait_until("each has its part", lambda node=node: self.b.ctl("show", self.part("hand", node))[0] == 0)
        self.assertEqual(set(self.b.ok("run", "hand").split()), {"hand/1@a", "hand/1@b", "hand/1@c"})
        wait_until("they run", lambda: self.c.json("show", "hand")["running"] == 3)
        self.assertEqual(self.a.json("show", "hand/1@c")["node"], "c")
        self.c.ok("kill", "hand/1@a")
        self.assertNotEqual(self.b.ctl("wait", "hand/1@a")[0], 0)
        self.c.ok("kill", "hand")
        wait_until("they have ended", lambda: {run["state"] for run in self.a.json("history", "hand")} == {"killed"})
        self.assertEqual(self.a.ok("run", "hand", "--node", "b").strip(), "hand/2@b")
        wait_until("it runs there alone", lambda: ran("hand@b") == {"b"} and self.a.json("show", "hand")["running"] == 1)
        self.a.ok("kill", "hand/2@b")
        code, _, err = self.a.ctl("run", "hand", "--node", "z")
        self.assertEqual(code, 4, err)
        self.cluster.add(self.a, "one", "--manual", "--on", "c", command=["true"])
        code, _, err = self.a.ctl("run", "one", "--node", "b")
        self.assertEqual(code, 5, err)
        self.assertIn("is not on node b", err)
        code, _, err = self.a.ctl("add", "--id", "x@b", "--store", "shared", "--manual", "--", "true")
        self.assertEqual(code, 2, err)
        code, _, err = self.a.ctl("add", "--id", "x" * 64, "--store", "shared", "--manual", "--on", "all", "--", "true")
        self.assertEqual(code, 2, err)
        self.assertIn("at most 63", err)
        self.a.ok("remove", "hand", "one")

    def test_the_limit_of_a_group_is_one_nodes_business(self):
        self.a.ok("groups", "set", "g1", "--parallel", "1")
        for node in self.cluster.nodes:
            wait_until("all know the limit", lambda node=node: any(
                group["name"] == "g1" and group["parallel"] == 1 for group in node.json("groups")))
        for i in range(4):
            self.cluster.add(self.b, f"mate{i}", "--manual", "--group", "g1", "--on", "zone=a",
                             command=["sh", "-c", "sleep 0.2"])
        for node in self.cluster.nodes:
            wait_until("they are seen", lambda node=node: node.ctl("show", "mate3")[0] == 0)
        for refused in (["--on", "b"], ["--on", "any"], ["--on", "all"]):
            code, _, err = self.c.ctl("add", "--id", "mate9", "--store", "shared", "--manual", "--group", "g1", *refused,
                                      "--", "true")
            self.assertEqual(code, 5, err)
            self.assertIn("group g1 has a limit", err)
        for i in range(4):
            self.cluster.nodes[i % 3].ok("run", f"mate{i}")
        wait_until("all have run", lambda: all(count(f"mate{i}") for i in range(4)))
        times = sorted((run.started_at, run.ended_at) for i in range(4) for run in runs(f"mate{i}"))
        self.assertTrue(all(ended <= started for (_, ended), (started, _) in zip(times, times[1:])), times)
        for i, on in enumerate(("a", "c")):
            self.cluster.add(self.b, f"loose{i}", "--manual", "--group", "g2", "--on", on)
        wait_until("they are seen", lambda: self.a.ctl("show", "loose1")[0] == 0)
        code, _, err = self.a.ctl("groups", "set", "g2", "--parallel", "1")
        self.assertEqual(code, 5, err)
        self.assertIn("do not all say the same nodes", err)
        self.a.ok("remove", "mate*", "loose*", "-y")

    def test_a_pause_of_all_holds_on_all_nodes_at_once(self):
        self.cluster.add(self.a, "beats", "--every", "1s", "--on", "b")
        wait_until("it runs", lambda: count("beats"))
        self.c.ok("pause", "--scheduler")
        for node in self.cluster.nodes:
            wait_until("it is paused", lambda node=node: node.json("status")["state"] == "paused")
            self.assertIn("on node c", node.ok("why", "beats"))
        before = count("beats")
        time.sleep(1.5)
        self.assertLessEqual(count("beats"), before + 1)
        self.a.stop()
        self.a.start()
        self.assertEqual(wait_until("it has been told", lambda: self.a.json("status"))["state"], "paused")
        self.a.ok("resume", "--scheduler")
        for node in self.cluster.nodes:
            wait_until("it goes on", lambda node=node: node.json("status")["state"] == "running")
        before = count("beats")
        wait_until("it runs again", lambda: count("beats") > before + 1)
        self.a.ok("remove", "beats")


class Apart(unittest.TestCase):
    """When nodes go, and come back as others."""

    def setUp(self):
        self.cluster = places()
        self.cluster.start()
        self.a, self.b, self.c = self.cluster.nodes

    def tearDown(self):
        self.cluster.end(self)
        self.cluster.check(self)

    def test_a_node_that_dies_leaves_its_place_to_those_that_fit(self):
        for i in range(8):
            self.cluster.add(self.b, f"zone{i}", "--every", "1s", "--on", "zone=a")
        self.cluster.add(self.b, "alone", "--every", "1s", "--on", "spot", "--grace", "2s")
        self.cluster.add(self.b, "after", "--manual", "--on", "spot", "--max-instances", "1", "--overlap", "queue",
                         command=["sleep", "100"])
        wait_until("all run", lambda: all(count(f"zone{i}") for i in range(8)) and count("alone"))
        self.a.ok("run", "after")
        self.a.ok("run", "after")
        wait_until("one waits", lambda: self.a.json("show", "after")["queued"] == 1)
        # Its row says that it runs before its process begins, and when that did a while after.
        wait_until("the other has begun", lambda: ran("after") == {"c"})
        died = time.time()
        self.c.stop(signal.SIGKILL)
        wait_until("it is known to be dead", lambda: self.a.nodes()["c"]["state"] == "dead", 30)
        wait_until("what it had of the zone goes on", lambda: all(
            since(f"zone{i}", died + LEASE) for i in range(8)), 30)
        self.assertIn("(c is dead)", self.a.ok("why", "alone"))
        wait_until("its runs are lost", lambda: [run["state"] for run in self.b.json("history", "after")] == [
            "lost", "lost"])
        back = time.time()
        time.sleep(2.5)
        self.assertEqual(ran("alone") | ran("after"), {"c"})
        self.c.start()
        wait_until("it is back with what is its own", lambda: since("alone", back), 30)
        self.assertTrue([run for run in self.a.json("history", "alone") if run["state"] == "missed"])
        self.assertEqual(ran("alone"), {"c"})
        # What waited had not begun: it is made up for where it may run, and what ran is not.
        wait_until("it runs once more", lambda: [run["state"] for run in self.b.json("history", "after")] == [
            "running", "lost", "lost"], 30)
        # Its note was looked at twice as c came back; that the second was too late is no failure of the store.
        wait_until("its row says when it has begun", lambda: runs("after")[-1].started_at)
        time.sleep(1)
        self.assertEqual(len(self.b.json("history", "after")), 3)
        self.assertEqual(ran("after"), {"c"})
        self.a.ok("kill", "after")

    def test_a_node_that_dies_with_a_job_on_all_nodes_due(self):
        self.cluster.add(self.a, "all", "--every", "1s", "--on", "all", "--grace", "2s")
        wait_until("all run", lambda: all(count(f"all@{node}") for node in "abc"))
        self.b.stop(signal.SIGKILL)
        wait_until("it is known to be dead", lambda: self.a.nodes()["b"]["state"] == "dead", 30)
        dead = time.time()
        wait_until("the others go on", lambda: all(len(since(f"all@{node}", dead)) > 2 for node in "ac"))
        self.assertEqual(ran("all@b"), {"b"})
        self.assertEqual(since("all@b", dead), [])
        code, out, err = self.a.ctl("run", "all")
        self.assertEqual(code, 0, err)
        self.assertEqual({run.split("@")[1] for run in out.split()}, {"a", "c"})
        self.b.start()
        wait_until("it is back with its part", lambda: since("all@b", dead), 30)
        self.assertEqual(ran("all@b"), {"b"})
        wait_until("what was too late is missed", lambda: [run for run in runs("all@b") if run.state == "missed"])
        # A whole that goes while a node is away takes that node's part along, and one that is dead is cleaned up after.
        self.b.stop(signal.SIGKILL)
        wait_until("it is dead again", lambda: self.a.nodes()["b"]["state"] == "dead", 30)
        self.a.ok("remove", "all")
        wait_until("all parts are gone", lambda: not self.c.json("list", "*@*"))

    def test_labels_change_with_a_restart(self):
        self.cluster.add(self.a, "label", "--every", "1s", "--on", "gpu=yes")
        wait_until("it runs", lambda: count("label"))
        self.assertEqual(ran("label"), {"b"})
        self.b.stop(signal.SIGKILL)
        relabel(self.b, {"zone": "b"})
        self.b.start()
        started = time.time()
        wait_until("nobody has it", lambda: "no live node fits" in self.a.ok("why", "label"), 30)
        self.assertEqual(since("label", started), [])
        self.a.stop()
        relabel(self.a, {"gpu": "yes"})
        self.a.start()
        wait_until("it runs there", lambda: ran("label") == {"a", "b"}, 30)

    def test_a_drained_node_starts_nothing_of_its_place(self):
        self.cluster.add(self.a, "mine", "--every", "1s", "--on", "b")
        wait_until("it runs", lambda: count("mine"))
        self.a.ok("nodes", "drain", "b")
        before = len(STORE.runs())
        wait_until("all know why", lambda: "(b drains)" in self.c.ok("why", "mine"))
        time.sleep(1.5)
        self.assertEqual(len(STORE.runs()), before)
        self.a.ok("nodes", "resume", "b")
        wait_until("it goes on", lambda: len(STORE.runs()) > before + 1)


if __name__ == "__main__":
    unittest.main()
